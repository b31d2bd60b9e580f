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
/// This package is what embedders use, and the assembly of the packages below it:
///
/// | classes | responsibility |
/// |---|---|
/// | [Lsm] | the store: what users call |
/// | [WriteBatch], [ColumnFamily], [LsmOptions], [Snapshot], [LsmIterator] | what users hold |
/// | [LsmGroup] | what several stores share |
/// | `Readers` | what readers see, and how they look; open snapshots and iterators |
/// | `BatchWriter`, `Throttle` | writes, and how long writers wait |
/// | `Lifetime` | whether the store is open, and the jobs inside it |
/// | `Tables` | the lists of tables, in memory and in the manifest |
/// | `Flushes`, `Compactions` | the jobs that write tables |
/// | [TableFileWriter], `Ingests` | tables from outside: written, staged, taken in |
/// | `TableHolders` | which tables some reader may still use |
/// | `Upkeep` | when to flush and to compact, and the pressure on writers |
/// | `Publication` | replaces what readers see |
/// | `Recovery`, `Replay`, `Closing`, `Checkpoint` | open a store, close it, copy it |
/// | [Inspection] | looks at files, for people |
///
/// | package | concept | uses |
/// |---|---|---|
/// | `file` | names of files, whole reads, `CorruptionException` | |
/// | `entry` | keys, kinds, entries of batches, deleted ranges, cursors | |
/// | `epoch` | readers without locks | |
/// | `budget` | who holds how much memory | |
/// | `cache` | blocks in memory | `budget`, `epoch` |
/// | `table` | sorted tables and their levels | `budget`, `cache`, `entry`, `epoch`, `file` |
/// | `memtable` | the part of the store in memory | `budget`, `entry` |
/// | `log` | the write-ahead log | `budget`, `entry`, `file` |
/// | `manifest` | which files make up the store | `file`, `log`, `table` |
/// | `read` | what a reader looks through | `entry`, `epoch`, `memtable`, `table` |
/// | `compaction` | what is merged, how, and at what pace | `entry`, `table` |
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
