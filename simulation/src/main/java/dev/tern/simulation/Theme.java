package dev.tern.simulation;

import java.util.EnumSet;
import java.util.Set;

/// What a run's clients and faults concentrate on, so that what needs many things of one kind at a
/// time happens in some runs; half of the runs have none.
enum Theme {
  /// A little of everything.
  ALL,
  /// Values whose time comes, and is put off, all the time.
  EXPIRY,
  /// Requests that let nodes stand in for replicas, and paths that come and go.
  SLOPPY,
  /// Bursts of puts and updates of one key.
  BURSTS,
  /// Gets and puts that are linearizable.
  REGISTERS;

  static Theme of(World world) {
    return world.chance(0.5) ? ALL : values()[1 + world.random.nextInt(values().length - 1)];
  }

  /// Those that are more likely by half in runs of this theme.
  Set<Fault> faults() {
    return switch (this) {
      case ALL -> EnumSet.noneOf(Fault.class);
      case EXPIRY -> EnumSet.of(Fault.LOSSY_NETWORK, Fault.PARTITION, Fault.PROCESS_CRASH);
      case SLOPPY -> EnumSet.of(Fault.FLAPPING, Fault.PROCESS_CRASH);
      case BURSTS -> EnumSet.of(Fault.SLOW_LINK, Fault.LOSSY_NETWORK);
      case REGISTERS -> EnumSet.of(Fault.SLOW_LINK, Fault.PARTITION, Fault.PAUSE);
    };
  }
}
