/// Entries and their order: what the log, memtables, tables and iterators agree on.
///
/// ```
///   BatchEntries --apply--> memtable          Cursor:  walks a source in order
///   Lookup:  one key, newest source first     Deletions: the deleted ranges of all sources
/// ```
///
/// Invariants:
/// - keys are ordered by unsigned bytes; of one key, the entry with the higher sequence comes
///   first;
/// - a lookup and a cursor borrow bytes: they change with the next move.
///
/// Threads: an object of this package has one user at a time, but for [RangeTombstones], which is
/// immutable. Uses: `env`.
@NullMarked
package dev.tern.lsm.entry;

import org.jspecify.annotations.NullMarked;
