/// Uncompressed blocks in native memory, shared by all tables of one or several stores.
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
/// - the cache adds no slab beyond what its budget leaves it.
///
/// Threads: any. Uses: `budget`, `epoch`.
@NullMarked
package dev.tern.lsm.cache;

import org.jspecify.annotations.NullMarked;
