package dev.tern.core.replica;

import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.version.Siblings;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// The writes that this store holds for replicas that are away, on disk, in the order they came; on
/// the shard's loop.
///
/// A target that is away for so long that its hints would be more than [#MAX_BYTES], or older than
/// [#MAX_AGE_MILLIS], gets no more of them: anti-entropy brings it what it lacks.
///
/// Row in `hints`: key `[target u32][number u64]`, value u32 keyspace, u64 wall milliseconds, blob
/// key, record.
public final class Hints {
  /// For one target.
  public static final long MAX_BYTES = 64L << 20;

  /// Of the oldest one of a target.
  public static final long MAX_AGE_MILLIS = 3 * 3_600_000L;

  private final Lsm lsm;
  private final ColumnFamily family;
  private volatile long count;

  /// By target.
  private final TreeMap<Integer, Held> held = new TreeMap<>();

  private static final class Held {
    long first;
    long next;
    long bytes;
    long oldestMillis;

    boolean isEmpty() {
      return first == next;
    }
  }

  Hints(Lsm lsm, ColumnFamily family) throws IOException {
    this.lsm = lsm;
    this.family = family;
    try (LsmIterator rows = lsm.iterator(family, IteratorOptions.all())) {
      for (rows.seekToFirst(); rows.valid(); rows.next()) {
        ByteReader key = new ByteReader(rows.key());
        int target = key.readInt();
        long number = key.readLong();
        Held of = held.computeIfAbsent(target, first -> new Held());
        if (of.isEmpty()) {
          of.first = number;
          of.oldestMillis = new ByteReader(rows.value(), 4, 8).readLong();
        }
        of.next = number + 1;
        of.bytes += rows.value().length;
      }
    }
    counted();
  }

  private static byte[] row(int target, long number) {
    return new ByteWriter(12).writeInt(target).writeLong(number).toByteArray();
  }

  /// Whether one more may be held for a target.
  boolean hasRoom(int target, long wallMillis) {
    Held of = held.get(target);
    return of == null
        || of.isEmpty()
        || of.bytes < MAX_BYTES && wallMillis - of.oldestMillis < MAX_AGE_MILLIS;
  }

  /// Appends one.
  ///
  /// @param record filled
  void add(int target, KeyspaceConfig keyspace, byte[] key, Siblings record, long wallMillis) {
    Held of = held.computeIfAbsent(target, first -> new Held());
    if (of.isEmpty()) {
      of.oldestMillis = wallMillis;
    }
    ByteWriter value = new ByteWriter().writeInt(keyspace.id()).writeLong(wallMillis);
    record.encode(value.writeBlob(key));
    lsm.append(new WriteBatch().put(family, row(target, of.next++), value));
    of.bytes += value.length();
    counted();
  }

  /// Nodes that something is held for.
  public List<Integer> targets() {
    List<Integer> targets = new ArrayList<>();
    held.forEach(
        (target, of) -> {
          if (!of.isEmpty()) {
            targets.add(target);
          }
        });
    return targets;
  }

  /// How many are held, for all targets; any thread.
  public long count() {
    return count;
  }

  private void counted() {
    long all = 0;
    for (Held each : held.values()) {
      all += each.next - each.first;
    }
    count = all;
  }

  /// The oldest ones of a target; on a worker.
  List<Hint> page(int target, int limit, int maxBytes) throws IOException {
    List<Hint> page = new ArrayList<>();
    int bytes = 0;
    try (LsmIterator rows = lsm.iterator(family, IteratorOptions.all())) {
      byte[] end = row(target + 1, 0);
      for (rows.seek(row(target, 0)); rows.valid(); rows.next()) {
        boolean full = page.size() >= limit || bytes >= maxBytes;
        if (full || java.util.Arrays.compareUnsigned(rows.key(), end) >= 0) {
          break;
        }
        ByteReader in = new ByteReader(rows.value());
        int keyspace = in.readInt();
        long since = in.readLong();
        long number = new ByteReader(rows.key(), 4, 8).readLong();
        int length = rows.value().length;
        page.add(new Hint(number, keyspace, in.readBlob(), Siblings.decode(in), since, length));
        bytes += length;
      }
    }
    return page;
  }

  /// The target has all of a page.
  ///
  /// @param page not empty
  public void delivered(int target, List<Hint> page) {
    Held of = java.util.Objects.requireNonNull(held.get(target));
    long last = page.getLast().number();
    of.first = Math.max(of.first, last + 1);
    counted();
    for (Hint hint : page) {
      of.bytes -= hint.bytes();
    }
    of.oldestMillis = page.getLast().heldSinceMillis();
    WriteBatch batch = new WriteBatch();
    lsm.append(batch.deleteRange(family, row(target, 0), row(target, last + 1)));
  }
}
