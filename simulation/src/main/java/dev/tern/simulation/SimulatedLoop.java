package dev.tern.simulation;

import dev.tern.env.EventLoop;

/// A loop of one node: each task is an event of the world.
final class SimulatedLoop implements EventLoop {
  private final World world;
  private final int node;
  private final Runnable onCrash;

  /// How long a job takes, at least, nanoseconds; a slow disk makes it long.
  long slownessNanos = 50_000;

  SimulatedLoop(World world, int node, Runnable onCrash) {
    this.world = world;
    this.node = node;
    this.onCrash = onCrash;
  }

  private Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (World.Crash crash) {
        onCrash.run();
      }
    };
  }

  @Override
  public void execute(Runnable task) {
    world.schedule(0, node, guarded(task));
  }

  @Override
  public Timer schedule(long delayNanos, Runnable task) {
    boolean[] cancelled = {false};
    world.schedule(
        delayNanos,
        node,
        guarded(
            () -> {
              if (!cancelled[0]) {
                task.run();
              }
            }));
    return () -> cancelled[0] = true;
  }

  @Override
  public boolean inLoop() {
    return true;
  }

  @Override
  public <T> void offload(Job<T> job, Completion<T> completion) {
    world.schedule(
        world.between(1_000, 20_000),
        node,
        guarded(
            () -> {
              T result = null;
              Throwable failure = null;
              try {
                result = job.run();
              } catch (Exception e) {
                failure = e;
              }
              T done = result;
              Throwable failed = failure;
              world.schedule(
                  world.between(slownessNanos, slownessNanos * 4),
                  node,
                  guarded(() -> completion.complete(done, failed)));
            }));
  }
}
