/// Who lives, as this node believes.
///
/// ```
///   gossip frames --> Liveness --drives--> gossip.Gossip
///                        |  believes
///                        v
///                    Sightings  <-- doubt: a shard's connection to a member broke
///                        |
///                        v
///                    alive(member)   asked by all shards
/// ```
///
/// [Liveness] is the driver of the state machine in [dev.tern.core.gossip]: it has the node's
/// clock, its generation on disk and its network. [Sightings] is what it publishes.
///
/// Invariant: a member that is believed dead is believed so only until gossip says otherwise;
/// nothing here removes a member.
///
/// Threads: [Liveness] on the first shard's loop; [Sightings] by all shards.
@NullMarked
package dev.tern.core.liveness;

import org.jspecify.annotations.NullMarked;
