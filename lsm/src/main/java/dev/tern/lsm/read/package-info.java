/// What a reader looks through: the memtables and tables of one moment, and the merge of their
/// cursors.
///
/// Invariants:
/// - a state does not change, but for the growth of its memtables;
/// - of one key, each source holds newer versions than the sources behind it.
///
/// Threads: any thread may use a state inside an epoch in which it was current, or after it
/// retained the state; a cursor has one user. Uses: `entry`, `epoch`, `memtable`, `table`.
@NullMarked
package dev.tern.lsm.read;

import org.jspecify.annotations.NullMarked;
