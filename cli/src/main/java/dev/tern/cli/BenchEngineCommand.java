package dev.tern.cli;

import dev.tern.bench.engine.EngineBench;
import dev.tern.bench.engine.EngineKind;
import dev.tern.bench.engine.IngestBench;
import dev.tern.bench.engine.LongFill;
import dev.tern.bench.engine.OpeningBench;
import dev.tern.bench.engine.RangeDeletes;
import dev.tern.bench.engine.Workload;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The storage engine next to RocksDB.
@Command(
    name = "engine",
    description =
        "Runs the same workloads on Tern's storage engine and on RocksDB's Java binding, in turns,"
            + " and prints figures and ratios. A wrong answer ends it.",
    mixinStandardHelpOptions = true)
final class BenchEngineCommand implements Callable<Integer> {
  private static final long MIB = 1 << 20;

  @Option(
      names = "--workload",
      split = ",",
      description =
          "fill-sequential, fill-random, synced-put-8, queue, read-random, read-random-2,"
              + " read-missing, multiget-16, seek-10, scan-1000, reverse-scan-1000,"
              + " read-while-writing, overwrite (default all; four of them for large values)")
  private String[] workloads = {};

  @Option(
      names = "--values",
      split = ",",
      description = "bytes (default 100,1024,4096,65536; the long fill takes the first)")
  private List<Integer> values = List.of(100, 1024, 4096, 65_536);

  @Option(
      names = "--data",
      split = ",",
      description = "beside the cache: cached (half of it), larger (four times) (default both)")
  private String[] data = {"cached", "larger"};

  @Option(names = "--seconds", description = "a workload and engine, at most 60 (default 8)")
  private double seconds = 8;

  @Option(
      names = "--keys",
      description = "in a loaded store, the caches follow; 0: they follow from the cache")
  private int keys;

  @Option(names = "--cache-bytes", description = "of each engine (default 128 MiB)")
  private long cacheBytes = 128 * MIB;

  @Option(names = "--memtable-bytes", description = "after which a flush begins (default 64 MiB)")
  private long memtableBytes = 64 * MIB;

  @Option(names = "--block-bytes", description = "before compression (default 8192)")
  private int blockBytes = 8192;

  @Option(names = "--threads", description = "flushes and compactions at once (default 2)")
  private int threads = 2;

  @Option(names = "--only", description = "tern or rocksdb")
  private @Nullable String only;

  @Option(names = "--fill-minutes", description = "instead: a random fill so long of each, alone")
  private double fillMinutes;

  @Option(
      names = "--range-deletes",
      description = "instead: what so many deleted ranges cost reads of Tern's engine")
  private int rangeDeletes;

  @Option(
      names = "--ingest",
      description = "instead: MiB of rows in tables from outside, beside RocksDB")
  private int ingestMebibytes;

  @Option(
      names = "--openings",
      description = "instead: MiB in a store that is opened and closed, and how a new one begins")
  private int openedMebibytes;

  @Option(names = "--html", description = "the long fill's plot (default engine-fill.html)")
  private Path html = Path.of("engine-fill.html");

  @Option(names = "--json", description = "a file for all figures")
  private @Nullable Path json;

  @Option(names = "--dir", description = "for the stores (default a temporary one)")
  private @Nullable Path dir;

  @Override
  public Integer call() throws Exception {
    Path directory = dir != null ? dir : Files.createTempDirectory("tern-bench-engine");
    if (ingestMebibytes > 0) {
      IngestBench.run(ingestMebibytes, directory, System.out);
      return 0;
    }
    if (rangeDeletes > 0) {
      RangeDeletes.run(Math.max(1_000_000, rangeDeletes), rangeDeletes, directory, System.out);
      return 0;
    }
    Set<EngineKind> engines =
        only == null ? EnumSet.allOf(EngineKind.class) : EnumSet.of(EngineKind.of(only));
    Set<Workload> chosen = EnumSet.noneOf(Workload.class);
    for (String workload : workloads) {
      chosen.add(Workload.of(workload));
    }
    Set<EngineBench.Scenario> scenarios = EnumSet.noneOf(EngineBench.Scenario.class);
    for (String scenario : data) {
      scenarios.add(EngineBench.Scenario.of(scenario));
    }
    EngineBench.Options options =
        new EngineBench.Options(
            engines,
            Collections.unmodifiableSet(chosen),
            values,
            Collections.unmodifiableSet(scenarios),
            seconds,
            keys,
            cacheBytes,
            memtableBytes,
            blockBytes,
            threads,
            directory);
    if (openedMebibytes > 0) {
      OpeningBench.run(options, openedMebibytes, System.out);
    } else if (fillMinutes > 0) {
      LongFill.run(options, fillMinutes, html, System.out);
    } else {
      EngineBench.run(options, json, System.out);
    }
    if (dir == null) {
      Files.delete(directory);
    }
    return 0;
  }
}
