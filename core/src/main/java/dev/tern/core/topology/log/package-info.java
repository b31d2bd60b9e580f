/// The topology log at work on a node: who is trusted, what is known, what is agreed.
///
/// ```
///   other nodes --frames--> TopologyLog --greetings--> Acquaintances (trusted, strangers)
///   callers --Proposed--> Proposals --leader's RaftGroup--> TopologyMachine --state-->
///                              KnownFile (durable) --> changed(state)
/// ```
///
/// Invariants: a node goes by a state only after it is on its disk, and never by an older one after
/// a newer; a state that is passed on was committed, or is the founders' own at epoch 1; nothing is
/// taken from a node that has not greeted as a member of the same cluster.
///
/// Threads: the first shard's loop, but where said.
@NullMarked
package dev.tern.core.topology.log;

import org.jspecify.annotations.NullMarked;
