/// Raft without I/O: one [dev.tern.core.raft.Raft] is one member of one group.
///
/// ```
///   tick, step(message), propose, change, transfer, read      Effects, in order:
///        |                                                      Send      -> network
///        v                                                      Persist   -> shared log,
///      Raft: role, term, vote, promises   -- drain() -->            later persisted(number)
///        EntryLog: entries in memory,                           SaveChunk, LoadChunk -> files
///          memberships, written/committed/applied               Apply, Install -> state machine,
///        Leader: Progress of each follower, Reads                   later applied(index)
///        Outbox: effects; answers that wait for the disk        ReadReady, RoleChanged -> users
/// ```
///
/// Duties of a driver:
/// 1. Tick as often as the member's clock says, before anything else is handed in.
/// 2. Hand in messages with the true number of their sender.
/// 3. Drain after each call and carry out the effects in their order.
/// 4. Report writes with `persisted` in the order of their numbers, when they are durable; report
///    applied entries with `applied`.
/// 5. Stop the member for good if a write fails.
///
/// Invariants (Raft, figure 3; the simulator checks them after every event):
/// - a term has at most one leader; a vote is on disk before anybody hears of it;
/// - two logs that have the same entry have the same entries before it;
/// - an entry that is committed stands in the log of every later leader;
/// - no two members apply different entries at one index;
/// - a read answers with everything that was acknowledged before the read began;
/// - a member acknowledges only entries that are on its disk, and a leader counts itself only for
///   such;
/// - a membership is in force as soon as it is in the log, and changes only when the last change is
///   committed.
///
/// Why effects and not calls: the same core runs in transcripts, in the simulator and on disks, and
/// never waits for a disk: a tick does its work while writes are under way.
///
/// Threads: one thread at a time touches a member: its shard's loop.
@NullMarked
package dev.tern.core.raft;

import org.jspecify.annotations.NullMarked;
