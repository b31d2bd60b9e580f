/// The replicas of one shard: what is stored, in which order, and when it counts as durable.
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
