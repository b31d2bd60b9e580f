package dev.tern.bench;

import dev.tern.env.EventLoop;
import dev.tern.runtime.Workers;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// An event loop of one thread, with one worker for its jobs, for what is measured without sockets.
final class BenchLoop implements EventLoop, AutoCloseable {
  private final ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor();
  private final Workers worker = new Workers(1);
  private final Consumer<Throwable> fatal;

  BenchLoop(Consumer<Throwable> fatal) {
    this.fatal = fatal;
  }

  private Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException | Error e) {
        fatal.accept(e);
      }
    };
  }

  @Override
  public void execute(Runnable task) {
    if (!loop.isShutdown()) {
      loop.execute(guarded(task));
    }
  }

  @Override
  public Timer schedule(long delayNanos, Runnable task) {
    ScheduledFuture<?> timer = loop.schedule(guarded(task), delayNanos, TimeUnit.NANOSECONDS);
    return () -> timer.cancel(false);
  }

  /// Runs it again and again, until the loop is closed.
  void every(long nanos, Runnable task) {
    loop.scheduleAtFixedRate(guarded(task), nanos, nanos, TimeUnit.NANOSECONDS);
  }

  @Override
  public boolean inLoop() {
    return true;
  }

  @Override
  public void pause(long nanos) {
    worker.pause(nanos);
  }

  @Override
  public <T> void offload(Job<T> job, Completion<T> completion) {
    worker.offload(job, (result, failure) -> execute(() -> completion.complete(result, failure)));
  }

  @Override
  public void close() {
    loop.shutdownNow();
    worker.close();
    try {
      if (!loop.awaitTermination(5, TimeUnit.SECONDS)) {
        throw new IllegalStateException("a loop does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
