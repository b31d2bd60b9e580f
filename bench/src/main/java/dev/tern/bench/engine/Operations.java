package dev.tern.bench.engine;

import dev.tern.bench.engine.Engine.Cursor;
import dev.tern.bench.engine.Engine.Session;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The workloads' operations for one lane: its session, its random numbers, its arrays.
///
/// Keys and values are made in arrays that are used again, for both engines alike. Every answer is
/// glanced at, one in [#CHECK_EVERY] compared byte by byte.
final class Operations implements AutoCloseable {
  static final int MULTI_GET_KEYS = 16;
  static final int SCAN_RECORDS = 1000;
  static final int SEEK_RECORDS = 10;

  private static final int CHECK_EVERY = 64;
  private static final int LOAD_BATCH = 100;

  /// The writer beside readers: so many bytes a second, but not more records than this.
  private static final long BESIDE_BYTES_PER_SECOND = 8 << 20;

  private static final long BESIDE_PER_SECOND = 20_000;

  private final Session session;
  private final Records records;
  private final int lane;
  private final int lanes;
  private final SplittableRandom random;
  private final byte[] key = new byte[Records.KEY_BYTES];
  private final byte[] value;
  private final byte[] scratch;
  private final byte[][] keys = new byte[MULTI_GET_KEYS][Records.KEY_BYTES];
  private final int[] indexes = new int[MULTI_GET_KEYS];
  private @Nullable Cursor cursor;
  private int runs;
  private int filled;
  private long queueHead;
  private long queueTail;

  /// @param seed the same for both engines
  Operations(Session session, Records records, int lane, int lanes, long seed) {
    this.session = session;
    this.records = records;
    this.lane = lane;
    this.lanes = lanes;
    this.random = new SplittableRandom(seed + 1_000_003L * lane);
    this.value = new byte[records.valueBytes()];
    this.scratch = new byte[records.valueBytes()];
  }

  /// Writes all records once in scattered order, in batches, not synced.
  void load() throws Exception {
    int count = records.count();
    long stride = scatter(count);
    byte[][] batchKeys = {};
    byte[][] batchValues = {};
    long index = 0;
    for (int done = 0; done < count; done += batchKeys.length) {
      int size = Math.min(LOAD_BATCH, count - done);
      if (batchKeys.length != size) {
        batchKeys = new byte[size][Records.KEY_BYTES];
        batchValues = new byte[size][records.valueBytes()];
      }
      for (int i = 0; i < size; i++) {
        index = (index + stride) % count;
        records.key(index, batchKeys[i]);
        records.value(index, 1, batchValues[i]);
        records.acknowledge((int) index, 1);
      }
      session.putAll(batchKeys, batchValues);
    }
  }

