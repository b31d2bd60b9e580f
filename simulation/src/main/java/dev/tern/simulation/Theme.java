package dev.tern.simulation;

import dev.tern.world.World;
import java.util.EnumSet;
import java.util.Set;

/// What a run's clients and faults concentrate on, so that what needs many things of one kind at a
/// time happens in some runs; two in five runs have none.
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
  REGISTERS,
  /// Updates of one counter, while nodes disagree about who leads them.
  LEADERS,
  /// Clocks that are wrong, and values whose time comes, while no node stops.
  CLOCKS,
  /// A node that is set back, and keys that were deleted long before; little else goes wrong.
  SET_BACK,
  /// Puts that a node holds for replicas that it does not reach, below deletes; little else goes
  /// wrong.
  HELD,
  /// Linearizable requests of one key at a time, while brief cuts let two nodes lead it.
  OUTVOTED,
  /// Fetches that end between two pages, of a source that alone has the last writes; little else
  /// goes wrong.
  HALF_FETCHED;

  static Theme of(World world) {
    if (!world.chance(0.4)) {
      return values()[1 + world.random.nextInt(OUTVOTED.ordinal())];
    }
    // Drawn apart, so that the runs of the other themes stay what they were.
    return world.random.child("theme").nextDouble() < 0.1 ? HALF_FETCHED : ALL;
  }

  /// Those that are more likely by half in runs of this theme; the one that a theme is named after
  /// is sure.
  Set<Fault> faults() {
    return switch (this) {
      case ALL, HELD, HALF_FETCHED -> EnumSet.noneOf(Fault.class);
      case EXPIRY ->
          EnumSet.of(Fault.LOSSY_NETWORK, Fault.PARTITION, Fault.PROCESS_CRASH, Fault.LONG_AWAY);
      case SLOPPY -> EnumSet.of(Fault.FLAPPING, Fault.PROCESS_CRASH, Fault.SPLIT);
      case BURSTS -> EnumSet.of(Fault.SLOW_LINK, Fault.LOSSY_NETWORK, Fault.PARTITION);
      case REGISTERS -> EnumSet.of(Fault.SLOW_LINK, Fault.PARTITION, Fault.PAUSE);
      case LEADERS ->
          EnumSet.of(
              Fault.SLOW_LINK,
              Fault.PARTITION,
              Fault.FLAPPING,
              Fault.PROCESS_CRASH,
              Fault.ORDERLY_STOP);
      case CLOCKS -> EnumSet.of(Fault.WRONG_CLOCK, Fault.WRONG_CLOCKS);
      case SET_BACK -> EnumSet.of(Fault.SET_BACK);
      case OUTVOTED -> EnumSet.of(Fault.PROCESS_CRASH, Fault.PROMISE_CUT);
    };
  }

  /// Those that runs of this theme do not have: they would excuse what the theme looks for.
  Set<Fault> excluded() {
    return switch (this) {
      case ALL, EXPIRY, SLOPPY, BURSTS, REGISTERS, LEADERS -> EnumSet.noneOf(Fault.class);
      // A node that has just started does not know yet what most clocks say.
      case CLOCKS ->
          EnumSet.of(
              Fault.POWER_CUT,
              Fault.PROMISE_CUT,
              Fault.MINT_CUT,
              Fault.PROCESS_CRASH,
              Fault.REPAIR_CRASH,
              Fault.ORDERLY_STOP,
              Fault.DISK_ERRORS,
              Fault.BLACKOUT,
              Fault.SET_BACK,
              Fault.LONG_AWAY);
      // Its own cuts and ends of the leader are what counts.
      case OUTVOTED -> EnumSet.complementOf(EnumSet.of(Fault.PROCESS_CRASH, Fault.PROMISE_CUT));
      // The deletes must be stripped while the holder is away, and the pages must come.
      case HELD, HALF_FETCHED ->
          EnumSet.complementOf(EnumSet.of(Fault.SLOW_LINK, Fault.LOSSY_NETWORK));
      // Deletes are stripped while all members are there.
      case SET_BACK ->
          EnumSet.complementOf(EnumSet.of(Fault.SET_BACK, Fault.SLOW_LINK, Fault.LOSSY_NETWORK));
    };
  }

  /// Whether replicas may be moved meanwhile: where the theme does not set the shape.
  boolean moves() {
    return this != OUTVOTED && this != SET_BACK && this != HELD && this != HALF_FETCHED;
  }

  /// How many of the requests are of keys that are written a few times only.
  double brief() {
    return switch (this) {
      case ALL, BURSTS, REGISTERS, LEADERS, CLOCKS, OUTVOTED, HELD, HALF_FETCHED -> 0.03;
      case EXPIRY, SLOPPY, SET_BACK -> 0.3;
    };
  }
}
