/// A member of a Raft group at work.
///
/// ```
///   network, clock, users --> RaftGroup --> Raft --> effects --> SharedLog, SnapshotFiles,
///                                 ^                              StateMachine, Listener
///                                 +------- persisted, applied, chunk ------+
/// ```
///
/// Invariants: effects are done in their order; a write goes to the log after the parts of a
/// snapshot before it are durable; the member ticks before it looks at anything.
///
/// Threads: the shard's loop.
@NullMarked
package dev.tern.core.raft.group;

import org.jspecify.annotations.NullMarked;
