/// A node: its shards, and the wiring of the state machines of the packages below into each of
/// them.
///
/// ```
///   door --Keyspace--> shard (loop 0) --Network--> shards of other nodes
///                      shard (loop 1)
///                        | coordinator: requests in flight, quorums, read repair
///                        | replica: latches, pending versions, clocks, store
///                        | anti-entropy: clocks of other replicas, missing records
///   first shard also:  topology log, gossip
/// ```
///
/// Invariants:
/// - the state of a shard is touched on its loop only; shards exchange tasks;
/// - a node hears nothing but greetings from a node that has not greeted as a member.
@NullMarked
package dev.tern.core.node;

import org.jspecify.annotations.NullMarked;
