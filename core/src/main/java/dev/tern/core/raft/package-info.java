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
/// Invariants (Raft, figure 3, and what the simulator checks after every event):
/// - a term has at most one leader; a vote is on disk before anybody hears of it;
/// - two logs that have the same entry have the same entries before it;
/// - an entry that is committed stands in the log of every later leader;
/// - no two members apply different entries at one index;
/// - a read answers with everything that was acknowledged before it began;
/// - a member acknowledges entries, and the leader counts itself, only for what is on disk;
/// - a membership is in force as soon as it is in the log, and changes only when the last change is
///   committed.
///
/// Why effects and not calls: so that the same core runs in transcripts, in the simulator and on
/// disks, and so that no disk is ever waited for: a tick does its work while writes are under way.
///
/// Threads: a member is touched by one thread at a time, its shard's loop.
@NullMarked
package dev.tern.core.raft;

import org.jspecify.annotations.NullMarked;
