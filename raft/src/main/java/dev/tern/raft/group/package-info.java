/// A member of a Raft group at work: the driver of a [dev.tern.raft.Raft].
///
/// ```
///   network, clock, users --> RaftGroup --> Raft --> effects --> SharedLog, SnapshotFiles,
///                                 ^                              StateMachine, Listener
///                                 +------- persisted, applied, chunk ------+
/// ```
///
/// Invariants:
/// - the group carries out effects in their order;
/// - the group hands a write to the log only after the parts of a snapshot before it are durable;
/// - the group ticks before it hands anything to its member.
///
/// Threads: the shard's loop.
@NullMarked
package dev.tern.raft.group;

import org.jspecify.annotations.NullMarked;
