package dev.tern.runtime;

import dev.tern.env.FileSystem;
import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.LsmStatistics;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/// Another process, with a small heap, in which one thread does all that a store does, its jobs
/// among it, and a meter is read in the middle of everything.
///
/// Each reading is compared with what the store says that it holds, and with its budget.
final class MeteredStore {
  static final long BUDGET_BYTES = 24L << 20;
  private static final int FAMILIES = 1000;
  private static final int LARGE_BYTES = 300_000;

  /// What a reading may be off: what the JVM itself takes in between.
  private static final long TOLERANCE_BYTES = 768 << 10;

  private final Path directory;
  private final MemoryMeter meter = new MemoryMeter();
  private final Random random = new Random(1);
  private final Jobs jobs = new Jobs();
  private final List<String> wrong = new ArrayList<>();
  private final byte[] noise = new byte[4 << 20];
  private Lsm lsm;
  private List<ColumnFamily> families = List.of();

  /// What the JVM took before the store.
  private long before;

  /// Whether nothing is held that the budget does not bound.
  private boolean bounded;

  /// Parts that the meter would have missed had they not been counted.
  private final Set<String> missed = new TreeSet<>();

  private int readings;
  private long mostOff;
  private long mostHeld;
  private long mostMeasured;
  private LsmStatistics.Memory atMost;

  private MeteredStore(Path directory) {
    this.directory = directory;
    random.nextBytes(noise);
  }

  /// Jobs wait until the one thread runs them.
  private static final class Jobs implements Offload {
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();

    @Override
    public <T> void offload(Job<T> job, Completion<T> completion) {
      waiting.add(
          () -> {
            T result = null;
            Throwable failure = null;
            try {
              result = job.run();
            } catch (Exception e) {
              failure = e;
            }
            completion.complete(result, failure);
          });
    }

    @Override
    public void pause(long nanos) {
      // Nobody else would get on meanwhile.
    }

    void runAll() {
      while (!waiting.isEmpty()) {
        waiting.poll().run();
      }
    }
  }

  /// Reads the meter now and then, where a file is read or written.
  private final class MeteredFiles extends UnforcedFiles {
    private int calls;

    MeteredFiles(FileSystem files) {
      super(files);
    }

    @Override
    void touched() {
      if (++calls % 97 == 0) {
        read("in the middle of call " + calls);
      }
    }
  }

  private void read(String when) {
    if (lsm == null || before == 0) {
      return;
    }
    LsmStatistics.Memory memory = lsm.statistics().memory();
    long measured = meter.bytes() - before;
    long held = memory.held();
    readings++;
    mostMeasured = Math.max(mostMeasured, measured);
    if (held > mostHeld) {
      mostHeld = held;
      atMost = memory;
    }
    mostOff = Math.max(mostOff, Math.abs(measured - held));
    parts(memory)
        .forEach(
            (part, bytes) -> {
              if (Math.abs(measured - held + bytes) > TOLERANCE_BYTES) {
                missed.add(part);
              }
            });
    if (Math.abs(measured - held) > TOLERANCE_BYTES) {
      wrong.add(
          "%s: %,d bytes measured, %,d counted (%s): %s"
              .formatted(when, measured, held, meter, memory));
    }
    if (bounded && measured > BUDGET_BYTES + TOLERANCE_BYTES) {
      wrong.add("%s: %,d bytes measured: %s".formatted(when, measured, memory));
    }
  }

  private static Map<String, Long> parts(LsmStatistics.Memory memory) {
    return Map.of(
        "memtables", memory.memtables(),
        "cache", memory.cache(),
        "buffers", memory.buffers(),
        "tables", memory.tables(),
        "jobs", memory.jobs(),
        "log", memory.log());
  }

  private void open(String store, FileSystem files) throws IOException {
    LsmOptions options = LsmOptions.ofMemory(BUDGET_BYTES).withDurability(Durability.NONE);
    lsm = Lsm.open(files, jobs, new SystemClock(), Randomness.of(1), store, options);
  }

