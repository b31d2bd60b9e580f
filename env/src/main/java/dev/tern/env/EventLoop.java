package dev.tern.env;

/// One thread's worth of ordered execution: a shard lives on exactly one loop.
///
/// Invariant: tasks, timers and completions of one loop never overlap, and tasks run in the order
/// they were handed over by any one thread. A task that throws stops the node: a half-run state
/// machine must not answer anybody.
public interface EventLoop extends Offload {
  /// Runs `task` on this loop, soon, after what is already queued and after the I/O that is ready
  /// now (so a task queued while requests are being read runs after all of them: group commit leans
  /// on that). Any thread may call.
  void execute(Runnable task);

  /// Runs `task` on this loop once, `delayNanos` or later from now. Called on the loop.
  Timer schedule(long delayNanos, Runnable task);

  /// Whether the caller runs on this loop.
  boolean inLoop();

  /// A task that waits for its time.
  interface Timer {
    /// The task will not run any more, unless it has begun. Called on the loop; idempotent.
    void cancel();
  }
}
