package dev.tern.world;

import dev.tern.env.EventLoop;

/// A loop of one node: each task is an event of the world.
public final class SimulatedLoop implements EventLoop {
  private final World world;
  private final int node;
  private final SimulatedDisk disk;

  /// What the job that runs has paused so far.
  private long pausedNanos;

  /// @param disk whose slowness makes jobs long
  public SimulatedLoop(World world, int node, SimulatedDisk disk) {
    this.world = world;
    this.node = node;
    this.disk = disk;
  }

  @Override
  public void execute(Runnable task) {
    world.schedule(0, node, task);
  }

  @Override
  public Timer schedule(long delayNanos, Runnable task) {
    boolean[] cancelled = {false};
    world.schedule(
        delayNanos,
        node,
        () -> {
          if (!cancelled[0]) {
            task.run();
          }
        });
    return () -> cancelled[0] = true;
  }

  @Override
  public boolean inLoop() {
    return true;
  }

  @Override
  public <T> void offload(Job<T> job, Completion<T> completion) {
    world.schedule(world.between(1_000, 20_000), node, () -> run(job, completion));
  }

  @Override
  public void pause(long nanos) {
    pausedNanos += nanos;
  }

  private <T> void run(Job<T> job, Completion<T> completion) {
    T result = null;
    Throwable failure = null;
    try {
      result = job.run();
    } catch (Exception | VirtualMachineError e) {
      failure = e;
    }
    T done = result;
    Throwable failed = failure;
    long nanos = pausedNanos + world.between(disk.slownessNanos, disk.slownessNanos * 4);
    pausedNanos = 0;
    world.schedule(nanos, node, () -> completion.complete(done, failed));
  }
}
