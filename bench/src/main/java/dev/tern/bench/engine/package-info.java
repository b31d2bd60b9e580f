/// The storage engine beside RocksDB's Java binding: the same work on both, in one run.
///
/// ```
///   EngineBench   opens a store of each engine, loads the same records, and gives each workload
///       |         in turns:  tern, rocksdb, rocksdb, tern, ...
///       v
///   Trial --> Lane (a thread, a histogram) --> Operation --> Engine.Session / Engine.Cursor
///       |                                                        LsmEngine | RocksEngine
///       |<-- HiccupMeter (a process of its own: what the machine withholds)
///       v
///   Outcome --> Report (table, JSON)          LongFill --> FillPlot (HTML)
/// ```
///
/// Invariants:
/// - both engines get the same keys and values in the same order, as `byte[]` in and out;
/// - every answer is checked ([Records]); a wrong answer ends the benchmark;
/// - one engine works at a time: the benchmark waits for what a workload leaves to be flushed or
///   compacted before the other engine's turn, and counts that in bytes written.
///
/// Threads: a lane has a thread; everything else belongs to the thread that called.
@NullMarked
package dev.tern.bench.engine;

import org.jspecify.annotations.NullMarked;
