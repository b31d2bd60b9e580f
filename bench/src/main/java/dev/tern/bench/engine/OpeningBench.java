package dev.tern.bench.engine;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What the start and the end of a store cost: the first writes to a new store, the close, and the
/// opening of a store that was closed, of each engine in turns.
///
/// The files are in the page cache, so an opening shows what the engine does and not what the disk
/// does.
public final class OpeningBench {
  private static final int TURNS = 7;
  private static final int VALUE_BYTES = 100;
  private static final int NEW_STORES = 5;

  /// The writes to a new store that count as its start.
  private static final int FIRST_WRITES = 50_000;

  private static final double MILLI = 1e6;

  private final EngineBench.Options options;
  private final Records records;
  private final Map<EngineKind, List<double[]>> starts = new EnumMap<>(EngineKind.class);
  private final Map<EngineKind, List<double[]>> openings = new EnumMap<>(EngineKind.class);

  private OpeningBench(EngineBench.Options options, int mebibytes) {
    this.options = options;
    int count = (int) (((long) mebibytes << 20) / (Records.KEY_BYTES + VALUE_BYTES));
    this.records = new Records(Math.max(count, FIRST_WRITES), VALUE_BYTES, 5);
    for (EngineKind kind : options.engines()) {
      starts.put(kind, new ArrayList<>());
      openings.put(kind, new ArrayList<>());
    }
  }

  /// Runs it, printing in the end.
  ///
  /// @param mebibytes of keys and values in the stores that are opened
  /// @throws IllegalStateException if a record was not found
  public static void run(EngineBench.Options options, int mebibytes, PrintStream out)
      throws Exception {
    OpeningBench bench = new OpeningBench(options, mebibytes);
    for (int turn = 0; turn < NEW_STORES; turn++) {
      for (EngineKind kind : options.engines()) {
        bench.start(kind, turn);
      }
    }
    for (EngineKind kind : options.engines()) {
      bench.fill(kind);
    }
    for (int turn = 0; turn < TURNS; turn++) {
      for (EngineKind kind : options.engines()) {
        bench.open(kind);
      }
    }
    for (EngineKind kind : options.engines()) {
      Store.delete(bench.full(kind).directory());
    }
    out.println("milliseconds: median (longest)");
    heads(out, "a new store", "open", "longest write", "close");
    bench.print(bench.starts, out);
    heads(out, "a store of " + mebibytes + " MiB", "open", "first get", "close");
    bench.print(bench.openings, out);
  }

  private static void heads(PrintStream out, String... heads) {
    out.printf("%-26s  %18s  %18s  %18s%n", (Object[]) heads);
  }

  private void print(Map<EngineKind, List<double[]>> figures, PrintStream out) {
    for (Map.Entry<EngineKind, List<double[]>> each : figures.entrySet()) {
      out.printf("%-26s", each.getKey().label());
      for (int i = 0; i < 3; i++) {
        int which = i;
        double[] sorted = each.getValue().stream().mapToDouble(turn -> turn[which]).toArray();
        Arrays.sort(sorted);
        out.printf(
            Locale.ROOT, "  %8.1f (%7.1f)", sorted[sorted.length / 2], sorted[sorted.length - 1]);
      }
      out.println();
    }
  }

  /// Milliseconds of the opening, of the longest of the first writes, and of the close.
  private void start(EngineKind kind, int turn) throws Exception {
    EngineOptions here = options.engine(kind.label() + "-new-" + turn, options.cacheBytes());
    long began = System.nanoTime();
    long closing;
    long longest = 0;
    long opened;
    try (Engine engine = kind.open(here)) {
      opened = System.nanoTime();
      longest = longestOf(engine, FIRST_WRITES);
      closing = System.nanoTime();
    }
    long ended = System.nanoTime();
    Store.delete(here.directory());
    note(starts, kind, opened - began, longest, ended - closing);
  }

  private long longestOf(Engine engine, int count) throws Exception {
    byte[] key = new byte[Records.KEY_BYTES];
    byte[] value = new byte[VALUE_BYTES];
    long longest = 0;
    try (Engine.Session session = engine.session()) {
      for (int i = 0; i < count; i++) {
        records.key(i, key);
        records.value(i, 1, value);
        long before = System.nanoTime();
        session.put(key, value, false);
        longest = Math.max(longest, System.nanoTime() - before);
      }
    }
    return longest;
  }

  private EngineOptions full(EngineKind kind) {
    return options.engine(kind.label() + "-full", options.cacheBytes());
  }

  private void fill(EngineKind kind) throws Exception {
    try (Engine engine = kind.open(full(kind))) {
      longestOf(engine, records.count());
      engine.flush();
      engine.awaitIdle();
    }
  }

  /// Milliseconds of the opening, of the first read, and of the close.
  private void open(EngineKind kind) throws Exception {
    byte[] key = new byte[Records.KEY_BYTES];
    records.key(records.count() / 2, key);
    long began = System.nanoTime();
    long opened;
    long read;
    try (Engine engine = kind.open(full(kind))) {
      opened = System.nanoTime();
      try (Engine.Session session = engine.session()) {
        records.glance(records.count() / 2, session.get(key));
      }
      read = System.nanoTime();
    }
    note(openings, kind, opened - began, read - opened, System.nanoTime() - read);
  }

  private static void note(
      Map<EngineKind, List<double[]>> figures, EngineKind kind, long one, long two, long three) {
    List<double[]> turns = figures.get(kind);
    if (turns != null) {
      turns.add(new double[] {one / MILLI, two / MILLI, three / MILLI});
    }
  }
}
