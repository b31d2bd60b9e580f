/// Where the members of a shard keep what they must not forget: one segmented log for all groups,
/// and files of snapshots. No part of the LSM: a topology or a strong keyspace must be readable
/// before any store is open.
///
/// ```
///   Persist of any group --> SharedLog --one append, one fsync--> Segment 7 | 8 | 9
///   SaveChunk, snapshots --> SnapshotFiles --force, rename--> g3-120-4.snapshot
///   start: Recovery reads the segments back --> Recovered of each group
/// ```
///
/// Invariants:
/// - what was told durable is read back, or the start is refused; a torn tail was never told;
/// - a group's write survives whole or not at all, and never without those before it;
/// - a segment is deleted only after one is durable whose header does not need it;
/// - a snapshot is durable before any log record that speaks of it.
///
/// Limit: damage to the very last frames that were synced looks like a torn tail, as in any log
/// whose end is found by reading it.
///
/// Threads: the shard's loop; jobs write.
@NullMarked
package dev.tern.core.raft.log;

import org.jspecify.annotations.NullMarked;
