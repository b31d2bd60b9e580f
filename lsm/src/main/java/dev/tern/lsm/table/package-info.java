/// Sorted tables: the format, writing, reading, and the levels that a column family's tables form.
///
/// ```
///   TableWriter --> file --> Table --> RunCursor (walks)     Levels: the tables of a family
///                                  --> find(BlockLookup)
/// ```
///
/// Invariants:
/// - a table never changes once it is written;
/// - all versions of a key lie in one data block;
/// - the tables of a level below 0 are disjoint and in order;
/// - a block is used only after its checksum was verified.
///
/// Threads: a table and [Levels] may be used by any thread, a writer or a cursor by one. Fields
/// that compactions set are guarded by the manifest lock of the store. Uses: `cache`, `entry`,
/// `epoch`, `file`.
@NullMarked
package dev.tern.lsm.table;

import org.jspecify.annotations.NullMarked;
