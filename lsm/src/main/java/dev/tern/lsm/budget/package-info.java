/// Who holds how much memory, and how much each may hold.
///
/// ```
///   memtables, cache, open tables, buffers, jobs, log --add--> MemoryAccount (a store's)
///                                                                   |
///   cacheLimit, indexLimit, memtableLimit <------------------- MemoryBudget
/// ```
///
/// Invariants:
/// - the budget holds the sum of its accounts;
/// - an account that was closed holds nothing, and nothing can be added to it.
///
/// Threads: any. Uses nothing.
@NullMarked
package dev.tern.lsm.budget;

import org.jspecify.annotations.NullMarked;
