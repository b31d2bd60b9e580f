package dev.tern.bench.engine;

import dev.tern.bench.engine.Engine.Written;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/// One long random fill of each engine, alone, with what each second of it was like.
public final class LongFill {
  /// A write that takes longer, beyond what the machine withheld, is a stall.
  static final long STALL_NANOS = 100_000_000;

  private static final int USUAL_KEYS = 50_000_000;
  private static final int AUDIT_READS = 20_000;
  private static final long SEED = 10_000_000_019L;

  private LongFill() {}

  /// A write that took too long.
  ///
  /// @param atNanos since the fill began
  /// @param tookNanos all of it
  /// @param beyondNanos what the machine did not withhold
  record Stall(long atNanos, long tookNanos, long beyondNanos) {}

  /// What a fill was like.
  ///
  /// @param kind of the engine
  /// @param operations done in each second
  /// @param worstNanos longest write of each second
  /// @param hiccupNanos longest hiccup of the machine in each second
  /// @param stalls longer than [#STALL_NANOS], whoever was to blame
  /// @param nanos latencies of all writes
  /// @param outcome sizes and bytes written
  record Series(
      EngineKind kind,
      long[] operations,
      long[] worstNanos,
      long[] hiccupNanos,
      List<Stall> stalls,
      Histogram nanos,
      Outcome outcome) {
    double perSecond() {
      return outcome.perSecond();
    }

    long longestBeyondNanos() {
      return stalls.stream().mapToLong(Stall::beyondNanos).max().orElse(0);
    }

    long stallsBeyond() {
      return stalls.stream().filter(stall -> stall.beyondNanos() > STALL_NANOS).count();
    }

    /// Operations of the `percent` th slowest second.
    long secondAt(double percent) {
      long[] sorted = operations.clone();
      java.util.Arrays.sort(sorted);
      return sorted[(int) Math.min(sorted.length - 1, sorted.length * percent / 100)];
    }
  }

  /// Each engine fills another store first: what a JVM must load and compile for it is no stall of
  /// the engine.
  private static final long WARM_UP_NANOS = 10_000_000_000L;

  /// Fills the engines one after the other and plots both.
  ///
  /// @param minutes for each engine
  /// @param html where the plot goes
  /// @throws IllegalStateException if an engine gave a wrong answer
  public static void run(EngineBench.Options options, double minutes, Path html, PrintStream out)
      throws Exception {
    int keys = options.keys() > 0 ? options.keys() : USUAL_KEYS;
    int bytes = options.valueBytes().getFirst();
    List<Series> all = new ArrayList<>();
    for (EngineKind kind : options.engines()) {
      out.printf("%s: %.1f minutes of random fill alone, %d keys%n", kind.label(), minutes, keys);
      EngineOptions warm = options.engine(kind.label() + "-warm-up", options.cacheBytes());
      try (HiccupMeter meter = HiccupMeter.start();
          Store store = new Store(kind, warm, new Records(keys, bytes, SEED))) {
        fill(store, WARM_UP_NANOS, meter);
      }
      EngineOptions engine = options.engine(kind.label() + "-fill", options.cacheBytes());
      try (HiccupMeter meter = HiccupMeter.start();
          Store store = new Store(kind, engine, new Records(keys, bytes, SEED))) {
        Series series = fill(store, (long) (minutes * 60e9), meter);
        store.audit(AUDIT_READS);
        all.add(series);
        print(series, out);
      }
    }
    Files.writeString(html, new FillPlot(all, bytes, keys).html());
    out.println("plotted in " + html.toAbsolutePath());
  }

  private static Series fill(Store store, long nanos, HiccupMeter meter) throws Exception {
    int seconds = (int) Math.max(1, TimeUnit.NANOSECONDS.toSeconds(nanos + 999_999_999));
    long[] operations = new long[seconds];
    long[] worst = new long[seconds];
    List<Stall> slow = new ArrayList<>();
    Histogram latencies = new Histogram(Lane.HIGHEST_NANOS, 3);
    Outcome outcome = new Outcome();
    Written before = store.engine().written();
    long began;
    long done = 0;
    long now;
    try (Operations all = new Operations(store.engine().session(), store.records(), 0, 1, SEED)) {
      Operation put = all.of(Workload.OVERWRITE);
      began = System.nanoTime();
      now = began;
      while (now - began < nanos) {
        put.run();
        long ended = System.nanoTime();
        long took = ended - now;
        int second = (int) Math.min(seconds - 1, (ended - began) / 1_000_000_000L);
        operations[second]++;
        worst[second] = Math.max(worst[second], took);
        latencies.recordValue(Math.min(Lane.HIGHEST_NANOS, took));
        if (took > STALL_NANOS) {
          slow.add(new Stall(now - began, took, took));
        }
        now = ended;
        done++;
      }
    }
    outcome.addLoad(done, now - began);
    meter.awaitUntil(System.nanoTime());
    List<Stall> stalls = new ArrayList<>();
    for (Stall stall : slow) {
      long from = began + stall.atNanos();
      long withheld = meter.within(from, from + stall.tookNanos());
      stalls.add(new Stall(stall.atNanos(), stall.tookNanos(), stall.tookNanos() - withheld));
    }
    long[] hiccups = new long[seconds];
    for (int i = 0; i < seconds; i++) {
      long from = began + i * 1_000_000_000L;
      hiccups[i] = meter.longest(from, from + 1_000_000_000L);
    }
    store.settle(outcome);
    store.measure(outcome, done * store.records().recordBytes(), before);
    return new Series(store.kind(), operations, worst, hiccups, stalls, latencies, outcome);
  }

  private static void print(Series series, PrintStream out) {
    Histogram nanos = series.nanos();
    Outcome outcome = series.outcome();
    out.printf(
        Locale.ROOT,
        "  %,.0f writes/s  p50 %.1f us  p99 %.1f us  p99.9 %.0f us  p99.99 %.0f us  max %.1f ms%n",
        series.perSecond(),
        nanos.getValueAtPercentile(50) / 1e3,
        nanos.getValueAtPercentile(99) / 1e3,
        nanos.getValueAtPercentile(99.9) / 1e3,
        nanos.getValueAtPercentile(99.99) / 1e3,
        nanos.getMaxValue() / 1e6);
    out.printf(
        Locale.ROOT,
        "  seconds: worst %,d writes, 1 %% %,d, median %,d; %d writes over 100 ms, %d of them beyond"
            + " the machine's hiccups (the longest by %.0f ms)%n",
        series.secondAt(0),
        series.secondAt(1),
        series.secondAt(50),
        series.stalls().size(),
        series.stallsBeyond(),
        series.longestBeyondNanos() / 1e6);
    out.printf(
        Locale.ROOT,
        "  settled in %.1f s; disk %.0f MiB, tables %.2f a byte of data; written %.2f a byte (log %,d MiB,"
            + " flushes %,d MiB, compactions %,d MiB)%n",
        outcome.settleSeconds(),
        outcome.diskBytes() / 1048576.0,
        outcome.spaceAmplification(),
        outcome.writeAmplification(),
        outcome.written().logBytes() >> 20,
        outcome.written().flushBytes() >> 20,
        outcome.written().compactionBytes() >> 20);
  }
}
