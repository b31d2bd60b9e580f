package dev.tern.bench.engine;

import dev.tern.bench.engine.Engine.Written;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Tern's storage engine and RocksDB, workload after workload, in turns.
///
/// Workloads that begin with an empty store run once for each size of values. The others run on a
/// store that was loaded before, twice: with half of the cache's size in data, and with four times
/// its size. Each engine gets its seconds in turns: tern, rocksdb, rocksdb, tern, and so on.
public final class EngineBench {
  /// Turns of each engine: of about a second where nothing is left behind, so that a disturbance
  /// hits both; the median counts. Writes need longer ones.
  private static final int WRITING_TURNS = 2;

  private static final int MOST_TURNS = 12;

  private static final int AUDIT_READS = 2_000;
  private static final long SEED = 20_261_124;

  private final Options options;
  private final HiccupMeter meter;
  private final Report report;
  private int stores;

  private EngineBench(Options options, HiccupMeter meter, Report report) {
    this.options = options;
    this.meter = meter;
    this.report = report;
  }

  /// What to run.
  ///
  /// @param engines to compare, or one alone
  /// @param workloads empty for those usual for a size of values
  /// @param valueBytes sizes of values
  /// @param scenarios of the loaded stores
  /// @param seconds a workload and engine
  /// @param keys of the loaded stores, the cache following from them; 0: they follow from the cache
  /// @param cacheBytes of each engine
  /// @param memtableBytes after which a flush begins
  /// @param blockBytes of a data block before compression
  /// @param threads flushes and compactions at once, of each engine
  /// @param directory for the stores, which are deleted in the end
  public record Options(
      Set<EngineKind> engines,
      Set<Workload> workloads,
      List<Integer> valueBytes,
      Set<Scenario> scenarios,
      double seconds,
      int keys,
      long cacheBytes,
      long memtableBytes,
      int blockBytes,
      int threads,
      Path directory) {
    /// The longest that a workload may run, but for [LongFill].
    public static final int MOST_SECONDS = 60;

    public Options {
      if (engines.isEmpty() || valueBytes.isEmpty()) {
        throw new IllegalArgumentException("an engine and a size of values are needed");
      }
      if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
        throw new IllegalArgumentException("a workload runs up to 60 seconds, not " + seconds);
      }
      if (keys < 0 || cacheBytes < 1 || memtableBytes < 1 || blockBytes < 1 || threads < 1) {
        throw new IllegalArgumentException("sizes, keys and threads are positive");
      }
    }

    private Set<Workload> workloads(int bytes) {
      return workloads.isEmpty() ? Workload.usual(bytes) : workloads;
    }

