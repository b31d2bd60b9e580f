package dev.tern.bench.engine;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.HdrHistogram.Histogram;

/// One thread of a workload and what it measured. Written by its thread, read after that ended.
///
/// Latencies are from the end of one operation to the end of the next, so a key and a value being
/// made are in them (some 50 ns), and one reading of the clock an operation is enough.
final class Lane {
  static final long HIGHEST_NANOS = 600_000_000_000L;

  /// Operations longer than this are kept one by one, to be compared with the machine's hiccups.
  static final long SLOW_NANOS = 2_000_000;

  private static final Path SCHEDULE = Path.of("/proc/thread-self/schedstat");
  private static final int MOST_SLOW = 32_768;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  final Histogram nanos = new Histogram(HIGHEST_NANOS, 3);
  private final long[] slowFrom = new long[MOST_SLOW];
  private final long[] slowTo = new long[MOST_SLOW];
  private int slow;
  private long operations;
  private long allocatedBytes;
  private long processorNanos;
  private long waitedNanos;
  private long endedNanos;

  /// Runs until `untilNanos` or until nothing is left to do.
  void run(Operation operation, long untilNanos) throws Exception {
    long[] scheduled = schedule();
    long allocatedBefore = THREADS.getCurrentThreadAllocatedBytes();
    long began = System.nanoTime();
    while (began < untilNanos && operation.run()) {
      long ended = System.nanoTime();
      long took = ended - began;
      nanos.recordValue(Math.min(HIGHEST_NANOS, took));
      if (took > SLOW_NANOS && slow < MOST_SLOW) {
        slowFrom[slow] = began;
        slowTo[slow++] = ended;
      }
      operations++;
      began = ended;
    }
    endedNanos = began;
    allocatedBytes = THREADS.getCurrentThreadAllocatedBytes() - allocatedBefore;
    long[] after = schedule();
    processorNanos = after[0] - scheduled[0];
    waitedNanos = after[1] - scheduled[1];
  }

  /// Nanoseconds that this thread ran, and that it could have run but others did; the second is
  /// Linux's and 0 elsewhere.
  private static long[] schedule() {
    if (Files.isReadable(SCHEDULE)) {
      try {
        String[] parts = Files.readString(SCHEDULE).split(" ", 3);
        return new long[] {Long.parseLong(parts[0]), Long.parseLong(parts[1])};
      } catch (IOException | NumberFormatException e) {
        return new long[] {THREADS.getCurrentThreadCpuTime(), 0};
      }
    }
    return new long[] {THREADS.getCurrentThreadCpuTime(), 0};
  }

  long operations() {
    return operations;
  }

  long allocatedBytes() {
    return allocatedBytes;
  }

  long processorNanos() {
    return processorNanos;
  }

  long waitedNanos() {
    return waitedNanos;
  }

  long endedNanos() {
    return endedNanos;
  }

  /// The longest operation less what the machine itself withheld while it ran.
  long longestBeyondHiccups(HiccupMeter meter) {
    long longest = 0;
    for (int i = 0; i < slow; i++) {
      long took = slowTo[i] - slowFrom[i];
      if (took > longest) {
        longest = Math.max(longest, took - meter.within(slowFrom[i], slowTo[i]));
      }
    }
    return longest;
  }
}
