package dev.tern.client;

import java.util.List;
import java.util.Optional;

/// What a key holds.
///
/// @param siblings its values, newest first: none if it holds nothing, several if they were written
///   concurrently and nobody has resolved them yet
/// @param context hand it to the write that replaces them
public record Fetched<V>(List<V> siblings, Context context) {
  public Fetched {
    siblings = List.copyOf(siblings);
  }

  public boolean isPresent() {
    return !siblings.isEmpty();
  }

  /// The one value.
  ///
  /// @throws IllegalStateException if there are siblings: give the bucket a [Resolver], or look at
  ///   [#siblings]
  public Optional<V> value() {
    if (siblings.size() > 1) {
      throw new IllegalStateException(siblings.size() + " siblings and no resolver");
    }
    return siblings.stream().findFirst();
  }
}
