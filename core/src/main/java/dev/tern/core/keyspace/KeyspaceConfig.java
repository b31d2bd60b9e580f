package dev.tern.core.keyspace;

import dev.tern.lsm.CompactionStyle;

/// How a keyspace keeps its keys.
///
/// @param id never reused; part of every record key
/// @param hash of its keys; part of every record key too
/// @param name how doors and people call it
/// @param n replicas of each key; the topology may have fewer members
/// @param r default read level
/// @param w default write level
/// @param durability what "durable" means for an acknowledged write
/// @param timeoutMillis default deadline of a request
/// @param ttlMillis after which a value without an expiry of its own expires; 0 for never
/// @param compaction of its tables
/// @param resolution of concurrent writes
public record KeyspaceConfig(
    int id,
    KeyHash hash,
    String name,
    int n,
    int r,
    int w,
    Durability durability,
    int timeoutMillis,
    long ttlMillis,
    CompactionStyle compaction,
    Resolution resolution) {

  public KeyspaceConfig {
    if (n < 1 || r < 1 || w < 1 || r > n || w > n) {
      throw new IllegalArgumentException(
          "keyspace %s: r and w lie between 1 and n: n=%d r=%d w=%d".formatted(name, n, r, w));
    }
    if (timeoutMillis < 1 || id < 0) {
      throw new IllegalArgumentException("keyspace " + name + ": timeout and id are positive");
    }
  }

  /// When a value written now expires.
  ///
  /// @param expiryMillis its own, [Update#NO_EXPIRY] for none
  public long expiry(long expiryMillis, long wallMillis) {
    return expiryMillis == Update.NO_EXPIRY && ttlMillis > 0
        ? wallMillis + ttlMillis
        : expiryMillis;
  }

  /// What must have happened on a replica before a write counts as durable there.
  public enum Durability {
    /// It is in memory; the log write may come later. A crash of the process may lose it.
    NONE,
    /// The operating system has it: survives a crash of the process, not of the machine.
    OS,
    /// A group commit has forced it to the disk.
    SYNC
  }
}