  /// A step that visits all of `count` before it comes back.
  private static long scatter(int count) {
    long stride = (long) (count * 0.6180339887) | 1;
    while (gcd(stride, count) != 1) {
      stride += 2;
    }
    return stride;
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  /// Adds entries to the queue and takes most of them again.
  ///
  /// @param taken entries deleted in the end
  /// @param left entries that stay
  void fillQueue(Engine engine, int taken, int left) throws Exception {
    for (int i = 0; i < taken + left; i++) {
      enqueue();
    }
    engine.flush();
    for (int i = 0; i < taken; i++) {
      records.key(queueHead++, key);
      session.delete(key);
    }
  }

  Operation of(Workload workload) {
    return switch (workload) {
      case FILL_SEQUENTIAL -> () -> filled < records.count() && put(filled++, false);
      case FILL_RANDOM -> () -> filled++ < records.count() && put(anyIndex(), false);
      case SYNCED_PUT -> () -> put(ownIndex(), true);
      case QUEUE -> this::passQueue;
      case READ_RANDOM, READ_RANDOM_2 -> this::read;
      case READ_MISSING -> this::readMissing;
      case MULTI_GET -> this::multiGet;
      case SEEK_10 -> () -> scan(SEEK_RECORDS);
      case SCAN -> () -> scan(SCAN_RECORDS);
      case REVERSE_SCAN -> () -> scanBackwards(SCAN_RECORDS);
      case READ_WHILE_WRITING -> lane == 0 ? this::read : beside();
      case OVERWRITE -> () -> put(anyIndex(), false);
    };
  }

  private int anyIndex() {
    return random.nextInt(records.count());
  }

  /// One that no other lane writes.
  private int ownIndex() {
    return random.nextInt(records.count() / lanes) * lanes + lane;
  }

  private boolean put(int index, boolean sync) throws Exception {
    int generation = records.nextGeneration(index);
    records.key(index, key);
    records.value(index, generation, value);
    session.put(key, value, sync);
    records.acknowledge(index, generation);
    return true;
  }

  private Operation beside() {
    long perSecond = Math.min(BESIDE_PER_SECOND, BESIDE_BYTES_PER_SECOND / records.recordBytes());
    long intervalNanos = 1_000_000_000L / Math.max(1, perSecond);
    long[] due = {System.nanoTime()};
    return () -> {
      due[0] += intervalNanos;
      long early = due[0] - System.nanoTime();
      if (early > 500_000) {
        LockSupport.parkNanos(early);
      }
      return put(anyIndex(), false);
    };
  }

  private boolean read() throws Exception {
    int index = anyIndex();
    records.key(index, key);
    if (runs++ % CHECK_EVERY == 0) {
      int before = records.generation(index);
      records.check(index, before, session.get(key), scratch);
    } else {
      records.glance(index, session.get(key));
    }
    return true;
  }

  private boolean readMissing() throws Exception {
    int index = anyIndex();
    records.missingKey(index, key);
    if (session.get(key) != null) {
      throw records.wrong(index, "a value for the key behind it, which was never written");
    }
    return true;
  }

  private boolean multiGet() throws Exception {
    for (int i = 0; i < MULTI_GET_KEYS; i++) {
      indexes[i] = anyIndex();
      records.key(indexes[i], keys[i]);
    }
    List<byte[]> values = session.multiGet(keys);
    for (int i = 0; i < MULTI_GET_KEYS; i++) {
      records.glance(indexes[i], values.get(i));
    }
    if (runs++ % CHECK_EVERY == 0) {
      records.check(indexes[0], records.generation(indexes[0]), values.get(0), scratch);
    }
    return true;
  }

  private Cursor cursor() throws Exception {
    if (cursor == null) {
      cursor = session.cursor();
    }
    return cursor;
  }

  private boolean scan(int wanted) throws Exception {
    Cursor at = cursor();
    int many = Math.min(wanted, records.count());
    int from = random.nextInt(records.count() - many + 1);
    records.key(from, key);
    at.seek(key);
    for (int i = from; i < from + many; i++) {
      look(at, i);
      at.next();
    }
    return true;
  }

  private boolean scanBackwards(int wanted) throws Exception {
    Cursor at = cursor();
    int many = Math.min(wanted, records.count());
    int from = random.nextInt(records.count() - many + 1) + many - 1;
    records.key(from, key);
    at.seekForPrev(key);
    for (int i = from; i > from - many; i--) {
      look(at, i);
      at.prev();
    }
    return true;
  }

  private void look(Cursor at, int index) throws Exception {
    if (!at.valid()) {
      throw records.wrong(index, "the end of an iterator");
    }
    byte[] found = at.key();
    byte[] foundValue = at.value();
    records.glance(index, foundValue);
    if (runs++ % CHECK_EVERY == 0) {
      if (!records.isKey(index, found)) {
        throw records.wrong(index, "the key " + Records.index(found) + " in an iterator");
      }
      records.check(index, records.generation(index), foundValue, scratch);
    }
  }

  private void enqueue() throws Exception {
    records.key(queueTail, key);
    records.value(queueTail, 1, value);
    session.put(key, value, false);
    queueTail++;
  }

  private boolean passQueue() throws Exception {
    Cursor at = cursor();
    at.refresh();
    records.key(0, key);
    at.seek(key);
    if (!at.valid() || !records.isKey(queueHead, at.key())) {
      throw records.wrong(queueHead, "another start of the queue");
    }
    records.glance(queueHead, at.value());
    records.key(queueHead, key);
    session.delete(key);
    queueHead++;
    enqueue();
    return true;
  }

  /// Reads random keys and demands exactly what was acknowledged last, or nothing.
  void audit(int reads) throws Exception {
    for (int i = 0; i < reads; i++) {
      int index = anyIndex();
      records.key(index, key);
      byte[] found = session.get(key);
      int generation = records.generation(index);
      if (generation > 0) {
        records.value(index, generation, scratch);
        if (!java.util.Arrays.equals(scratch, found)) {
          throw records.wrong(index, "something else than was written last");
        }
      } else if (found != null) {
        throw records.wrong(index, "a value, though it was never written");
      }
    }
  }

  @Override
  public void close() throws IOException {
    if (cursor != null) {
      cursor.close();
    }
    session.close();
  }
}
