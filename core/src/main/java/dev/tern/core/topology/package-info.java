/// The topology: who the members are, which keyspaces there are, and which members hold which
/// partition.
///
/// ```
///   key --CRC16--> slot (16384) --/ (16384/Q)--> partition (Q) --Topology--> ordered replica list
///
///   Founding (what each founder is told) --> TopologyState at epoch 1
///   log of Proposed commands --apply--> TopologyState --topology(policy)--> Topology
///     (planner's lists inside)            cluster id, members, keyspaces, groups, voters
/// ```
///
/// Invariants:
/// - a [Topology] and a [TopologyState] are immutable and have one epoch;
/// - a list names each node once;
/// - the same commands give the same state everywhere, whatever the version of the node;
/// - numbers of members, ids of keyspaces, numbers of replica sets and ids of replicas are given
///   out once.
///
/// Threads: immutable, any thread.
@NullMarked
package dev.tern.core.topology;

import org.jspecify.annotations.NullMarked;
