package dev.tern.core.traffic;

import dev.tern.core.version.Siblings;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What one replica lately said of hot keys. It answers reads of one replica where the keyspace
/// promises no more than that some replica said so (`1 + w <= n`), and nothing else: no quorum, no
/// read before a write.
///
/// ```
///   read of a hot key --> fresh? answer
///                     --> else: ask a replica, keep what it says, unless the key was written
///                         meanwhile
/// ```
///
/// Invariants: an answer is at most [#FRESH_NANOS] older than what the replica that was asked then
/// held; nothing that was asked for before a write of the key came to its end here is shown after.
///
/// Threads: one shard's loop.
public final class ReadCache {
  /// For so long after the read began what it said is shown, nanoseconds.
  static final long FRESH_NANOS = 100_000_000;

  /// For so long after a write of a key that came to its end here it is read as if it were not hot:
  /// at this replica, which has the write, nanoseconds. By then all replicas that answer have it.
  static final long WRITTEN_NANOS = 1_000_000_000;

  /// Keys at a time.
  static final int MAX_ENTRIES = 256;

  /// Records of more bytes are not kept.
  static final int MAX_RECORD_BYTES = 64 << 10;

  /// All records together.
  static final int MAX_BYTES = 4 << 20;

  /// Keys not read for so long are forgotten, nanoseconds.
  private static final long IDLE_NANOS = 2_000_000_000;

  /// A hot key.
  public static final class Entry {
    private @Nullable Siblings record;
    private boolean known;
    private int bytes;
    private boolean evicted;

    /// When the read of what is known began.
    private long beganNanos;

    private long usedNanos;

    /// When it was last written, as far as is known: when the entry was made at the latest.
    private long writtenNanos;

    /// How often it was written.
    private int writes;

    private Entry(long nowNanos) {
      this.usedNanos = nowNanos;
      this.writtenNanos = nowNanos;
    }

    /// Whether what is known may be shown.
    public boolean fresh(long nowNanos) {
      return known && nowNanos - beganNanos < FRESH_NANOS;
    }

    /// What is known; null if the key has none.
    public @Nullable Siblings record() {
      return record;
    }

    /// Whether any replica may be asked.
    public boolean spreads(long nowNanos) {
      return nowNanos - writtenNanos >= WRITTEN_NANOS;
    }

    /// To be handed to [ReadCache#learned] with what a read says that begins now.
    public int writes() {
      return writes;
    }
  }

  /// Ordered by their last use.
  private final Map<KeyName, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);

  private int bytes;

  /// A hot key's entry.
  public Entry entry(KeyName name, long nowNanos) {
    Entry entry = entries.get(name);
    if (entry == null) {
      if (entries.size() >= MAX_ENTRIES) {
        evictOne();
      }
      entry = new Entry(nowNanos);
      entries.put(name, entry);
    }
    entry.usedNanos = nowNanos;
    return entry;
  }

  /// What a read said that began then.
  ///
  /// @param writes what [Entry#writes] said when it began
  public void learned(Entry entry, @Nullable Siblings record, long beganNanos, int writes) {
    int size = record == null ? 0 : record.valueBytes();
    boolean older = entry.known && entry.beganNanos > beganNanos;
    if (entry.evicted || entry.writes != writes || older || size > MAX_RECORD_BYTES) {
      return;
    }
    forget(entry);
    while (bytes + size > MAX_BYTES) {
      evictOne();
    }
    if (!entry.evicted) {
      entry.record = record;
      entry.known = true;
      entry.bytes = size;
      entry.beganNanos = beganNanos;
      bytes += size;
      assert bytes >= 0 && bytes <= MAX_BYTES && entries.size() <= MAX_ENTRIES;
    }
  }

  /// A write of a key came to its end here.
  public void written(int keyspace, byte[] key, long nowNanos) {
    Entry entry = entries.get(new KeyName(keyspace, key));
    if (entry != null) {
      forget(entry);
      entry.writes++;
      entry.writtenNanos = nowNanos;
    }
  }

  private void forget(Entry entry) {
    bytes -= entry.bytes;
    entry.bytes = 0;
    entry.known = false;
    entry.record = null;
  }

  private void evictOne() {
    Iterator<Entry> all = entries.values().iterator();
    Entry eldest = all.next();
    forget(eldest);
    eldest.evicted = true;
    all.remove();
  }

  /// Forgets all keys: what is read now may be kept by others.
  public void clear() {
    while (!entries.isEmpty()) {
      evictOne();
    }
  }

  /// Forgets keys that are not read any more.
  public void beat(long nowNanos) {
    while (!entries.isEmpty()) {
      Entry eldest = entries.values().iterator().next();
      if (nowNanos - eldest.usedNanos < IDLE_NANOS) {
        return;
      }
      evictOne();
    }
  }

  public int size() {
    return entries.size();
  }

  int bytes() {
    return bytes;
  }
}
