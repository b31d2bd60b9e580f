/// One shard's replicas: what is stored, in which order, and when it counts as durable.
///
/// ```
///   mutate (mint here) --\                      +--> memtable (readable at its sequence)
///   apply (minted there) --> latch? -> append --+--> log buffer --tick--> OS --offload--> disk
///                                                            |                    |
///                                          waiters of durability OS      waiters of SYNC
/// ```
///
/// Invariants:
/// - between the read of a key's base and the append of its next version nothing else touches the
///   key: either it happens in one turn of the loop, or the key is latched while its base is read
///   from disk;
/// - a version appended but not yet durable is *pending*: the base of the next write, invisible to
///   reads, which look only at sequences that are durable enough;
/// - the clock of a partition and its counts commit in the batch of the version they count;
/// - a counter or stamp is given out only below a reservation that is on disk.
///
/// Threads: everything runs on the shard's loop; disk reads and fsyncs are offloaded.
@NullMarked
package dev.tern.core.replica;

import org.jspecify.annotations.NullMarked;
