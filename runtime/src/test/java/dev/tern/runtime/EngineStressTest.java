package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Compression;
import dev.tern.lsm.Durability;
import dev.tern.lsm.FamilyOptions;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.Snapshot;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Writers, readers, iterators, snapshots, flushes, compactions and checkpoints at once, on real
/// threads and files, with a cache that is always too small.
///
/// A batch sets a pair of keys to one number in each of two families, never a smaller one than
/// before; a value says its key and is filled from its number. So a reader sees by itself whether
/// it got another's bytes, half a batch, or an older state than before.
class EngineStressTest {
  private static final int PAIRS = 600;
  private static final int READERS = 20_000;
  private static final int SECONDS = 2 * Integer.getInteger("proof", 1);

  @TempDir Path directory;
  private Lsm lsm;
  private ColumnFamily first;
  private ColumnFamily second;
  private int checkpoints;
  private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final LongAdder operations = new LongAdder();
  private volatile boolean stop;

  private static byte[] key(int pair, int half) {
    return ByteBuffer.allocate(12).putInt(half).putLong(pair * 0x9e3779b97f4a7c15L).array();
  }

  private static byte[] value(byte[] key, long number) {
    ByteBuffer value = ByteBuffer.allocate(20 + (int) (number * 7 % 300));
    value.put(key).putLong(number);
    while (value.hasRemaining()) {
      value.put((byte) (number + value.position()));
    }
    return value.array();
  }

  /// The number a value was made from; 0 for none.
  private static long number(byte[] key, byte[] value) {
    if (value == null) {
      return 0;
    }
    long number = ByteBuffer.wrap(value).getLong(12);
    assertEquals(ByteBuffer.wrap(value(key, number)), ByteBuffer.wrap(value), "foreign bytes");
    return number;
  }

  private interface Work {
    void run(Random random) throws IOException;
  }

  private Thread worker(int number, Work work) {
    Random random = new Random(number);
    Thread thread =
        new Thread(
            () -> {
              try {
                while (!stop && failures.isEmpty()) {
                  work.run(random);
                  operations.increment();
                }
              } catch (Throwable e) {
                failures.add(e);
              }
            });
    thread.start();
    return thread;
  }

  /// A writer owns the pairs that leave its number.
  private Work writer(int number) {
    long[] numbers = new long[PAIRS];
    return random -> {
      int pair = random.nextInt(PAIRS / 2) * 2 + number;
      WriteBatch batch = new WriteBatch();
      long next = ++numbers[pair];
      for (ColumnFamily family : new ColumnFamily[] {first, second}) {
        for (int half = 0; half < 2; half++) {
          byte[] key = key(pair, half);
          batch.put(family, key, value(key, next));
        }
      }
      lsm.write(batch, random.nextInt(200) == 0 ? Durability.SYNC : Durability.OS);
    };
  }

