package dev.tern.env;

import java.util.List;

/// All that a node gets from outside. `runtime` makes the real one, `simulation` the other.
///
/// @param clock this machine's clocks
/// @param loops one loop a shard; never empty
/// @param network frames to the other nodes
/// @param files the node's data directory
/// @param randomness the node's generator
/// @param events where the node reports what happens to it
public record Environment(
    Clock clock,
    List<EventLoop> loops,
    Network network,
    FileSystem files,
    Randomness randomness,
    Events events) {
  public Environment {
    loops = List.copyOf(loops);
    if (loops.isEmpty()) {
      throw new IllegalArgumentException("a node needs at least one event loop");
    }
  }

  /// One whose events nobody watches.
  public Environment(
      Clock clock,
      List<EventLoop> loops,
      Network network,
      FileSystem files,
      Randomness randomness) {
    this(clock, loops, network, files, randomness, Events.NONE);
  }
}
