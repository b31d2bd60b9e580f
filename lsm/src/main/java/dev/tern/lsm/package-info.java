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
/// | classes | responsibility |
/// |---|---|
/// | [Lsm] | the store: what users call |
/// | `WriteLog`, `LogFile` | the write-ahead log: the sequence of files, and one file |
/// | `Memtable`, `Chunks` | the part of the store in memory, and its memory |
/// | `Table`, `TableWriter`, `BlockBuilder`, `BlockCursor` | sorted tables |
/// | `BlockCache`, `Epochs` | blocks in memory, and readers without locks |
/// | `Upkeep`, `CompactionPicker`, `Merge` | when to compact, what, and how |
/// | `Tables`, `Manifest` | the lists of tables, in memory and on disk |
/// | `Recovery` | opens a store |
///
/// Invariants:
/// - each entry has a sequence, one higher than that of the entry before;
/// - readers see all of a batch or nothing of it;
/// - the log is a prefix of what was written; a flush begins only when the log is durable up to
///   what the flush writes, so a table never holds what a crash could take back;
/// - of one key, each source holds newer versions than the sources behind it;
/// - the store deletes a table or log only after a manifest that does not name the file is durable,
///   and no reader can see the file.
///
/// Threads: any, see each method. Writers take one lock; readers take none.
@NullMarked
package dev.tern.lsm;

import org.jspecify.annotations.NullMarked;
