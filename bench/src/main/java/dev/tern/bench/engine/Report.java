package dev.tern.bench.engine;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The figures, as a table while they come and as JSON in the end. One thread.
final class Report {
  private static final double MIB = 1L << 20;

  @SuppressWarnings("InlineFormatString")
  private static final String COLUMNS =
      "%-18s %6s %-8s %-8s %10s %9s %9s %9s %10s %8s %8s %8s %5s %7s %8s %9s %6s %6s %s";

  private final EngineBench.Options options;
  private final PrintStream out;
  private final List<String> json = new ArrayList<>();
  private final List<String> targets = new ArrayList<>();

  Report(EngineBench.Options options, PrintStream out) {
    this.options = options;
    this.out = out;
  }

  /// Says what is compared, and the table's head.
  void begin() {
    out.printf(
        "Tern's lsm and rocksdbjni %s on %d processors: 16-byte keys, LZ4, Bloom 10 bits, memtables"
            + " %.0f MiB (up to %d), blocks %d bytes, indexes and filters in the cache, %d"
            + " background threads, page cache of the system under both%n",
        rocksVersion(),
        Runtime.getRuntime().availableProcessors(),
        options.memtableBytes() / MIB,
        EngineOptions.MEMTABLES,
        options.blockBytes(),
        options.threads());
    out.println(
        "latencies in us; beyond: ms of the longest operation that the machine did not withhold; hiccup: the longest it did;"
            + " cpu: the lanes' processor us an operation; wait: of the lanes' time, how much"
            + " others had the processor;"
            + " alloc: bytes an operation; settle: s until flushes and compactions were done;"
            + " disk: MiB of all files then, logs kept for use again among them; space: tables a byte of data; write: log, flushes and"
            + " compactions a byte of data; ratio rows: tern/rocksdb");
    row(
        "workload",
        "value",
        "data",
        "engine",
        "ops/s",
        "p50",
        "p99",
        "p99.9",
        "max",
        "beyond",
        "hiccup",
        "cpu",
        "wait",
        "alloc",
        "settle",
        "disk",
        "space",
        "write",
        "");
  }

  private static String rocksVersion() {
    org.rocksdb.RocksDB.loadLibrary();
    return String.valueOf(org.rocksdb.RocksDB.rocksdbVersion());
  }

  private void row(Object... cells) {
    out.println(String.format(Locale.ROOT, COLUMNS, cells).stripTrailing());
    out.flush();
  }

  /// Prints a workload's rows.
  ///
  /// @param target the ratio to reach, 0 for none
  /// @param data how much there was beside the cache
  void add(
      String workload, double target, int bytes, String data, Map<EngineKind, Outcome> outcomes) {
    outcomes.forEach(
        (kind, outcome) -> {
          printOutcome(workload, bytes, data, kind, outcome);
          json.add(json(workload, bytes, data, kind, outcome));
        });
    Outcome tern = outcomes.get(EngineKind.TERN);
    Outcome rocks = outcomes.get(EngineKind.ROCKSDB);
    if (tern != null && rocks != null) {
      printRatio(workload, target, bytes, data, tern, rocks);
    }
  }

  private void printOutcome(
      String workload, int bytes, String data, EngineKind kind, Outcome outcome) {
    String beside =
        outcome.besideOperations() == 0
            ? ""
            : String.format(Locale.ROOT, "beside %.0f writes/s", outcome.besidePerSecond());
    row(
        workload,
        bytes,
        data,
        kind.label(),
        String.format(Locale.ROOT, "%,.0f", outcome.perSecond()),
        micros(outcome.micros(50)),
        micros(outcome.micros(99)),
        micros(outcome.micros(99.9)),
        micros(outcome.maxMicros()),
        String.format(Locale.ROOT, "%.1f", outcome.beyondHiccupMillis()),
        String.format(Locale.ROOT, "%.1f", outcome.hiccupMillis()),
        micros(outcome.processorMicrosPerOperation()),
        String.format(Locale.ROOT, "%.0f%%", outcome.waitedPercent()),
        String.format(Locale.ROOT, "%.0f", outcome.allocatedPerOperation()),
        String.format(Locale.ROOT, "%.1f", outcome.settleSeconds()),
        String.format(Locale.ROOT, "%.1f", outcome.diskBytes() / MIB),
        String.format(Locale.ROOT, "%.2f", outcome.spaceAmplification()),
        String.format(Locale.ROOT, "%.2f", outcome.writeAmplification()),
        beside);
  }