  private Work reader() {
    long[] seen = new long[PAIRS];
    return random -> {
      int pair = random.nextInt(PAIRS);
      ColumnFamily family = random.nextBoolean() ? first : second;
      byte[] left = key(pair, 0);
      byte[] right = key(pair, 1);
      long before = seen[pair];
      long now;
      if (random.nextBoolean()) {
        byte[][] both = lsm.multiGet(family, new byte[][] {left, right});
        now = number(left, both[0]);
        assertEquals(now, number(right, both[1]), "half a batch");
      } else {
        now = number(left, lsm.get(family, left));
        byte[] lent =
            lsm.read(
                family,
                right,
                (memory, offset, length) ->
                    memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
        assertTrue(number(right, lent) >= now, "half a batch");
      }
      assertTrue(now >= before, "an older state than before");
      seen[pair] = now;
    };
  }

  /// Walks both halves, forward or backward, at one moment: they agree.
  private Work walker(boolean atSnapshot) {
    return random -> {
      ColumnFamily family = random.nextBoolean() ? first : second;
      try (Snapshot snapshot = atSnapshot ? lsm.snapshot() : null) {
        IteratorOptions all = IteratorOptions.all();
        try (LsmIterator iterator =
            lsm.iterator(family, snapshot == null ? all : all.at(snapshot))) {
          List<Long> numbers = random.nextBoolean() ? forward(iterator) : backward(iterator);
          int half = numbers.size() / 2;
          assertEquals(numbers.subList(0, half), numbers.subList(half, numbers.size()));
        }
      }
    };
  }

  private static List<Long> forward(LsmIterator iterator) throws IOException {
    List<Long> numbers = new ArrayList<>();
    for (iterator.seekToFirst(); iterator.valid(); iterator.next()) {
      numbers.add(number(iterator.key(), iterator.value()));
    }
    return numbers;
  }

  private static List<Long> backward(LsmIterator iterator) throws IOException {
    List<Long> numbers = new ArrayList<>();
    for (iterator.seekToLast(); iterator.valid(); iterator.prev()) {
      numbers.add(number(iterator.key(), iterator.value()));
    }
    return numbers;
  }

  private void upkeep(Random random) throws IOException {
    switch (random.nextInt(4)) {
      case 0 -> lsm.flush();
      case 1 -> assertTrue(lsm.statistics().memory().buffers() >= 0);
      case 2 -> lsm.verify();
      default -> {
        String path = "checkpoint-" + checkpoints++;
        lsm.checkpoint(path);
        try (Workers workers = new Workers(2);
            Lsm copy =
                Lsm.openReadOnly(
                    new DirectoryFileSystem(directory),
                    workers,
                    new SystemClock(),
                    path,
                    LsmOptions.DEFAULT)) {
          ColumnFamily left = copy.columnFamily("first", CompactionStyle.LEVELED);
          ColumnFamily right = copy.columnFamily("second", CompactionStyle.SIZE_TIERED);
          for (int pair = 0; pair < PAIRS; pair++) {
            long now = number(key(pair, 0), copy.get(left, key(pair, 0)));
            assertEquals(now, number(key(pair, 1), copy.get(right, key(pair, 1))));
          }
        }
      }
    }
  }

  @Test
  void everybodySeesWholeBatchesInOrder() throws Exception {
    run(48 << 10, 16);
  }

  /// Tables are opened and closed all the time, under those who look into them.
  @Test
  void tablesAreClosedUnderReaders() throws Exception {
    run(48 << 10, 1);
  }

  /// Memtables so large that they take chunks which others used before them.
  @Test
  void arraysOfOldMemtablesAreUsedAgainUnderReaders() throws Exception {
    run(700 << 10, 16);
  }

  /// As services call it with Java 25: a virtual thread for each request, some of which take their
  /// time with what is lent to them.
  @Test
  void noReaderIsRefused() throws Exception {
    try (Workers workers = new Workers(2)) {
      LsmOptions options =
          LsmOptions.DEFAULT.withTuning(
              new LsmOptions.Tuning(1 << 20, 96 << 10, 512, 1 << 20, LsmBug.NONE));
      DirectoryFileSystem files = new DirectoryFileSystem(directory);
      lsm = Lsm.open(files, workers, new SystemClock(), Randomness.of(1), "virtual", options);
      first = lsm.columnFamily("first", FamilyOptions.DEFAULT);
      WriteBatch batch = new WriteBatch();
      for (int pair = 0; pair < PAIRS; pair++) {
        batch.put(first, key(pair, 0), value(key(pair, 0), pair + 1));
      }
      lsm.write(batch);
      lsm.flush();
      CountDownLatch all = new CountDownLatch(READERS);
      for (int i = 0; i < READERS; i++) {
        byte[] key = key(i % PAIRS, 0);
        long wanted = i % PAIRS + 1;
        boolean slow = i % 4 == 0;
        Thread.ofVirtual().start(() -> readOnce(key, wanted, slow ? all : null, all));
      }
      assertTrue(all.await(60, TimeUnit.SECONDS), "readers are stuck");
      assertTrue(failures.isEmpty(), () -> failures.size() + ": " + failures.peek());
      lsm.close();
    }
  }

  /// @param until nobody waits for it to end, but a slow reader holds its loan until then
  private void readOnce(byte[] key, long wanted, CountDownLatch until, CountDownLatch all) {
    try {
      assertEquals(wanted, number(key, lsm.get(first, key)));
      byte[] lent =
          lsm.read(
              first,
              key,
              (memory, offset, length) -> {
                all.countDown();
                if (until != null) {
                  awaitEnd(until);
                }
                return memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
              });
      assertEquals(wanted, number(key, lent));
    } catch (Throwable e) {
      failures.add(e);
      all.countDown();
    }
  }

  private static void awaitEnd(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run(int memtableBytes, int openTables) throws Exception {
    try (Workers workers = new Workers(3)) {
      LsmOptions options =
          LsmOptions.DEFAULT.withTuning(
              new LsmOptions.Tuning(memtableBytes, 96 << 10, 512, 16 << 10, LsmBug.NONE)
                  .withOpenTables(openTables));
      open(workers, options);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        threads.add(worker(threads.size(), writer(i)));
        threads.add(worker(threads.size(), reader()));
        threads.add(worker(threads.size(), walker(i == 0)));
      }
      threads.add(worker(threads.size(), this::upkeep));
      await(threads.getFirst());
      stop = true;
      for (Thread thread : threads) {
        thread.join(TimeUnit.SECONDS.toMillis(60));
        assertTrue(!thread.isAlive(), () -> "stuck: " + List.of(thread.getStackTrace()));
      }
      lsm.close();
      if (!failures.isEmpty()) {
        throw new AssertionError(failures.size() + " failed", failures.peek());
      }
      assertTrue(operations.sum() > 500, "hardly anything happened: " + operations);
    }
  }

  /// Until time and work are done: on a busy machine the time alone says little.
  private void await(Thread writer) throws InterruptedException {
    long start = System.nanoTime();
    while (failures.isEmpty()
        && (System.nanoTime() - start < TimeUnit.SECONDS.toNanos(SECONDS)
            || lsm.statistics().flushes() < 4
            || lsm.statistics().compactions() < 1)) {
      assertTrue(
          System.nanoTime() - start < TimeUnit.SECONDS.toNanos(SECONDS + 60), "nothing is merged");
      writer.join(50);
    }
  }

  /// The store is closed under readers, walkers and writers: each of them fails cleanly, and the
  /// directory can be opened again at once.
  @Test
  void aStoreIsClosedBesideItsUsers() throws Exception {
    LsmOptions options =
        LsmOptions.DEFAULT.withTuning(
            new LsmOptions.Tuning(48 << 10, 96 << 10, 512, 16 << 10, LsmBug.NONE));
    try (Workers workers = new Workers(3)) {
      for (int round = 0; round < 12; round++) {
        stop = false;
        open(workers, options);
        put(new Random(round));
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          threads.add(worker(threads.size(), untilClosed(this::getSome)));
        }
        threads.add(worker(threads.size(), untilClosed(walker(true))));
        threads.add(worker(threads.size(), untilClosed(walker(false))));
        threads.add(worker(threads.size(), untilClosed(this::put)));
        threads.getFirst().join(60);
        lsm.close();
        lsm.close();
        for (Thread thread : threads) {
          thread.join(TimeUnit.SECONDS.toMillis(60));
          assertTrue(!thread.isAlive(), () -> "stuck: " + List.of(thread.getStackTrace()));
        }
        if (!failures.isEmpty()) {
          throw new AssertionError("round " + round, failures.peek());
        }
        Lsm gone = lsm;
        assertThrows(IllegalStateException.class, gone::snapshot);
        assertThrows(IllegalStateException.class, () -> gone.get(first, key(1, 0)));
        assertThrows(
            IllegalStateException.class, () -> gone.multiGet(first, new byte[][] {key(1, 0)}));
        assertThrows(
            IllegalStateException.class, () -> gone.iterator(first, IteratorOptions.all()));
        assertThrows(IllegalStateException.class, () -> gone.write(new WriteBatch()));
        assertThrows(IllegalStateException.class, gone::flush);
        assertThrows(IllegalStateException.class, gone::verify);
        assertThrows(
            IllegalStateException.class, () -> gone.columnFamily("x", FamilyOptions.DEFAULT));
      }
    }
  }

