package dev.tern.lsm;

import dev.tern.env.Offload;
import java.io.IOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/// Whether a store is open, and the background jobs that are inside it.
///
/// Invariant: no job begins once the store is closed or if it is read-only, so [#awaitJobs] ends.
///
/// Any thread.
final class Lifetime {
  /// The store's.
  final ReentrantLock lock = new ReentrantLock();

  private final Offload background;
  private final boolean readOnly;
  private final Condition jobEnded = lock.newCondition();

  /// Held by a thread while the store calls its owner back.
  private final ReentrantLock callingBack = new ReentrantLock();

  /// Written under the lock.
  private volatile boolean closed;

  /// The number of jobs inside the store now; guarded by the lock.
  private int running;

  Lifetime(Offload background, boolean readOnly) {
    this.background = background;
    this.readOnly = readOnly;
  }

  boolean isReadOnly() {
    return readOnly;
  }

  boolean isClosed() {
    return closed;
  }

  /// @throws IllegalStateException if the store is closed
  void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the store is closed");
    }
  }

  /// Calls the store's owner.
  interface CallBack {
    void run() throws IOException;
  }

  /// Calls the owner from a job, or from a call that jobs wait for; see [#checkNotCalledBack].
  void callBack(CallBack owner) throws IOException {
    callingBack.lock();
    try {
      owner.run();
    } finally {
      callingBack.unlock();
    }
  }

  /// Whether the store has called this thread's owner, and waits for the return.
  boolean isCalledBack() {
    return callingBack.isHeldByCurrentThread();
  }

  /// Before what waits for jobs to end: a job that did so would wait for itself.
  ///
  /// @throws IllegalStateException if the store has called this thread
  void checkNotCalledBack() {
    checkNotInGroupEnd();
    if (isCalledBack()) {
      throw new IllegalStateException(
          "a flush listener or an archive must not wait for flushes: call from another thread");
    }
  }

  /// Before what needs the manifest lock: whoever holds that one waits for the store's.
  ///
  /// @throws IllegalStateException if the store has called this thread at the end of a group
  void checkNotInGroupEnd() {
    if (lock.isHeldByCurrentThread()) {
      throw new IllegalStateException(
          "what runs before a group ends may append and read, and nothing else: call from another"
              + " thread");
    }
  }

  /// Under the lock: nothing is written any more, and no job begins.
  void close() {
    assert lock.isHeldByCurrentThread();
    closed = true;
  }

  /// Runs a job that [#awaitJobs] waits for, and its completion under the lock. One that cannot be
  /// begun has failed.
  <T> void job(Offload.Job<T> work, Offload.Completion<T> completion) {
    try {
      offload(work, completion);
    } catch (RuntimeException | VirtualMachineError e) {
      completion.complete(null, e);
    }
  }

  private <T> void offload(Offload.Job<T> work, Offload.Completion<T> completion) {
    background.offload(
        () -> {
          if (!begin()) {
            return null;
          }
          try {
            return work.run();
          } finally {
            end();
          }
        },
        (result, failure) -> {
          lock.lock();
          try {
            completion.complete(result, failure);
            jobEnded.signalAll();
          } finally {
            lock.unlock();
          }
        });
  }

  /// Whether the store is open for jobs; [#awaitJobs] then waits for [#end].
  boolean begin() {
    lock.lock();
    try {
      boolean open = !closed && !readOnly;
      running += open ? 1 : 0;
      return open;
    } finally {
      lock.unlock();
    }
  }

  void end() {
    lock.lock();
    try {
      if (--running < 0) {
        throw new IllegalStateException("a job has ended that had not begun");
      }
      jobEnded.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Under the lock, which is let go meanwhile: waits until jobs have made something true.
  ///
  /// @throws IllegalStateException if the store is closed before: a job whose worker is gone never
  ///   ends
  void await(BooleanSupplier done) {
    assert lock.isHeldByCurrentThread();
    while (!done.getAsBoolean()) {
      checkOpen();
      jobEnded.awaitUninterruptibly();
    }
  }

  /// Under the lock: something that [#await] waits for may have become true.
  void changed() {
    assert lock.isHeldByCurrentThread();
    jobEnded.signalAll();
  }

  /// Waits for the jobs that are inside; none begins any more.
  void awaitJobs() {
    lock.lock();
    try {
      jobEnded.signalAll();
      while (running > 0) {
        jobEnded.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }
}
