package dev.tern.simulation;

import java.util.Set;
import java.util.TreeSet;

/// What clients appended to one key, each a token of its own: an append is done at most once, and
/// what was refused is not done.
final class Tokens {
  private final Set<String> tried = new TreeSet<>();
  private final Set<String> acknowledged = new TreeSet<>();

  void tried(String token) {
    tried.add(token);
  }

  void acknowledged(String token) {
    acknowledged.add(token);
  }

  void refused(String token) {
    tried.remove(token);
  }

  /// Checks a value read; every token ends with a semicolon.
  ///
  /// @return the tokens in it
  Set<String> check(String value) {
    Set<String> found = new TreeSet<>();
    for (String token : value.split(";", -1)) {
      if (!token.isEmpty() && !found.add(token)) {
        throw new History.Violation("%s was appended twice: %s".formatted(token, value));
      }
      if (!token.isEmpty() && !tried.contains(token)) {
        throw new History.Violation("%s was refused or came from nowhere".formatted(token));
      }
    }
    return found;
  }

  /// Checks that nothing acknowledged is missing.
  void checkAll(String value) {
    Set<String> missing = new TreeSet<>(acknowledged);
    missing.removeAll(check(value));
    if (!missing.isEmpty()) {
      throw new History.Violation("acknowledged appends are missing: " + missing);
    }
  }
}
