/// The topology log at work on a node: which nodes are trusted, which topology is known, which
/// changes are agreed.
///
/// ```
///   other nodes --frames--> TopologyLog --> Greetings --> Acquaintances (trusted, strangers)
///   callers --Proposed--> Proposals --leader's RaftGroup--> TopologyMachine --state-->
///                              KnownTopology (KnownFile, durable) --> changed(state)
///   a leader's clock --> Governor --Proposed--> Proposals
/// ```
///
/// Invariants:
/// - a node goes by a state only after the state is on its disk, and never by an older state after
///   a newer one;
/// - a node passes on only states that were committed, and the founders' own at epoch 1;
/// - a node takes nothing from a node that has not greeted as a member of the same cluster.
///
/// Threads: the first shard's loop; methods say where another thread may call.
@NullMarked
package dev.tern.core.topology.log;

import org.jspecify.annotations.NullMarked;
