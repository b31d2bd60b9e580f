/// Whole clusters in one thread, from one seed: the production nodes, engine and codecs on
/// simulated clocks, loops, networks and disks.
///
/// ```
///   World: events in order of (time, number) --> SimulatedLoop tasks, frames, faults, clients
///     SimulatedNetwork: the encoded bytes, delayed, lost, doubled, reordered, cut
///     SimulatedDisk:    what was forced survives a power cut, of the rest a random part; it may
///                       be full, slow, fail, or rot
///   ClusterRun: a shape from the seed --> chaos (Fault) --> heal --> every key read at r = n,
///               every node writes --> History and Tokens check what clients saw
/// ```
///
/// What is checked, for each key (every value written is unique):
/// - no value from nowhere: a read returns what some client tried to write, or nothing;
/// - freshness: a read of `r + w > n` never returns a version older than one that was acknowledged,
///   or read at such a level, before the read began. *Older* means: its write had ended before the
///   other write began;
/// - order: what a read of a majority has once shown to be newer than an acknowledged write stays
///   so, whatever the levels;
/// - durability: after the heal the same holds of the last reads, so an acknowledged write is there
///   or replaced by one that did not end before it;
/// - updates: the counter's sum is at most the increments tried, each append is done at most once,
///   and what was refused is not done; no two increments are told the same number, and nothing
///   acknowledged is missing, where no disk was lost, whoever led;
/// - lists: a walk with SCAN, whose pages any node answers, shows each key that had a value all the
///   time, and none that had none all the time or that nobody wrote ([KeyWalk]); when all is quiet
///   it shows what reads show, every node counts so many keys, and the nodes' parts add up to it;
/// - levels: a strict put is acknowledged when as many replicas as its level says have answered
///   that they hold it or something newer ([Wire]);
/// - stamps: after the heal no key shows less than the greatest stamp that a replica has answered
///   to hold, also where what had it is a delete that nobody keeps any more;
/// - doors: some clients speak to the Redis door and to the Riak door, in pieces and pipelines;
///   what they are told goes past the same histories ([RespClient], [RiakClient]);
/// - linearizability, of each key alone: gets and puts at `LINEARIZABLE`, also beside updates, and
///   puts beside updates at the level of the keyspace where two writes meet;
/// - identity: a dot stands for one write, a context is taken for its own key only, and a blind put
///   is minted twice at most, and not anew while its replicas have it or may take it ([Wire]);
/// - liveness: after the heal every node answers, and takes writes, even with a wrong clock;
/// - time: stamps are never far ahead of it while most clocks are right;
/// - a node stops of itself only when its disk has failed it, and starts whenever it does not;
/// - agreement: after the last reads all replicas answer alike. Where a disk rots, its node may
///   miss what it alone had and what it cannot read, record by record; the other nodes may not.
///
/// `RaftRun` runs Raft groups alone on the same worlds and disks, with clocks that drift: after
/// each event `RaftInvariants` looks at the node it happened on (one leader a term, logs that
/// match, complete leaders, the same state after the same index), and `RaftSubject` checks that
/// reads are linearizable and that every group is well after the heal.
///
/// Invariant: nothing depends on anything but the seed: a rolling hash of (time, node, event)
/// proves it.
///
/// Threads: one.
@NullMarked
package dev.tern.simulation;

import org.jspecify.annotations.NullMarked;
