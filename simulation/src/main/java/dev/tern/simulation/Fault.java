package dev.tern.simulation;

/// The kinds of things that go wrong; each seed picks some.
enum Fault {
  /// A node loses its power, between two events or in the middle of an I/O.
  POWER_CUT,
  /// A node's process ends; its disk keeps what the operating system had.
  PROCESS_CRASH,
  /// A node ends while one replica fills another, between two pages of that.
  REPAIR_CRASH,
  /// A node stops as an operator stops it: it leads its updates to their end, tells the others, and
  /// closes its stores.
  ORDERLY_STOP,
  /// Nothing from one node reaches another, in one direction or in both.
  PARTITION,
  /// Frames get lost, doubled and delayed everywhere.
  LOSSY_NETWORK,
  /// A connection breaks and comes back: what was under way on it is lost.
  BROKEN_CONNECTION,
  /// Frames from one node to another take long.
  SLOW_LINK,
  /// A node does nothing at all for a while.
  PAUSE,
  /// A wall clock jumps by seconds.
  CLOCK_STEP,
  /// One node's wall clock is wrong by minutes, and jumps.
  WRONG_CLOCK,
  /// A disk takes long.
  SLOW_DISK,
  /// A disk has no space left for a while.
  FULL_DISK,
  /// Reads, writes and forces of a disk fail for a while.
  DISK_ERRORS,
  /// Bits flip in what one node's disk has long held.
  BIT_ROT,
  /// One node's disk is lost with all it held, once; it starts with an empty one.
  LOST_DISK,
  /// One node's store loses some records with a value, once, and nothing of what tells of them.
  LOST_RECORDS,
  /// One node's disk is set back to what it held some time ago, once, as a backup or a snapshot of
  /// its machine does.
  SET_BACK,
  /// A node loses its power when it is asked for a promise to a leader whose ballot is far ahead of
  /// the time, or just after it gave it.
  PROMISE_CUT,
  /// A node loses its power just after it sent a write to the others, and is back soon.
  MINT_CUT,
  /// All nodes lose their power at once, but one that does nothing meanwhile.
  BLACKOUT,
  /// A node pauses again and again, as a JVM does whose heap is full.
  PAUSES,
  /// A node takes long for everything.
  SLOW_NODE,
  /// A node's paths to all others end, come back for a moment and end again in one direction.
  FLAPPING,
  /// The nodes are two groups that do not hear each other.
  SPLIT,
  /// A node is away for minutes to days.
  LONG_AWAY,
  /// Most wall clocks are wrong by minutes to days, and come right again.
  WRONG_CLOCKS
}
