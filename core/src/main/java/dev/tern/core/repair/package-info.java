/// Anti-entropy: makes the replicas of a partition alike where requests did not.
///
/// ```
///   clock on disk here ---Clock--> other replicas    a second after it changed
///   told twice, not here -Missing--> the teller      dots, looked up in the teller's log of dots
///                      <--Repaired--                 the records of these dots, a page at a time
///   newcomer, lacks much -AskChunk-> a replica       the rows of one moment, a chunk at a time,
///                      <--Chunk--                    and the clock of that moment: they become
///                                                    readable together, as tables
///   all replicas have a dot:      its entry in the log of dots goes
///   all replicas have a tombstone, and all that was written before any of them had it:
///                                 the tombstone goes
///
///   hash tree of the records ---Root--> one other replica    a partition at a time,
///                        <--Segments--  which differ         over and over
///   hashes of a segment's records ---Listed-->
///                        <--Repaired--  the records that differ
/// ```
///
/// The lower part ([Scrub]) finds what clocks cannot show: what a disk lost or altered. It reads
/// all records in the course of some hours, at a bounded rate.
///
/// After Gonçalves et al., "DottedDB: Anti-Entropy without Merkle Trees, Deletes without
/// Tombstones" (2017): replicas exchange the dots that they have instead of hashes of the data, and
/// ship exactly what is missing.
///
/// Invariants:
/// - a replica tells only what is on its disk;
/// - a replica claims a dot only when the record of the dot, or what replaced it, is on its disk;
/// - an entry of the log of dots goes when all replicas have told that they have the dot. A log
///   that is longer than [dev.tern.core.context.Limits#loggedDots] does not wait for replicas that
///   are away;
/// - a replica that lacks a dot without an entry has lost its disk or was away for long: it takes
///   the whole partition (a rebuild). So it does where the sender cannot read the entry;
/// - requests for records are bounded: [Fetches#MAX_FETCHES], one a partition, a page each. A store
///   that is overloaded refuses their records like any write;
/// - a record whose dot the clock here knows, and which is not here, is stored again only if the
///   replica that sends it must have seen whatever could have replaced it, see
///   [dev.tern.core.replica.Trees#heal].
///
/// Threads: the shard's loop; workers read the records.
@NullMarked
package dev.tern.core.repair;

import org.jspecify.annotations.NullMarked;
