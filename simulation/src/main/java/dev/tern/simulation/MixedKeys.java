package dev.tern.simulation;

import dev.tern.core.keyspace.Level;
import dev.tern.world.World;
import java.util.ArrayList;
import java.util.List;

/// The keys whose histories must be linearizable, one after the other: each for as long as its
/// history can still be searched, and until a disk is lost that had a part in it.
final class MixedKeys {
  /// All are of one slot, and so of one list of replicas.
  static final String PREFIX = "{mix}-";

  private static final int MAX_OPERATIONS = 120;

  /// Where many end as unknown: their histories are searched to the end.
  private static final int FEW_OPERATIONS = 50;

  private static final int MAX_UNKNOWN = 6;

  /// What is done to a key.
  enum Kind {
    /// Blind puts and updates at the level of the keyspace.
    UPDATES,
    /// Gets and puts at [Level#LINEARIZABLE].
    REGISTER,
    /// Gets, puts and updates at [Level#LINEARIZABLE].
    REGISTER_UPDATED
  }

  /// A key, and what was done to it.
  record Key(String name, Kind kind, Linearizability history) {
    Level level() {
      return kind == Kind.UPDATES ? Level.DEFAULT : Level.LINEARIZABLE;
    }
  }

  private final World world;
  private final Theme theme;
  private final List<Key> keys = new ArrayList<>();

  /// Keys so far.
  private int made;

  /// By kind, the one in use.
  private final Key[] current = new Key[Kind.values().length];

  MixedKeys(World world, Theme theme) {
    this.world = world;
    this.theme = theme;
  }

  /// One in use, of any kind.
  Key some() {
    if (theme == Theme.OUTVOTED) {
      return current(Kind.REGISTER_UPDATED);
    }
    boolean register = world.chance(theme == Theme.REGISTERS ? 0.8 : 0.3);
    Kind kind = Kind.UPDATES;
    if (register) {
      kind = world.chance(0.7) ? Kind.REGISTER : Kind.REGISTER_UPDATED;
    }
    return current(kind);
  }

  private Key current(Kind kind) {
    Key last = current[kind.ordinal()];
    boolean usable =
        last != null
            && last.history().size() < (theme == Theme.OUTVOTED ? FEW_OPERATIONS : MAX_OPERATIONS)
            && last.history().unknown() < MAX_UNKNOWN;
    if (!usable) {
      last = new Key(PREFIX + made++, kind, new Linearizability());
      keys.add(last);
      current[kind.ordinal()] = last;
    }
    return last;
  }

  /// Whether a key has been in use.
  boolean had(String name) {
    return name.startsWith(PREFIX) && Integer.parseInt(name.substring(PREFIX.length())) < made;
  }

  /// One replica has lost what it had acknowledged: nothing is promised of what was under way.
  void lost() {
    keys.clear();
    java.util.Arrays.fill(current, null);
  }

  List<Key> all() {
    return List.copyOf(keys);
  }
}
