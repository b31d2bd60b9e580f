package dev.tern.core.replica;

import dev.tern.core.store.RecordKey;
import dev.tern.core.topology.Member;
import dev.tern.core.version.Siblings;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Clock;
import dev.tern.env.DecodeException;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The writes that this store holds for replicas that are away, on disk, in the order they came; on
/// the shard's loop.
///
/// A target that is away for so long that its hints would be more than [#MAX_BYTES], or that this
/// process has held some of them for [#MAX_AGE_NANOS], gets no more of them: anti-entropy brings it
/// what it lacks. Their age is told by the monotonic clock, so that no step of a clock ends hints.
///
/// Rows in `hints`:
///
/// ```
///   | target u32 | number u64 |                            u64 time milliseconds, blob record key,
///                                                          record
///   | 0 u32 | target u32 | record key | number u64 |       nothing: which ones are of a key
/// ```
public final class Hints {
  /// For one target.
  public static final long MAX_BYTES = 64L << 20;

  /// Of the oldest one of a target, as far as this process has seen it, nanoseconds.
  public static final long MAX_AGE_NANOS = 3 * 3_600_000_000_000L;

  /// Held since before this process began, which is not seen yet.
  private static final long UNSEEN = Long.MIN_VALUE;

  private final Lsm lsm;
  private final ColumnFamily family;
  private volatile long count;

  /// By target.
  private final TreeMap<Integer, Held> held = new TreeMap<>();

  /// By slot and keyspace: how many are held of its keys, for all targets.
  private final TreeMap<Long, Integer> ofSlot = new TreeMap<>();

  /// What the key of a hint says.
  record Place(int target, long number) {
    /// @throws DecodeException if it is the key of none
    static Place decode(byte[] row) {
      ByteReader in = new ByteReader(row);
      Place place = new Place(in.readInt(), in.readLong());
      in.expectEnd();
      if (place.target < 1 || place.target > Member.MAX_NUMBER || place.number < 0) {
        throw new DecodeException("a hint of " + place);
      }
      return place;
    }
  }

  private static final class Held {
    /// The number of the next one.
    long next;

    long bytes;
    long count;

    /// From when on the age of the oldest one counts.
    long sinceNanos = UNSEEN;

    boolean isEmpty() {
      return count == 0;
    }
  }

  Hints(Lsm lsm, ColumnFamily family) throws IOException {
    this.lsm = lsm;
    this.family = family;
    try (LsmIterator rows = lsm.iterator(family, IteratorOptions.all())) {
      for (rows.seek(row(1, 0)); rows.valid(); rows.next()) {
        Place place = Place.decode(rows.key());
        int target = place.target();
        long number = place.number();
        Held of = held.computeIfAbsent(target, first -> new Held());
        ByteReader value = new ByteReader(rows.value());
        of.count++;
        of.next = number + 1;
        of.bytes += rows.value().length;
        count(value);
      }
    }
    counted();
  }

  private void count(ByteReader value) {
    try {
      value.skip(Long.BYTES);
      count(RecordKey.decode(value), 1);
    } catch (DecodeException e) {
      // It is passed over at each delivery, and counted there.
      return;
    }
  }

  /// Where a hint lies.
  static byte[] row(int target, long number) {
    return new ByteWriter(12).writeInt(target).writeLong(number).toByteArray();
  }

  /// Where it is told that a hint is of a key.
  static byte[] ofKey(int target, byte[] recordKey, long number) {
    ByteWriter out = new ByteWriter(16 + recordKey.length).writeInt(0).writeInt(target);
    return out.writeBytes(recordKey).writeLong(number).toByteArray();
  }

  /// Whether one more may be held for a target.
  boolean hasRoom(int target, long monotonicNanos) {
    Held of = held.get(target);
    if (of == null || of.isEmpty()) {
      return true;
    }
    if (of.sinceNanos == UNSEEN) {
      of.sinceNanos = monotonicNanos;
    }
    return of.bytes < MAX_BYTES && monotonicNanos - of.sinceNanos < MAX_AGE_NANOS;
  }

