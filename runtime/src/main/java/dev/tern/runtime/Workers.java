package dev.tern.runtime;

import dev.tern.env.Offload;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Threads for jobs: those of event loops, and those of an embedded store, which has no loop. A
/// completion runs on the worker that ran its job.
public final class Workers implements Offload, AutoCloseable {
  /// How long [#close] waits before it interrupts.
  private static final int CLOSE_SECONDS = 30;

  /// How much the background's threads stand back: a third of the weight of others.
  private static final int BACKGROUND_NICENESS = 5;

  private final ExecutorService workers;
  private final ExecutorService background;

  /// @param threads jobs that run at once; a store needs one more than its own `threads`, so that a
  ///   flush never waits for compactions
  public Workers(int threads) {
    workers = Executors.newFixedThreadPool(threads, new DefaultThreadFactory("tern-worker", true));
    background =
        Executors.newFixedThreadPool(
            threads,
            new DefaultThreadFactory("tern-background", true) {
              @Override
              protected Thread newThread(Runnable task, String name) {
                return super.newThread(
                    () -> {
                      Niceness.set(BACKGROUND_NICENESS);
                      task.run();
                    },
                    name);
              }
            });
  }

  @Override
  public <T> void offload(Job<T> job, Completion<T> completion) {
    run(workers, job, completion);
  }

  @Override
  public Offload background() {
    return new Offload() {
      @Override
      public <T> void offload(Job<T> job, Completion<T> completion) {
        run(background, job, completion);
      }

      @Override
      public void pause(long nanos) {
        Workers.this.pause(nanos);
      }
    };
  }

  private static <T> void run(ExecutorService on, Job<T> job, Completion<T> completion) {
    try {
      on.execute(
          () -> {
            T result = null;
            Throwable failure = null;
            try {
              result = job.run();
            } catch (Throwable e) {
              failure = e;
            }
            completion.complete(result, failure);
          });
    } catch (RejectedExecutionException e) {
      // Closed: the completion never comes, as Offload says.
      return;
    }
  }

  @Override
  public void pause(long nanos) {
    long until = System.nanoTime() + nanos;
    boolean interrupted = false;
    for (long left = nanos; left > 0; left = until - System.nanoTime()) {
      // A thread that is interrupted does not park.
      interrupted |= Thread.interrupted();
      LockSupport.parkNanos(left);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /// Waits for the jobs that were handed over.
  @Override
  public void close() {
    workers.shutdown();
    background.shutdown();
    try {
      for (ExecutorService each : List.of(workers, background)) {
        if (!each.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
          each.shutdownNow();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
