package dev.tern.env;

import org.jspecify.annotations.Nullable;

/// Where work goes that would hold up its caller: file reads, flushes, compactions, fsyncs.
///
/// A job gets immutable or exclusively owned input, runs once, and its completion is told once. The
/// number of jobs that run at the same time is bounded by the implementation; the number that wait
/// is bounded by their submitters.
public interface Offload {
  /// Runs `job` somewhere else, then `completion` with its result or its failure. Production: the
  /// job on a worker thread, the completion on the owning loop (or, where there is no loop, on the
  /// worker). Simulation: both on the one thread, the completion after a simulated duration. Any
  /// thread may call. After shutdown the completion may never come.
  <T> void offload(Job<T> job, Completion<T> completion);

  /// Holds its caller up for about that long: a job that keeps to a pace, or a thread that may
  /// block. Never called on an event loop. In simulation the job takes so much longer. A thread
  /// that is interrupted is held up as long, and is still interrupted afterwards.
  void pause(long nanos);

  /// The same for jobs that nobody waits for, such as compactions: where the machine has too few
  /// processors for all, other work goes first.
  default Offload background() {
    return this;
  }

  /// Work that may block.
  @FunctionalInterface
  interface Job<T> {
    @Nullable T run() throws Exception;
  }

  /// Told exactly once; one of the two is null (a job may also return null).
  @FunctionalInterface
  interface Completion<T> {
    void complete(@Nullable T result, @Nullable Throwable failure);
  }
}