  private void create(int count) throws IOException {
    List<ColumnFamily> made = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      made.add(lsm.columnFamily("family-" + i, CompactionStyle.values()[i % 2]));
      if (i % 250 == 249) {
        read("family " + i);
      }
    }
    families = made;
  }

  private byte[] value(int number) {
    int length = number % 3 == 0 ? LARGE_BYTES : 100 + number * 37 % 5000;
    int from = number * 131 % (noise.length - length);
    return Arrays.copyOfRange(noise, from, from + length);
  }

  private ColumnFamily family(int number) {
    // Half of what is written goes to a few families, which are compacted again and again.
    return families.get((number % 2 == 0 ? number % 7 : number) % families.size());
  }

  private static byte[] key(int number) {
    return ByteBuffer.allocate(8).putInt(number * 0x9e3779b9).putInt(number).array();
  }

  private void write(int number) throws IOException {
    while (lsm.pressure().refused()) {
      jobs.runAll();
    }
    lsm.append(new WriteBatch().put(family(number), key(number), value(number)));
    if (number % 4 == 0) {
      lsm.flushLog();
    }
    if (number % 60 == 0) {
      jobs.runAll();
    }
  }

  private void check(int number) throws IOException {
    byte[] found = lsm.get(family(number), key(number));
    if (!Arrays.equals(value(number), found)) {
      wrong.add("value " + number + " is not what was written");
    }
  }

  /// @param held iterators that stay open, each with memtables and blocks that are not bounded
  private void use(int from, int writes, int held) throws IOException {
    ArrayDeque<LsmIterator> open = new ArrayDeque<>();
    bounded = held == 0;
    for (int i = from; i < writes; i++) {
      write(i);
      if (i % 5 == 0) {
        check(random.nextInt(i + 1));
      }
      if (i % 40 == 0) {
        LsmIterator rows = lsm.iterator(family(i), IteratorOptions.all());
        rows.seekToFirst();
        open.add(rows);
      }
      if (open.size() > held) {
        open.poll().close();
      }
      if (i % 25 == 0) {
        read("write " + i);
      }
    }
    while (!open.isEmpty()) {
      open.poll().close();
    }
    jobs.runAll();
    for (int i = 0; i < writes; i += 7) {
      check(i);
    }
    read("after all writes");
  }

  private void close() throws IOException {
    lsm.close();
    lsm = null;
    families = List.of();
    jobs.runAll();
  }

  private void run() throws IOException {
    DirectoryFileSystem files = new DirectoryFileSystem(directory);
    open("first", new UnforcedFiles(files)); // Loads all classes.
    create(20);
    use(0, 200, 3);
    close();
    for (int i = 0; i < 3; i++) {
      before = meter.bytes(); // One collection lets go of what the next one frees.
    }
    open("store", new MeteredFiles(files));
    read("empty");
    create(FAMILIES);
    use(0, 800, 0);
    use(800, 1200, 3);
    lsm.close();
    lsm = null;
    families = List.of();
    jobs.runAll();
    long left = meter.bytes() - before;
    if (Math.abs(left) > TOLERANCE_BYTES) {
      wrong.add("%,d bytes are left of a store that was closed (%s)".formatted(left, meter));
    }
  }

  /// @param args the directory
  public static void main(String[] args) throws IOException {
    MeteredStore store = new MeteredStore(Path.of(args[0]));
    store.run();
    store.wrong.stream().limit(20).forEach(System.out::println);
    System.out.printf(
        "%d wrong, %d readings, missed %s, at most %d held, %d measured, %d off, %s%n",
        store.wrong.size(),
        store.readings,
        store.missed,
        store.mostHeld,
        store.mostMeasured,
        store.mostOff,
        store.atMost);
    System.exit(store.wrong.isEmpty() ? 0 : 1);
  }
}
