package dev.tern.bench.engine;

import dev.tern.bench.engine.Engine.Written;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/// What one engine did in one workload, over all its turns. One thread.
final class Outcome {
  private final Histogram nanos = new Histogram(Lane.HIGHEST_NANOS, 3);
  private long operations;
  private long runNanos;
  private final List<Double> turnsPerSecond = new ArrayList<>();
  private long laneOperations;
  private long allocatedBytes;
  private long processorNanos;
  private long waitedNanos;
  private long besideOperations;
  private long settleNanos;
  private long beyondHiccupNanos;
  private long hiccupNanos;
  private long userBytes;
  private long liveBytes;
  private Written written = new Written(0, 0, 0);
  private long diskBytes;
  private long tableBytes;

  void addLane(Lane lane) {
    nanos.add(lane.nanos);
    laneOperations += lane.operations();
    allocatedBytes += lane.allocatedBytes();
    processorNanos += lane.processorNanos();
    waitedNanos += lane.waitedNanos();
  }

  void addBeside(Lane lane) {
    besideOperations += lane.operations();
  }

  /// Ends a turn whose lanes were added.
  void addTurn(long tookNanos, long beyondNanos, long machineNanos) {
    runNanos += tookNanos;
    turnsPerSecond.add(laneOperations * 1e9 / Math.max(1, tookNanos));
    operations += laneOperations;
    laneOperations = 0;
    beyondHiccupNanos = Math.max(beyondHiccupNanos, beyondNanos);
    hiccupNanos = Math.max(hiccupNanos, machineNanos);
  }

  /// Operations whose latencies nobody took.
  void addLoad(long done, long tookNanos) {
    operations += done;
    runNanos += tookNanos;
    turnsPerSecond.add(done * 1e9 / Math.max(1, tookNanos));
  }

  void addSettling(long tookNanos) {
    settleNanos += tookNanos;
  }

  /// @param user bytes of keys and values that were written
  /// @param live bytes of the keys and values that are there in the end
  void setSizes(long user, long live, Written toFiles, long disk, long tables) {
    userBytes = user;
    liveBytes = live;
    written = toFiles;
    diskBytes = disk;
    tableBytes = tables;
  }

  long operations() {
    return operations;
  }

  long besideOperations() {
    return besideOperations;
  }

  /// Of the median turn.
  double perSecond() {
    List<Double> sorted = turnsPerSecond.stream().sorted().toList();
    int turns = sorted.size();
    return turns == 0 ? 0 : (sorted.get((turns - 1) / 2) + sorted.get(turns / 2)) / 2;
  }

  double besidePerSecond() {
    return runNanos == 0 ? 0 : besideOperations * 1e9 / runNanos;
  }

  double micros(double percentile) {
    return nanos.getValueAtPercentile(percentile) / 1e3;
  }

  double maxMicros() {
    return nanos.getMaxValue() / 1e3;
  }

  double beyondHiccupMillis() {
    return beyondHiccupNanos / 1e6;
  }

  double hiccupMillis() {
    return hiccupNanos / 1e6;
  }

  double allocatedPerOperation() {
    return operations == 0 ? 0 : (double) allocatedBytes / operations;
  }

  /// Processor time of the lanes, user and system.
  double processorMicrosPerOperation() {
    return operations == 0 ? 0 : processorNanos / 1e3 / operations;
  }

  /// Of the lanes' time, how much they could have run but others did.
  double waitedPercent() {
    return runNanos == 0 ? 0 : 100.0 * waitedNanos / (waitedNanos + processorNanos + 1);
  }

  double runSeconds() {
    return runNanos / (double) TimeUnit.SECONDS.toNanos(1);
  }

  double settleSeconds() {
    return settleNanos / (double) TimeUnit.SECONDS.toNanos(1);
  }

  long diskBytes() {
    return diskBytes;
  }

  long tableBytes() {
    return tableBytes;
  }

  /// Bytes of tables for a byte of keys and values; 0 if it was not measured.
  double spaceAmplification() {
    return liveBytes == 0 ? 0 : (double) tableBytes / liveBytes;
  }

  Written written() {
    return written;
  }

  /// Bytes written to files for a byte of keys and values; 0 if nothing was written.
  double writeAmplification() {
    return userBytes == 0 ? 0 : (double) written.total() / userBytes;
  }
}
