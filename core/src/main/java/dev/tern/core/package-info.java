/// A node: its shards, and the wiring of the state machines below into one of them.
///
/// ```
///   door --Keyspace--> shard(loop 0) --Network--> shards of other nodes
///                      shard(loop 1)
///                        | coordinator: requests in flight, quorum, read repair
///                        | replica: latches, pending versions, clocks, lsm
/// ```
///
/// Invariant: a shard's state is touched on its loop only; shards exchange messages.
@NullMarked
package dev.tern.core;

import org.jspecify.annotations.NullMarked;
