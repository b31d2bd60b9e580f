/// What is merged, how, and at what pace.
///
/// ```
///   Levels --CompactionPicker--> Plan --> Merge --> tables
///                                            '--> Pacer: waits while compactions are ahead
/// ```
///
/// Invariants:
/// - a plan never has a table that another compaction has, or that is set aside;
/// - a merge keeps of each key what a snapshot or a reader of now can see.
///
/// Threads: a picker is called under the manifest lock of the store; a merge has one thread; a
/// pacer any. Uses: `entry`, `table`.
@NullMarked
package dev.tern.lsm.compaction;

import org.jspecify.annotations.NullMarked;
