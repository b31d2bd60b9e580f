/// The world as Tern sees it, and the bytes that all modules share.
///
/// ```
///            +-------------------- Environment --------------------+
///   node --> | Clock   EventLoop   Network   FileSystem   Randomness |
///            +------------------------------------------------------+
///                 |                                    |
///          runtime: the real ones          simulation: one thread, one seed
/// ```
///
/// Invariants:
/// - `lsm`, `core` and `simulation` reach threads, clocks, randomness, files and sockets through
///   these interfaces only; ArchUnit holds that. So a whole cluster replays from a seed.
/// - An [EventLoop] runs its tasks one at a time. The state of a shard is touched on its loop only.
///
/// Threads: each interface says on its methods who may call them.
@NullMarked
package dev.tern.env;

import org.jspecify.annotations.NullMarked;
