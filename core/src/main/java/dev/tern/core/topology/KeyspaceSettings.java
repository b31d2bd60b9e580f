package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.ring.ZonePolicy;
import dev.tern.lsm.CompactionStyle;
import org.jspecify.annotations.Nullable;

/// What an operator says of a keyspace. Any values; [#problem] tells whether they make sense.
///
/// @param name for doors and people
/// @param n replicas of each key
/// @param zones how they are spread
/// @param resolution of concurrent writes
/// @param r default read level
/// @param w default write level
/// @param durability of an acknowledged write
/// @param ttlMillis after which a value without an expiry of its own expires; 0 for never
/// @param compaction of its tables
/// @param timeoutMillis default deadline of a request
public record KeyspaceSettings(
    String name,
    int n,
    ZonePolicy zones,
    Resolution resolution,
    int r,
    int w,
    Durability durability,
    long ttlMillis,
    CompactionStyle compaction,
    int timeoutMillis) {
  static final int MAX_N = 16;
  static final int MAX_NAME_LENGTH = 64;

  /// The usual: N=3 R=2 W=2, forced to disk, levels, for ever.
  public static KeyspaceSettings usual(String name) {
    return new KeyspaceSettings(
        name,
        3,
        ZonePolicy.SPREAD,
        Resolution.LWW,
        2,
        2,
        Durability.SYNC,
        0,
        CompactionStyle.LEVELED,
        5_000);
  }

  /// Where its replicas stand.
  public PlacementPolicy policy() {
    return new PlacementPolicy(n, zones);
  }

  /// Why this cannot be a keyspace; null if it can.
  public @Nullable String problem() {
    if (!nameIsGood()) {
      return "a keyspace's name is 1 to 64 of a-z, 0-9, '.', '_', '-' and begins with a letter or"
          + " digit, not '"
          + name
          + "'";
    }
    if (n < 1 || n > MAX_N) {
      return "n lies between 1 and " + MAX_N + ", not " + n;
    }
    if (r < 1 || r > n || w < 1 || w > n) {
      return "r and w lie between 1 and n = %d, not r=%d w=%d".formatted(n, r, w);
    }
    if (ttlMillis < 0 || timeoutMillis < 1) {
      return "the time to live is not negative, and the timeout is 1 ms or more";
    }
    return null;
  }

  private boolean nameIsGood() {
    boolean good = !name.isEmpty() && name.length() <= MAX_NAME_LENGTH;
    for (int i = 0; i < name.length() && good; i++) {
      char c = name.charAt(i);
      boolean alphanumeric = c >= 'a' && c <= 'z' || c >= '0' && c <= '9';
      good = alphanumeric || i > 0 && (c == '.' || c == '_' || c == '-');
    }
    return good;
  }
}
