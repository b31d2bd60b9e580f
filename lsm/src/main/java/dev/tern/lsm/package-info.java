/// An embedded log-structured merge store (O'Neil et al., "The log-structured merge-tree", 1996).
///
/// ```
///   write(batch) --> log buffer --flushLog--> OS --syncLog--> disk
///        |
///        +--> memtable --full--> immutable memtable --flush--> table (level 0)
///                                                                 |
///   get: memtable, immutable, newest table ... oldest        compaction (size-tiered)
/// ```
///
/// Invariants:
/// - sequences grow by one an entry; what a batch wrote is seen whole or not at all;
/// - the log is a prefix of what was written, and a flush begins only when the log covers it
///   durably, so a table never holds what a crash could take back;
/// - a table or log is deleted only after the manifest that no longer names it is durable.
///
/// Threads: any, see each method. Writers take one lock; readers take none.
@NullMarked
package dev.tern.lsm;

import org.jspecify.annotations.NullMarked;