  private void put(Random random) throws IOException {
    int pair = random.nextInt(PAIRS);
    long number = 1 + random.nextInt(1000);
    WriteBatch batch = new WriteBatch();
    for (int half = 0; half < 2; half++) {
      byte[] key = key(pair, half);
      byte[] value = value(key, number);
      batch.put(first, key, value).put(second, key, value);
    }
    lsm.write(batch, Durability.OS);
  }

  private void getSome(Random random) throws IOException {
    byte[] key = key(random.nextInt(PAIRS), random.nextInt(2));
    number(key, lsm.get(random.nextBoolean() ? first : second, key));
  }

  /// A worker that goes home when the store is closed.
  private Work untilClosed(Work work) {
    return random -> {
      try {
        work.run(random);
      } catch (IllegalStateException e) {
        stop = true;
      }
    };
  }

  private void open(Workers workers, LsmOptions options) throws IOException {
    lsm =
        Lsm.open(
            new DirectoryFileSystem(directory),
            workers,
            new SystemClock(),
            Randomness.of(1),
            "store",
            options);
    first = lsm.columnFamily("first", FamilyOptions.DEFAULT);
    second =
        lsm.columnFamily(
            "second", new FamilyOptions(CompactionStyle.SIZE_TIERED, Compression.NONE, 0, 0));
  }
}
