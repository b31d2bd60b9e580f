/// The replicas of one shard: what is stored, in which order, and when it counts as durable.
///
/// ```
///   mutate (mint here) --\                      +--> memtable (readable at its sequence)
///   apply (minted there) --> latch? -> append --+--> log buffer --tick--> OS --offload--> disk
///                                                            |                    |
///                                          waiters of durability OS      waiters of SYNC
/// ```
///
/// The parts, by what they are asked for:
///
/// ```
///   Replica      holds the parts of one shard, and its beat
///   Minting      writes of clients: numbers, stamps, the next dot
///   Writes       records from elsewhere and the append that all share: Arrival, LastWriteWins
///   Reads        records, scans, hints, as far as they are durable enough
///   DotLog       the log of dots, and what of it all replicas have
///   Tombstones   deletes that nothing can need any more
///   Store        clocks, journal and hash trees, over the RecordStore of dev.tern.core.store
///   Repair, Rebuilds, Trees, Healing, Recount     what anti-entropy reads and takes
///   Ballots, Hints                                promises to leaders, writes held for others
/// ```
///
/// Invariants:
/// - between the read of a key's base and the append of its next version nothing else touches the
///   key: both happen in one turn of the loop, or the key is latched while a worker reads the base;
/// - a version that is appended and not yet durable is *pending*: it is the base of the key's next
///   write, and reads do not see it, as they look only at sequences that are durable enough;
/// - the clock of a partition and its counts commit in the batch of the version that they count;
/// - a store gives out a counter or a stamp only below a reservation that is on disk.
///
/// Threads: the shard's loop; workers read from disk and force the log.
@NullMarked
package dev.tern.core.replica;

import org.jspecify.annotations.NullMarked;
