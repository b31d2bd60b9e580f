package dev.tern.bench.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// One turn of a workload on an engine.
///
/// @param engine open, with the records the workload expects
/// @param workload what its lanes do
/// @param records of the store
/// @param nanos at most
/// @param seed of the keys' order; the same for both engines
record Trial(Engine engine, Workload workload, Records records, long nanos, long seed) {
  private static final int QUEUE_TAKEN = 100_000;
  private static final int QUEUE_LEFT = 1_000;

  /// Entries the queue has passed before the workload begins.
  static int queueTaken(Records records) {
    return Math.min(QUEUE_TAKEN, records.count());
  }

  /// Runs all lanes and adds what they measured.
  ///
  /// @throws IllegalStateException if the engine gave a wrong answer
  void run(HiccupMeter meter, Outcome outcome) throws Exception {
    List<Operations> lanes = new ArrayList<>();
    try {
      for (int i = 0; i < workload.lanes(); i++) {
        lanes.add(new Operations(engine.session(), records, i, workload.lanes(), seed));
      }
      if (workload == Workload.QUEUE) {
        lanes.getFirst().fillQueue(engine, queueTaken(records), QUEUE_LEFT);
        engine.awaitIdle();
      }
      run(lanes, meter, outcome);
    } finally {
      for (Operations lane : lanes) {
        lane.close();
      }
    }
  }

  private void run(List<Operations> operations, HiccupMeter meter, Outcome outcome)
      throws Exception {
    CountDownLatch ready = new CountDownLatch(operations.size());
    CountDownLatch go = new CountDownLatch(1);
    List<Lane> lanes = new ArrayList<>();
    List<Future<?>> running = new ArrayList<>();
    long began;
    try (ExecutorService threads = Executors.newFixedThreadPool(operations.size())) {
      for (Operations one : operations) {
        Lane lane = new Lane();
        lanes.add(lane);
        running.add(
            threads.submit(
                () -> {
                  Operation operation = one.of(workload);
                  ready.countDown();
                  go.await();
                  lane.run(operation, System.nanoTime() + nanos);
                  return lane;
                }));
      }
      ready.await();
      began = System.nanoTime();
      go.countDown();
      for (Future<?> one : running) {
        one.get();
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
    }
    collect(lanes, began, meter, outcome);
  }

  private void collect(List<Lane> lanes, long began, HiccupMeter meter, Outcome outcome)
      throws Exception {
    meter.awaitUntil(System.nanoTime());
    long ended = began;
    long beyond = 0;
    for (int i = 0; i < lanes.size(); i++) {
      Lane lane = lanes.get(i);
      if (i < workload.measuredLanes()) {
        outcome.addLane(lane);
        ended = Math.max(ended, lane.endedNanos());
        beyond = Math.max(beyond, lane.longestBeyondHiccups(meter));
      } else {
        outcome.addBeside(lane);
      }
    }
    outcome.addTurn(ended - began, beyond, meter.longest(began, ended));
    meter.clear();
  }
}