  /// Appends one.
  ///
  /// @param record filled
  void add(int target, byte[] recordKey, Siblings record, Clock clock) {
    Held of = held.computeIfAbsent(target, first -> new Held());
    if (of.isEmpty()) {
      of.sinceNanos = clock.monotonicNanos();
    }
    ByteWriter value = new ByteWriter();
    Hint.encode(recordKey, clock.wallMillis(), record, value);
    WriteBatch batch = new WriteBatch().put(family, row(target, of.next), value);
    lsm.append(batch.put(family, ofKey(target, recordKey, of.next), new byte[0]));
    of.next++;
    of.count++;
    of.bytes += value.length();
    count(recordKey, 1);
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
      all += each.count;
    }
    count = all;
  }

  /// Whether one of a target is numbered `from` or above, or was.
  public boolean reaches(int target, long from) {
    Held of = held.get(target);
    return of != null && !of.isEmpty() && from < of.next;
  }

  /// The number of the next one that is held for a target.
  public long next(int target) {
    Held of = held.get(target);
    return of == null ? 0 : of.next;
  }

  private void count(byte[] recordKey, int delta) {
    int slot = RecordKey.slot(recordKey);
    long row = (long) slot << Integer.SIZE | RecordKey.keyspace(recordKey);
    ofSlot.merge(row, delta, (before, more) -> before + more == 0 ? null : before + more);
  }

  /// The keyspaces of which something is held of some slots, for whatever target.
  public SortedSet<Integer> keyspacesOfSlots(int first, int end) {
    SortedSet<Integer> keyspaces = new TreeSet<>();
    for (long row :
        ofSlot.subMap((long) first << Integer.SIZE, (long) end << Integer.SIZE).keySet()) {
      keyspaces.add((int) row);
    }
    return keyspaces;
  }

  /// Those of a target from a number on, in order; on a worker. One that cannot be read is passed
  /// over and stays.
  HintPage page(int target, long from, int limit, int maxBytes) {
    List<Hint> hints = new ArrayList<>();
    long next = from;
    int bytes = 0;
    int unreadable = 0;
    try (LsmIterator rows = lsm.iterator(family, IteratorOptions.all())) {
      byte[] end = row(target + 1, 0);
      for (rows.seek(row(target, from)); rows.valid(); rows.next()) {
        if (java.util.Arrays.compareUnsigned(rows.key(), end) >= 0) {
          return new HintPage(hints, Long.MAX_VALUE, unreadable);
        }
        if (hints.size() >= limit || bytes >= maxBytes) {
          return new HintPage(hints, next, unreadable);
        }
        long number = new ByteReader(rows.key(), 4, 8).readLong();
        next = number + 1;
        Hint hint = decoded(number, rows.value());
        if (hint == null) {
          unreadable++;
        } else {
          hints.add(hint);
          bytes += hint.bytes();
        }
      }
      return new HintPage(hints, Long.MAX_VALUE, unreadable);
    } catch (IOException e) {
      // What lies behind a block that cannot be read is found by its number.
      return past(target, next, hints, unreadable, limit);
    }
  }

  private HintPage past(int target, long from, List<Hint> hints, int unreadable, int limit) {
    int lost = unreadable;
    long number = from;
    for (; number < from + limit; number++) {
      try {
        byte[] value = lsm.get(family, row(target, number));
        Hint hint = value == null ? null : decoded(number, value);
        if (hint != null) {
          hints.add(hint);
        }
        lost += value != null && hint == null ? 1 : 0;
      } catch (IOException e) {
        lost++;
      }
    }
    return new HintPage(hints, number, lost);
  }

  private static @Nullable Hint decoded(long number, byte[] value) {
    try {
      return Hint.decode(number, value);
    } catch (DecodeException e) {
      return null;
    }
  }

  /// What is held of a key for a target, merged; null if nothing is. On a worker.
  ///
  /// @param sequence of the last write that readers may see
  @Nullable Siblings read(int target, byte[] recordKey, long sequence) throws IOException {
    Siblings merged = null;
    byte[] first = ofKey(target, recordKey, 0);
    try (LsmIterator rows = lsm.iterator(family, IteratorOptions.all().maxSequence(sequence))) {
      for (rows.seek(first); rows.valid() && rows.key().length == first.length; rows.next()) {
        byte[] row = rows.key();
        int numberAt = row.length - Long.BYTES;
        if (!java.util.Arrays.equals(row, 0, numberAt, first, 0, numberAt)) {
          break;
        }
        long number = new ByteReader(row, numberAt, Long.BYTES).readLong();
        byte[] value = lsm.get(family, row(target, number));
        if (value != null) {
          Hint hint = decoded(number, value);
          if (hint == null) {
            throw new UnreadableRecordException(
                "a write that is held for node %d (number %d) cannot be decoded"
                    .formatted(target, number));
          }
          Siblings record = hint.record();
          merged = merged == null ? record : Siblings.merged(merged, record);
        }
      }
    }
    return merged;
  }

  /// The target has some of a page, and the others were passed over.
  ///
  /// @param delivered those that it has
  public void delivered(int target, List<Hint> delivered) {
    Held of = java.util.Objects.requireNonNull(held.get(target));
    // The target takes them: the age of the rest counts anew.
    of.sinceNanos = UNSEEN;
    WriteBatch batch = new WriteBatch();
    for (Hint hint : delivered) {
      of.bytes -= hint.bytes();
      of.count--;
      count(hint.recordKey(), -1);
      batch.delete(family, ofKey(target, hint.recordKey(), hint.number()));
      batch.delete(family, row(target, hint.number()));
    }
    counted();
    if (batch.entries() > 0) {
      lsm.append(batch);
    }
  }
}
