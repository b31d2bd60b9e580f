/// An embedded log-structured merge store (O'Neil et al., "The log-structured merge-tree", 1996).
///
/// ```
///   write(batch) --> log buffer --flushLog--> OS --syncLog--> disk
///        |
///        +--> memtable --full--> immutable memtable --flush--> level 0 --compaction--> levels 1-6
///
///   get:  memtable, immutable ones, level 0 newest first, one table a level
///         each table: filter -> top index -> index block -> data block     (blocks: cache or file)
///   scan: the same sources, merged
/// ```
///
/// Who does what: [Lsm] is the store; `WriteLog` and `LogFile` the log; `Memtable`; `Table`,
/// `TableWriter`, `BlockBuilder` and `BlockCursor` the tables; `BlockCache` and `Epochs` let
/// readers go without locks; `Upkeep` decides when, `CompactionPicker` what, `Merge` how to
/// compact; `Tables` and `Manifest` keep the lists; `Recovery` opens.
///
/// Invariants:
/// - sequences grow by one an entry; what a batch wrote is seen whole or not at all;
/// - the log is a prefix of what was written, and a flush begins only when the log covers it
///   durably, so a table never holds what a crash could take back;
/// - of one key, all that a source holds is newer than what the sources behind it hold;
/// - a table or log is deleted only after the manifest that no longer names it is durable, and no
///   reader can see it.
///
/// Threads: any, see each method. Writers take one lock; readers take none.
@NullMarked
package dev.tern.lsm;

import org.jspecify.annotations.NullMarked;
