package dev.tern.lsm;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Uncompressed blocks by table and offset, least recently used out first. Any thread.
final class BlockCache {
  private final long capacityBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Key, byte[]> blocks = new LinkedHashMap<>(64, 0.75f, true);
  private long bytes;
  private long hits;
  private long misses;

  private record Key(long table, long offset) {}

  BlockCache(long capacityBytes) {
    this.capacityBytes = capacityBytes;
  }

  byte @Nullable [] get(long table, long offset) {
    lock.lock();
    try {
      byte[] block = blocks.get(new Key(table, offset));
      if (block == null) {
        misses++;
      } else {
        hits++;
      }
      return block;
    } finally {
      lock.unlock();
    }
  }

  void put(long table, long offset, byte[] block) {
    lock.lock();
    try {
      byte[] old = blocks.put(new Key(table, offset), block);
      bytes += block.length - (old == null ? 0 : old.length);
      var eldest = blocks.entrySet().iterator();
      while (bytes > capacityBytes && eldest.hasNext()) {
        bytes -= eldest.next().getValue().length;
        eldest.remove();
      }
    } finally {
      lock.unlock();
    }
  }

  long bytes() {
    return bytes;
  }

  long hits() {
    return hits;
  }

  long misses() {
    return misses;
  }
}