  private static String micros(double micros) {
    return micros == 0 ? "" : String.format(Locale.ROOT, micros < 100 ? "%.2f" : "%.0f", micros);
  }

  private static String ratio(double tern, double rocks) {
    return rocks == 0 || tern == 0 ? "" : String.format(Locale.ROOT, "x%.2f", tern / rocks);
  }

  private void printRatio(
      String workload, double target, int bytes, String data, Outcome tern, Outcome rocks) {
    double ratio = tern.perSecond() / rocks.perSecond();
    String verdict =
        target == 0
            ? ""
            : String.format(
                Locale.ROOT, "target x%.0f %s", target, ratio >= target ? "reached" : "MISSED");
    row(
        "",
        "",
        "",
        "ratio",
        ratio(tern.perSecond(), rocks.perSecond()),
        ratio(tern.micros(50), rocks.micros(50)),
        ratio(tern.micros(99), rocks.micros(99)),
        ratio(tern.micros(99.9), rocks.micros(99.9)),
        ratio(tern.maxMicros(), rocks.maxMicros()),
        "",
        "",
        ratio(tern.processorMicrosPerOperation(), rocks.processorMicrosPerOperation()),
        "",
        ratio(tern.allocatedPerOperation(), rocks.allocatedPerOperation()),
        "",
        ratio((double) tern.diskBytes(), (double) rocks.diskBytes()),
        ratio(tern.spaceAmplification(), rocks.spaceAmplification()),
        ratio(tern.writeAmplification(), rocks.writeAmplification()),
        verdict);
    if (target > 0) {
      targets.add(
          String.format(
              Locale.ROOT,
              "%-20s %6d %-8s %5.2f of %.0f %s",
              workload,
              bytes,
              data,
              ratio,
              target,
              ratio >= target ? "reached" : "MISSED"));
    }
  }

  /// Says which targets were reached.
  void end() {
    if (!targets.isEmpty()) {
      out.println("targets of storage-engine.md, operations a second beside RocksDB's:");
      targets.forEach(line -> out.println("  " + line));
    }
  }

  private static String json(
      String workload, int bytes, String data, EngineKind kind, Outcome outcome) {
    return String.format(
        Locale.ROOT,
        "{\"workload\":\"%s\",\"valueBytes\":%d,\"data\":\"%s\",\"engine\":\"%s\","
            + "\"operations\":%d,\"seconds\":%.3f,\"opsPerSecond\":%.1f,"
            + "\"p50Micros\":%.3f,\"p99Micros\":%.3f,\"p999Micros\":%.3f,\"maxMicros\":%.3f,"
            + "\"beyondHiccupMillis\":%.3f,\"hiccupMillis\":%.3f,\"allocatedPerOperation\":%.1f,"
            + "\"processorMicrosPerOperation\":%.3f,\"waitedPercent\":%.1f,"
            + "\"besidePerSecond\":%.1f,\"settleSeconds\":%.3f,\"diskBytes\":%d,\"tableBytes\":%d,"
            + "\"spaceAmplification\":%.4f,\"logBytes\":%d,\"flushBytes\":%d,"
            + "\"compactionBytes\":%d,\"writeAmplification\":%.4f}",
        workload,
        bytes,
        data,
        kind.label(),
        outcome.operations(),
        outcome.runSeconds(),
        outcome.perSecond(),
        outcome.micros(50),
        outcome.micros(99),
        outcome.micros(99.9),
        outcome.maxMicros(),
        outcome.beyondHiccupMillis(),
        outcome.hiccupMillis(),
        outcome.allocatedPerOperation(),
        outcome.processorMicrosPerOperation(),
        outcome.waitedPercent(),
        outcome.besidePerSecond(),
        outcome.settleSeconds(),
        outcome.diskBytes(),
        outcome.tableBytes(),
        outcome.spaceAmplification(),
        outcome.written().logBytes(),
        outcome.written().flushBytes(),
        outcome.written().compactionBytes(),
        outcome.writeAmplification());
  }

  void writeJson(Path file) throws IOException {
    Files.writeString(file, "[\n" + String.join(",\n", json) + "\n]\n");
  }
}
