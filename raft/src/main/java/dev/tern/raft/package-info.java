/// Raft without I/O: one [dev.tern.raft.Raft] is one member of one group.
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
/// Duties of a driver ([dev.tern.raft.group.RaftGroup] is one, with a log on disk):
/// 1. Start the member from what its disk holds ([dev.tern.raft.Recovered]), after the state
///    machine holds the snapshot of that mark. The founders of a group start with the same
///    membership, a member that is added later with nobody.
/// 2. Tick as often as the member's clock says, before anything else is handed in.
/// 3. Hand in messages with the true number of their sender. Messages may get lost, come twice and
///    overtake each other.
/// 4. Drain after each call and carry out the effects in their order.
/// 5. Report writes with `persisted` in the order of their numbers, when they are durable; the last
///    part of a snapshot is durable before the write that follows it. A driver may go on meanwhile.
/// 6. Report with `applied` what the state machine holds, after `Apply` and after `Install`.
/// 7. Answer `LoadChunk` with `chunk` or `chunkMissing`; report a broken connection with
///    `unreachable`.
/// 8. Shorten the log: take `markNow` and the state at once, make the snapshot durable, `compact`.
/// 9. Stop the member for good if a write fails.
///
/// A driver in memory, of a group that is never compacted (`DriverTest` runs it):
///
/// ```java
/// void work() {
///   for (List<Effect> some = raft.drain(); !some.isEmpty(); some = raft.drain()) {
///     some.forEach(this::carryOut);
///   }
/// }
///
/// void carryOut(Effect effect) {
///   switch (effect) {
///     case Effect.Send send -> network.send(raft.id(), send.to(), send.message());
///     case Effect.Persist write -> {
///       disk.write(write.state(), write.entries());
///       raft.persisted(write.number());
///     }
///     case Effect.Apply committed -> {
///       committed.entries().forEach(machine::apply);
///       raft.applied(committed.entries().getLast().index());
///     }
///     case Effect.ReadReady read -> machine.answer(read.context());
///     case Effect.ReadRefused read -> machine.refuse(read.context());
///     case Effect.RoleChanged change -> leader = change.leader();
///     case Effect.SaveChunk part -> throw new IllegalStateException("no snapshots here");
///     case Effect.LoadChunk part -> throw new IllegalStateException("no snapshots here");
///     case Effect.Install snapshot -> throw new IllegalStateException("no snapshots here");
///   }
/// }
/// ```
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
/// The package and those below it use [dev.tern.env] and nothing else of Tern.
///
/// Threads: one thread at a time touches a member: its shard's loop.
@NullMarked
package dev.tern.raft;

import org.jspecify.annotations.NullMarked;
