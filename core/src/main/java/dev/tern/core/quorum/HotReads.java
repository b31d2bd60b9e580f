package dev.tern.core.quorum;

import dev.tern.core.keyspace.Level;
import dev.tern.core.traffic.HotKeys;
import dev.tern.core.traffic.KeyName;
import dev.tern.core.traffic.ReadCache;
import dev.tern.core.version.Siblings;
import org.jspecify.annotations.Nullable;

/// Which reads are of hot keys at level ONE, what is kept of these keys, and whose turn it is to be
/// asked for them.
///
/// Threads: one shard's loop.
final class HotReads {
  private final HotKeys hotKeys;
  private final ReadCache cache = new ReadCache();

  /// Whether reads of all levels count: a mistake, see
  /// [dev.tern.core.context.PlantedBug#HOT_READS_AT_ANY_LEVEL].
  private final boolean anyLevel;

  /// Not negative.
  private int turn;

  HotReads(int hotReads, boolean anyLevel, long nowNanos) {
    this.hotKeys = new HotKeys(hotReads, nowNanos);
    this.anyLevel = anyLevel;
  }

  /// What is kept of a hot key, if a read may be shown that: one replica is enough for it, and is
  /// not promised to have seen every write. Null otherwise.
  ReadCache.@Nullable Entry entry(Request request, Level level, long nowNanos) {
    int w = Math.max(request.w(), request.keyspace().w());
    boolean one = request.r() == 1 && level.pr() <= 1 && 1 + w <= request.replicas().readSize();
    if (!one && !anyLevel) {
      return null;
    }
    int keyspace = request.keyspace().id();
    return hotKeys.read(keyspace, request.key(), nowNanos)
        ? cache.entry(new KeyName(keyspace, request.key()), nowNanos)
        : null;
  }

  /// See [ReadCache#learned].
  void learned(ReadCache.Entry entry, @Nullable Siblings record, long beganNanos, int writes) {
    cache.learned(entry, record, beganNanos, writes);
  }

  /// Forgets all: keys are kept elsewhere now.
  void forget() {
    cache.clear();
  }

  /// Whether there is anything that a write could make old.
  boolean isEmpty() {
    return cache.size() == 0;
  }

  /// See [ReadCache#written].
  void written(int keyspace, byte[] key, long nowNanos) {
    cache.written(keyspace, key, nowNanos);
  }

  /// Where in its list of replicas the next read begins that goes to any.
  int nextTurn() {
    turn = turn + 1 & Integer.MAX_VALUE;
    return turn;
  }

  /// Forgets keys that are not read any more.
  void beat(long nowNanos) {
    cache.beat(nowNanos);
  }
}
