/// Uncompressed blocks in native memory, shared by all tables of a store.
///
/// ```
///   BlockCache.get --hit--> Block (until the epoch ends, or unpin)
///       miss --> reserve --> the reader fills it --> publish
///   NativeMemory.take --> a buffer of its own, for what the cache does not admit
/// ```
///
/// Invariants:
/// - the memory of a block is not given to another block while a reader that could have found it is
///   inside its epoch, while the block is pinned, or while it is lent;
/// - the cache holds no more native memory than its capacity, less what it was charged for.
///
/// Threads: any. Uses: `epoch`.
@NullMarked
package dev.tern.lsm.cache;

import org.jspecify.annotations.NullMarked;
