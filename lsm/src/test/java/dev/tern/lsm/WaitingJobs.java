package dev.tern.lsm;

import dev.tern.env.Clock;
import dev.tern.env.FileSystem;
import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.ArrayDeque;

/// Jobs wait until the test runs them; time stands still.
public final class WaitingJobs implements Offload {
  /// A clock that stands still.
  public static final Clock STOPPED =
      new Clock() {
        @Override
        public long monotonicNanos() {
          return 0;
        }

        @Override
        public long wallMillis() {
          return 0;
        }
      };

  final ArrayDeque<Runnable> jobs = new ArrayDeque<>();

  @Override
  public <T> void offload(Job<T> job, Completion<T> completion) {
    jobs.add(
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
    // Nobody waits.
  }

  public void runAll() {
    while (!jobs.isEmpty()) {
      jobs.poll().run();
    }
  }

  public Lsm open(FileSystem files, LsmOptions options) throws IOException {
    return Lsm.open(files, this, STOPPED, Randomness.of(1), "store", options);
  }
}
