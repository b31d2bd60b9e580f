package dev.tern.simulation;

import java.util.ArrayList;
import java.util.List;

/// The keys that blind puts and updates share, one after the other: each for as long as its history
/// can still be searched.
final class MixedKeys {
  private static final int MAX_OPERATIONS = 120;
  private static final int MAX_UNKNOWN = 6;

  /// A key, and what was done to it.
  record Key(String name, Linearizability history) {}

  private final List<Key> keys = new ArrayList<>();

  /// The one in use.
  Key current() {
    Linearizability last = keys.isEmpty() ? null : keys.getLast().history();
    if (last == null || last.size() >= MAX_OPERATIONS || last.unknown() >= MAX_UNKNOWN) {
      keys.add(new Key("mix-" + keys.size(), new Linearizability()));
    }
    return keys.getLast();
  }

  List<Key> all() {
    return List.copyOf(keys);
  }
}
