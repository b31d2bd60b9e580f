/// The durable state of Raft members: one segmented log for all groups of a shard, and files of
/// snapshots. It is no part of the LSM: a topology or a strong keyspace must be readable before any
/// store is open.
///
/// ```
///   Persist of any group --> SharedLog --one append, one fsync--> Segment 7 | 8 | 9
///   SaveChunk, snapshots --> SnapshotFiles --force, rename--> g3-120-4.snapshot
///   start: Recovery reads the segments back --> Recovered of each group
/// ```
///
/// Invariants:
/// - what the log told to be durable is read back, or the start is refused; what a torn tail holds
///   was never told;
/// - a write of a group survives whole or not at all, and never without the writes before it;
/// - the log deletes a segment only after a later segment is durable whose checkpoint does not need
///   it;
/// - a snapshot is durable before any log record that names it.
///
/// Limit: damage to the very last frames that were synced looks like a torn tail, as in any log
/// whose end is found by reading.
///
/// Threads: the shard's loop; jobs write.
@NullMarked
package dev.tern.raft.log;

import org.jspecify.annotations.NullMarked;
