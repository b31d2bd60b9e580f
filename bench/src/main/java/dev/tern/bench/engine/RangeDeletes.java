package dev.tern.bench.engine;

import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.WriteBatch;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.runtime.SystemClock;
import dev.tern.runtime.Workers;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;

/// What deleted ranges cost reads of Tern's engine: gets and opened iterators, beside a column
/// family with the same records and no deleted range, in turns.
///
/// The ranges lie between the records, so all records are there throughout and both families answer
/// alike. *Disjoint* ranges have gaps between them, *nested* ones lie in each other, all around one
/// record.
public final class RangeDeletes {
  private static final int VALUE_BYTES = 100;
  private static final int TURNS = 10;
  private static final int GETS = 200_000;
  private static final int ITERATORS = 2_000;

  private final Lsm lsm;
  private final PrintStream out;
  private final int records;

  private RangeDeletes(Lsm lsm, PrintStream out, int records) {
    this.lsm = lsm;
    this.out = out;
    this.records = records;
  }

  /// Runs it, printing as it goes.
  ///
  /// @param ranges that are deleted, disjoint and nested
  /// @param directory for the store; what is made there stays
  /// @throws IllegalStateException if a record was not found
  public static void run(int records, int ranges, Path directory, PrintStream out)
      throws Exception {
    try (Workers workers = new Workers(2);
        Lsm lsm =
            Lsm.open(
                new DirectoryFileSystem(directory),
                workers,
                new SystemClock(),
                Randomness.of(1),
                "ranges",
                LsmOptions.ofMemory(1L << 30).withDurability(Durability.OS))) {
      RangeDeletes bench = new RangeDeletes(lsm, out, records);
      ColumnFamily plain = bench.filled("plain");
      ColumnFamily disjoint = bench.filled("disjoint");
      ColumnFamily nested = bench.filled("nested");
      lsm.flush();
      bench.turns(plain, plain, false);
      out.println(
          "processor us                    get             iterator        (plain beside it)");
      bench.compare("no ranges", plain, plain);
      bench.delete(disjoint, ranges, false);
      bench.compare(ranges + " disjoint, memtable", plain, disjoint);
      bench.delete(nested, ranges, true);
      bench.compare(ranges + " nested, memtable", plain, nested);
      lsm.flush();
      bench.compare(ranges + " disjoint, tables", plain, disjoint);
      bench.compare(ranges + " nested, tables", plain, nested);
    }
  }

  private ColumnFamily filled(String name) throws Exception {
    ColumnFamily family = lsm.columnFamily(name, CompactionStyle.LEVELED);
    SplittableRandom random = new SplittableRandom(7);
    WriteBatch batch = new WriteBatch();
    byte[] value = new byte[VALUE_BYTES];
    for (int i = 0; i < records; i++) {
      random.nextBytes(value);
      batch.put(family, key(16L * i), value);
      if (batch.entries() == 1000 || i == records - 1) {
        lsm.write(batch);
        batch.clear();
      }
    }
    return family;
  }

  /// Sixteen bytes; the first eight are the same for all.
  private static byte[] key(long number) {
    return ByteBuffer.allocate(16).putLong(0x7461626c652f6b65L).putLong(number).array();
  }

  private void delete(ColumnFamily family, int ranges, boolean nested) throws Exception {
    Histogram nanos = new Histogram(3);
    long began = System.nanoTime();
    // In an order that is not the keys': every hundredth record and its neighbours.
    for (int i = 0; i < ranges; i++) {
      long at = 16L * ((i * 61_803L) % ranges * (records / ranges)) + 1;
      byte[] from = nested ? deeper(i) : key(at);
      byte[] to = nested ? key(16L * (records / 2) + 14) : key(at + 14);
      long start = System.nanoTime();
      lsm.deleteRange(family, from, to);
      nanos.recordValue(System.nanoTime() - start);
    }
    out.printf(
        Locale.ROOT,
        "%d deletions in %d ms, each us: p50 %.1f  p99 %.1f  longest %.1f%n",
        ranges,
        (System.nanoTime() - began) / 1_000_000,
        nanos.getValueAtPercentile(50) / 1e3,
        nanos.getValueAtPercentile(99) / 1e3,
        nanos.getMaxValue() / 1e3);
  }

  /// Behind the middle record; each number gives a key behind those before.
  private byte[] deeper(int number) {
    return ByteBuffer.allocate(20).put(key(16L * (records / 2) + 1)).putInt(number).array();
  }

  private void compare(String what, ColumnFamily plain, ColumnFamily family) throws Exception {
    double[] figures = turns(plain, family, true);
    out.printf(
        Locale.ROOT,
        "%-30s  %6.2f (%6.2f)  %9.1f (%6.1f)%n",
        what,
        figures[1] / 1e3,
        figures[0] / 1e3,
        figures[3] / 1e3,
        figures[2] / 1e3);
  }

  /// Medians of processor nanoseconds over turns: get and iterator of the one, then of the other
  /// family.
  private double[] turns(ColumnFamily plain, ColumnFamily family, boolean quick) throws Exception {
    int turns = quick ? TURNS : 2 * TURNS;
    double[][] figures = new double[4][turns];
    for (int turn = 0; turn < turns; turn++) {
      for (int side = 0; side < 2; side++) {
        int which = (side + turn) % 2;
        ColumnFamily one = which == 0 ? plain : family;
        figures[which][turn] = gets(one, turn);
        figures[2 + which][turn] = iterators(one, turn);
      }
    }
    double[] medians = new double[4];
    for (int i = 0; i < 4; i++) {
      java.util.Arrays.sort(figures[i]);
      medians[i] = figures[i][turns / 2];
    }
    return medians;
  }

  /// Processor time of this thread: what else runs on the machine does not count.
  private static long nanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private double gets(ColumnFamily family, int seed) throws Exception {
    SplittableRandom random = new SplittableRandom(seed);
    long began = nanos();
    for (int i = 0; i < GETS; i++) {
      if (lsm.get(family, key(16L * random.nextInt(records))) == null) {
        throw new IllegalStateException("a record is missing");
      }
    }
    return (double) (nanos() - began) / GETS;
  }

  /// Opens one, finds a record and the next one.
  private double iterators(ColumnFamily family, int seed) throws Exception {
    SplittableRandom random = new SplittableRandom(seed);
    long began = nanos();
    for (int i = 0; i < ITERATORS; i++) {
      long at = 16L * random.nextInt(records - 1);
      try (LsmIterator rows = lsm.iterator(family, IteratorOptions.all())) {
        rows.seek(key(at));
        rows.next();
        if (!rows.valid()) {
          throw new IllegalStateException("a record is missing");
        }
      }
    }
    return (double) (nanos() - began) / ITERATORS;
  }
}
