/// The part of a store that is in memory: a skip list with a hash index, and the deleted ranges.
///
/// Invariants:
/// - a node or version is filled before it is linked, and never overwritten;
/// - each entry is newer than all that the memtable has.
///
/// Threads: one writer at a time, under the store's lock; any number of readers, without locks.
/// Uses: `entry`.
@NullMarked
package dev.tern.lsm.memtable;

import org.jspecify.annotations.NullMarked;
