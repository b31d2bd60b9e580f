package dev.tern.lsm;

import dev.tern.env.Offload;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.World;
import java.util.ArrayList;
import java.util.List;

/// Jobs of a store that are held up at the points where they hold no lock (a look at the clock, a
/// pause): other threads' jobs and calls happen there, whole, before the job goes on.
///
/// The world's own order runs a job without a break, so it never shows what a list was taken before
/// the state that it must match.
final class InterruptedJobs implements Offload {
  /// What somebody else does meanwhile.
  interface Others {
    void run();
  }

  private static final int MOST_STEPS = 40;

  private final World world;
  private final SimulatedDisk disk;
  private final Others others;

  /// Jobs and completions that are due.
  private final List<Runnable> due = new ArrayList<>();

  private boolean inJob;
  private boolean interrupted;
  private long pausedNanos;

  InterruptedJobs(World world, SimulatedDisk disk, Others others) {
    this.world = world;
    this.disk = disk;
    this.others = others;
  }

  @Override
  public <T> void offload(Job<T> job, Completion<T> completion) {
    later(world.between(1_000, 20_000), () -> run(job, completion));
  }

  @Override
  public void pause(long nanos) {
    pausedNanos += nanos;
    mayBeInterrupted();
  }

  private void later(long nanos, Runnable step) {
    due.add(step);
    world.schedule(
        nanos,
        1,
        () -> {
          if (due.remove(step)) {
            step.run();
          }
        });
  }

  private <T> void run(Job<T> job, Completion<T> completion) {
    boolean outer = !inJob;
    inJob = true;
    T result = null;
    Throwable failure = null;
    try {
      result = job.run();
    } catch (Exception e) {
      failure = e;
    } finally {
      inJob = !outer;
    }
    T done = result;
    Throwable failed = failure;
    long nanos = pausedNanos + world.between(disk.slownessNanos, disk.slownessNanos * 4);
    pausedNanos = 0;
    later(nanos, () -> completion.complete(done, failed));
  }

  /// Called where a job holds no lock.
  void mayBeInterrupted() {
    if (!inJob || interrupted || world.random.nextInt(6) > 0) {
      return;
    }
    interrupted = true;
    try {
      for (int i = world.random.nextInt(MOST_STEPS); i > 0; i--) {
        if (due.isEmpty() || world.random.nextInt(3) > 0) {
          others.run();
        } else {
          due.remove(world.random.nextInt(due.size())).run();
        }
      }
    } finally {
      interrupted = false;
    }
  }

  /// Does something that nobody interrupts, in a job.
  void undisturbed(Runnable action) {
    boolean outer = interrupted;
    interrupted = true;
    try {
      action.run();
    } finally {
      interrupted = outer;
    }
  }
}
