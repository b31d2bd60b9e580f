package dev.tern.lsm.budget;

/// What the memory of a store is for.
public enum MemoryPart {
  /// Arrays of memtables, on the heap; those that are kept for the next ones among them.
  MEMTABLES,

  /// Blocks that are cached, outside the heap, and what finds them, on the heap.
  CACHE,

  /// Filters and top indexes of open tables, outside the heap.
  INDEXES,

  /// What the lists of tables and of column families take, on the heap.
  TABLES,

  /// Handles of open files, on the heap.
  FILES,

  /// Blocks outside the cache: in use, or buffers kept for the next ones. Outside the heap.
  BUFFERS,

  /// What flushes and compactions write through, on the heap.
  JOBS,

  /// Batches that the log gathers, on the heap.
  LOG
}
