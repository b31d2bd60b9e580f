package dev.tern.runtime;

import dev.tern.env.EventLoop;
import dev.tern.env.Offload;
import io.netty.channel.IoEventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A shard's loop on a Netty I/O loop, so that requests are read, served and answered in one
/// thread.
public final class NettyEventLoop implements EventLoop {
  private final IoEventLoop loop;
  private final Offload workers;
  private final Consumer<Throwable> fatal;

  /// @param workers where offloaded jobs run
  /// @param fatal told of a task that threw: a half-run state machine must not answer anybody
  NettyEventLoop(IoEventLoop loop, Offload workers, Consumer<Throwable> fatal) {
    this.loop = loop;
    this.workers = workers;
    this.fatal = fatal;
  }

  /// The loop below, for the doors' channels.
  public IoEventLoop netty() {
    return loop;
  }

  /// The task, whose failure is fatal: for what Netty itself calls.
  Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (Throwable e) {
        fail(e);
      }
    };
  }

  /// Something on this loop threw where nothing may.
  void fail(Throwable cause) {
    fatal.accept(cause);
  }

  @Override
  public void execute(Runnable task) {
    loop.execute(guarded(task));
  }

  @Override
  public Timer schedule(long delayNanos, Runnable task) {
    ScheduledFuture<?> future = loop.schedule(guarded(task), delayNanos, TimeUnit.NANOSECONDS);
    return () -> future.cancel(false);
  }

  @Override
  public boolean inLoop() {
    return loop.inEventLoop();
  }

  @Override
  public <T> void offload(Job<T> job, Completion<T> completion) {
    workers.offload(job, (result, failure) -> hand(completion, result, failure));
  }

  @Override
  public void pause(long nanos) {
    workers.pause(nanos);
  }

  @Override
  public Offload background() {
    Offload background = workers.background();
    return new Offload() {
      @Override
      public <T> void offload(Job<T> job, Completion<T> completion) {
        background.offload(job, (result, failure) -> hand(completion, result, failure));
      }

      @Override
      public void pause(long nanos) {
        background.pause(nanos);
      }
    };
  }

  private <T> void hand(Completion<T> completion, @Nullable T result, @Nullable Throwable failure) {
    try {
      execute(() -> completion.complete(result, failure));
    } catch (RejectedExecutionException e) {
      // The loop has ended, and with it whoever waited.
      return;
    }
  }
}
