/// Makes the replicas of a partition alike where requests did not.
///
/// ```
///   what is on disk here --Clock--> other replicas      a second after it changed
///   said twice, not here --Missing--> who said it        dots, by the log of dots
///                        <--Repaired--                   their records, a page at a time
///   every replica has it: its entry in the log of dots goes
///   every replica has a delete, and all that was written before any had it: the delete goes
///
///   hash tree of what is really here --Root--> one other replica       a partition at a time,
///                                   <--Segments--  which differ        over and over
///   hashes of a segment's records --Listed-->
///                                <--Repaired--     what is there otherwise
/// ```
///
/// The lower part ([Scrub]) is for what no clock sees: what a disk lost or altered. It reads all
/// records in the course of some hours, at a bounded rate.
///
/// After Gonçalves et al., "DottedDB: Anti-Entropy without Merkle Trees, Deletes without
/// Tombstones" (2017): replicas exchange the dots they have instead of hashes of the data, and ship
/// exactly what is missing.
///
/// Invariants:
/// - a replica says only what is on its disk, and claims a dot only when its record, or what
///   replaced it, is on its disk;
/// - a dot's entry in the log goes when all replicas said they have the dot; of a log longer than
///   [dev.tern.core.Limits#loggedDots] when those that are there did. Who lacks a dot whose entry
///   is gone has lost its disk or was away for long, and takes the whole partition;
/// - requests for records are bounded ([AntiEntropy#MAX_FETCHES], one a partition, a page each) and
///   refused by a store that is behind like any write;
/// - what the clock here says was here is stored again only if the replica that has it must have
///   seen whatever could have replaced it, see [dev.tern.core.replica.Trees#heal].
///
/// Threads: the shard's loop; records are read on workers.
@NullMarked
package dev.tern.core.repair;

import org.jspecify.annotations.NullMarked;
