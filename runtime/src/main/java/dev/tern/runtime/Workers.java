package dev.tern.runtime;

import dev.tern.env.Offload;
import io.netty.util.concurrent.DefaultThreadFactory;
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

  private final ExecutorService workers;

  /// @param threads jobs that run at once; a store needs one more than its own `threads`, so that a
  ///   flush never waits for compactions
  public Workers(int threads) {
    workers = Executors.newFixedThreadPool(threads, new DefaultThreadFactory("tern-worker", true));
  }

  @Override
  public <T> void offload(Job<T> job, Completion<T> completion) {
    try {
      workers.execute(
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
    LockSupport.parkNanos(nanos);
  }

  /// Waits for the jobs that were handed over.
  @Override
  public void close() {
    workers.shutdown();
    try {
      if (!workers.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        workers.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
