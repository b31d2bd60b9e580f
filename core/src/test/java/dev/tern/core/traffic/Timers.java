package dev.tern.core.traffic;

import dev.tern.env.Clock;
import dev.tern.env.EventLoop;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.TreeSet;

/// A loop and a clock whose time goes by when a test says so.
public final class Timers implements EventLoop {
  private static final long MILLI = 1_000_000;

  private record Task(long nanos, long number, Runnable runnable) {}

  private final PriorityQueue<Task> tasks =
      new PriorityQueue<>(Comparator.comparingLong(Task::nanos).thenComparingLong(Task::number));
  private final TreeSet<Long> cancelled = new TreeSet<>();
  public long nanos = 3_600_000 * MILLI;
  private long scheduled;

  public final Clock clock =
      new Clock() {
        @Override
        public long monotonicNanos() {
          return nanos;
        }

        @Override
        public long wallMillis() {
          return 1_000_000_000_000L + nanos / MILLI;
        }
      };

  /// Runs what is due by now, and what that makes due.
  public void runDue() {
    while (!tasks.isEmpty() && tasks.element().nanos() <= nanos) {
      Task task = tasks.remove();
      if (!cancelled.remove(task.number())) {
        task.runnable().run();
      }
    }
  }

  public void advance(long more) {
    long until = nanos + more;
    while (!tasks.isEmpty() && tasks.element().nanos() <= until) {
      nanos = Math.max(nanos, tasks.element().nanos());
      runDue();
    }
    nanos = until;
  }

  @Override
  public void execute(Runnable task) {
    schedule(0, task);
  }

  @Override
  public Timer schedule(long delayNanos, Runnable task) {
    long number = scheduled++;
    tasks.add(new Task(nanos + delayNanos, number, task));
    return () -> cancelled.add(number);
  }

  @Override
  public boolean inLoop() {
    return true;
  }

  @Override
  public <T> void offload(Job<T> job, Completion<T> completion) {
    execute(
        () -> {
          T result = null;
          Throwable failure = null;
          try {
            result = job.run();
          } catch (Exception e) {
            failure = e;
          }
          completion.complete(result, failure);
        });
  }

  @Override
  public void pause(long nanos) {
    // A job takes no time here.
  }
}