    EngineOptions engine(String name, long cache) {
      return new EngineOptions(directory.resolve(name), cache, memtableBytes, blockBytes, threads);
    }
  }

  /// How much data there is beside the cache.
  public enum Scenario {
    /// Half of the cache: everything is in it.
    CACHED("cached", 1, 2),
    /// Four times the cache.
    LARGER("larger", 4, 1);

    private final String label;
    private final int dataParts;
    private final int cacheParts;

    Scenario(String label, int dataParts, int cacheParts) {
      this.label = label;
      this.dataParts = dataParts;
      this.cacheParts = cacheParts;
    }

    /// @throws IllegalArgumentException if there is none
    public static Scenario of(String label) {
      for (Scenario scenario : values()) {
        if (scenario.label.equals(label)) {
          return scenario;
        }
      }
      throw new IllegalArgumentException("cached or larger, not " + label);
    }

    int keys(Options options, int recordBytes) {
      long keys = options.cacheBytes() * dataParts / cacheParts / recordBytes;
      return options.keys() > 0 ? options.keys() : Math.clamp(keys, 1_000, 100_000_000);
    }

    long cacheBytes(Options options, int recordBytes) {
      return options.keys() > 0
          ? Math.max(64 << 10, (long) options.keys() * recordBytes * cacheParts / dataParts)
          : options.cacheBytes();
    }
  }

  /// Runs it, printing as it goes.
  ///
  /// @param json where to write all figures; null for nowhere
  /// @throws IllegalStateException if an engine gave a wrong answer
  public static void run(Options options, @Nullable Path json, PrintStream out) throws Exception {
    Report report = new Report(options, out);
    report.begin();
    try (HiccupMeter meter = HiccupMeter.start()) {
      EngineBench bench = new EngineBench(options, meter, report);
      for (int bytes : options.valueBytes()) {
        bench.runValues(bytes);
      }
    }
    report.end();
    if (json != null) {
      report.writeJson(json);
    }
  }

  private void runValues(int bytes) throws Exception {
    Set<Workload> workloads = options.workloads(bytes);
    for (Workload workload : workloads) {
      if (workload.isFresh()) {
        runFresh(workload, bytes);
      }
    }
    Set<Workload> loaded = EnumSet.noneOf(Workload.class);
    for (Workload workload : workloads) {
      if (!workload.isFresh()) {
        loaded.add(workload);
      }
    }
    if (!loaded.isEmpty()) {
      for (Scenario scenario : options.scenarios()) {
        runLoaded(scenario, loaded, bytes);
      }
    }
  }

  private EngineOptions storeOptions(EngineKind kind, Scenario scenario, int bytes) {
    long cache = scenario.cacheBytes(options, Records.KEY_BYTES + bytes);
    return options.engine(kind.label() + "-" + stores++, cache);
  }

  private long nanos() {
    return (long) (options.seconds() * TimeUnit.SECONDS.toNanos(1));
  }

  private void runFresh(Workload workload, int bytes) throws Exception {
    Map<EngineKind, Outcome> outcomes = new EnumMap<>(EngineKind.class);
    int keys = Scenario.LARGER.keys(options, Records.KEY_BYTES + bytes);
    for (EngineKind kind : options.engines()) {
      EngineOptions engine = storeOptions(kind, Scenario.LARGER, bytes);
      try (Store warm = new Store(kind, engine, new Records(keys, bytes, SEED))) {
        Workload easy = workload == Workload.QUEUE ? Workload.FILL_SEQUENTIAL : workload;
        new Trial(warm.engine(), easy, warm.records(), nanos() / 4, SEED).run(meter, new Outcome());
      }
      try (Store store = new Store(kind, engine, new Records(keys, bytes, SEED))) {
        Outcome outcome = new Outcome();
        Written before = store.engine().written();
        new Trial(store.engine(), workload, store.records(), nanos(), SEED).run(meter, outcome);
        store.settle(outcome);
        store.measure(outcome, userBytes(workload, store.records(), outcome), before);
        if (workload != Workload.QUEUE) {
          store.audit(AUDIT_READS);
        }
        outcomes.put(kind, outcome);
      }
    }
    report.add(workload.label(), workload.target(true), bytes, "-", outcomes);
  }

  private static long userBytes(Workload workload, Records records, Outcome outcome) {
    long record = records.recordBytes();
    if (workload == Workload.QUEUE) {
      int taken = Trial.queueTaken(records);
      return (taken + outcome.operations()) * (record + Records.KEY_BYTES);
    }
    return workload.writes()
        ? record
            * (workload.lanes() > workload.measuredLanes()
                ? outcome.besideOperations()
                : outcome.operations())
        : 0;
  }

  private void runLoaded(Scenario scenario, Set<Workload> workloads, int bytes) throws Exception {
    int keys = scenario.keys(options, Records.KEY_BYTES + bytes);
    List<Store> open = new ArrayList<>();
    try {
      Map<EngineKind, Outcome> loads = new EnumMap<>(EngineKind.class);
      for (EngineKind kind : options.engines()) {
        EngineOptions engine = storeOptions(kind, scenario, bytes);
        Store store = new Store(kind, engine, new Records(keys, bytes, SEED));
        open.add(store);
        loads.put(kind, store.load());
      }
      report.add("load (batches)", 0, bytes, scenario.label, loads);
      for (Workload workload : workloads) {
        double target = workload.target(scenario == Scenario.CACHED);
        report.add(workload.label(), target, bytes, scenario.label, inTurns(workload, open));
      }
      for (Store store : open) {
        store.audit(AUDIT_READS);
      }
    } finally {
      for (Store store : open) {
        store.close();
      }
    }
  }

  /// An engine's side of a workload.
  private record Side(Store store, Outcome outcome, Written before) {}

  private Map<EngineKind, Outcome> inTurns(Workload workload, List<Store> open) throws Exception {
    List<Side> sides = new ArrayList<>();
    for (Store store : open) {
      new Trial(store.engine(), workload, store.records(), nanos() / 4, SEED - 1)
          .run(meter, new Outcome());
      store.settle(new Outcome());
      sides.add(new Side(store, new Outcome(), store.engine().written()));
    }
    int turns =
        workload.writes() ? WRITING_TURNS : (int) Math.clamp(options.seconds(), 2, MOST_TURNS);
    for (int turn = 0; turn < turns; turn++) {
      for (Side side : turn % 2 == 0 ? sides : sides.reversed()) {
        Store store = side.store();
        new Trial(store.engine(), workload, store.records(), nanos() / turns, SEED + turn)
            .run(meter, side.outcome());
        if (workload.writes()) {
          store.settle(side.outcome());
        }
      }
    }
    Map<EngineKind, Outcome> outcomes = new EnumMap<>(EngineKind.class);
    for (Side side : sides) {
      Store store = side.store();
      long user = userBytes(workload, store.records(), side.outcome());
      store.measure(side.outcome(), user, side.before());
      outcomes.put(store.kind(), side.outcome());
    }
    return outcomes;
  }
}
