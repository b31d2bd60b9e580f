package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.EventLoop;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NettyEventLoopTest {
  private TestNode node;
  private NettyEventLoop loop;
  private final List<Object> seen = new CopyOnWriteArrayList<>();

  @BeforeEach
  void open() throws Exception {
    node = new TestNode("auto", 1, 1, TestNode.CLUSTER, TestNode.TIMING);
    loop = node.loops.getFirst();
  }

  @AfterEach
  void close() {
    node.close();
  }

  /// Runs on the loop and waits for it.
  private void onLoop(Runnable task) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(
        () -> {
          task.run();
          done.complete(null);
        });
    done.join();
  }

  @Test
  void tasksRunInTheirOrderOnTheLoop() {
    assertFalse(loop.inLoop());
    IntStream.range(0, 1000).forEach(i -> loop.execute(() -> seen.add(loop.inLoop() ? i : -1)));
    onLoop(() -> {});
    assertEquals(IntStream.range(0, 1000).boxed().toList(), seen);
  }

  @Test
  void aTaskQueuedByATaskRunsAfterThoseAlreadyQueued() {
    CountDownLatch bothQueued = new CountDownLatch(1);
    loop.execute(
        () -> {
          Await.until("the second is queued", () -> bothQueued.getCount() == 0);
          loop.execute(() -> seen.add("third"));
          seen.add("first");
        });
    loop.execute(() -> seen.add("second"));
    bothQueued.countDown();
    Await.until("all ran", () -> seen.size() == 3);
    assertEquals(List.of("first", "second", "third"), seen);
  }

  @Test
  void timersRunInTheOrderOfTheirTimesAndCancelledOnesNever() {
    onLoop(
        () -> {
          loop.schedule(30_000_000, () -> seen.add(30));
          loop.schedule(10_000_000, () -> seen.add(10));
          EventLoop.Timer cancelled = loop.schedule(15_000_000, () -> seen.add("cancelled"));
          loop.schedule(20_000_000, () -> seen.add(20));
          cancelled.cancel();
          cancelled.cancel();
        });
    Await.until("the last timer ran", () -> seen.contains(30));
    assertEquals(List.of(10, 20, 30), seen);
  }

  @Test
  void aTimerDoesNotRunEarly() {
    CompletableFuture<Long> waited = new CompletableFuture<>();
    onLoop(
        () -> {
          long from = System.nanoTime();
          loop.schedule(5_000_000, () -> waited.complete(System.nanoTime() - from));
        });
    assertTrue(waited.join() >= 5_000_000);
  }

  @Test
  void jobsRunElsewhereAndAreCompletedOnTheLoop() {
    loop.offload(
        () -> {
          seen.add("job on loop: " + loop.inLoop());
          return 7;
        },
        (result, failure) -> seen.add(result + " " + failure + " on loop: " + loop.inLoop()));
    Await.until("it is completed", () -> seen.size() == 2);
    assertEquals(List.of("job on loop: false", "7 null on loop: true"), seen);
  }

  @Test
  void aJobsFailureIsTheCompletionsNotTheLoops() {
    loop.offload(
        () -> {
          throw new IOException("the disk");
        },
        (result, failure) -> seen.add(result + " " + failure));
    Await.until("it is completed", () -> !seen.isEmpty());
    assertEquals(List.of("null java.io.IOException: the disk"), seen);
    assertTrue(node.fatal.isEmpty());
  }

  @Test
  void whatThrowsOnTheLoopIsFatal() {
    loop.execute(
        () -> {
          throw new IllegalStateException("task");
        });
    onLoop(
        () ->
            loop.schedule(
                1,
                () -> {
                  throw new AssertionError("timer");
                }));
    Await.until("both are told", () -> node.fatal.size() == 2);
    loop.offload(
        () -> null,
        (result, failure) -> {
          throw new IllegalStateException("completion");
        });
    Await.until("all are told", () -> node.fatal.size() == 3);
    assertEquals(
        List.of("task", "timer", "completion"),
        node.fatal.stream().map(Throwable::getMessage).toList());
  }
}
