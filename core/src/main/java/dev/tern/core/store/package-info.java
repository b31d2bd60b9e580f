/// The records of one shard on disk: where they lie, what they count, when they are durable.
///
/// ```
///   core.replica: dots, clocks, journal, tombstones            a Raft state machine
///        |                                                                |
///        +--- batch: records, and what their owner knows of them ---------+
///                                   v
///   RecordStore: families, record keys, partitions, figures, erasing of dropped keyspaces
///   Latches: one write of a key at a time    Commits: group commit    Blockage: why no writes
///                                   v
///                                  Lsm
/// ```
///
/// The bytes of a record are its owner's: nothing here decodes them, and nothing here knows of
/// dots, clocks of replicas, tombstones or the messages of repair.
///
/// Invariants:
/// - a partition is one range of keys in every column family ([RecordKey], [RowKeys]);
/// - what an owner appends in one batch is there as a whole after a crash, or not at all;
/// - figures change by what their owner counts, and are told to other threads at once.
///
/// Threads: the shard's loop; workers read from disk and force the log.
@NullMarked
package dev.tern.core.store;

import org.jspecify.annotations.NullMarked;
