/// Who the members are and which of them hold which partition.
///
/// ```
///   key --CRC16--> slot (16384) --/ (16384/Q)--> partition (Q) --Topology--> ordered replica list
/// ```
///
/// Invariants: a [Topology] is immutable and has one epoch; a list names each node once; every node
/// with the same topology computes the same lists.
///
/// Threads: immutable, any.
@NullMarked
package dev.tern.core.topology;

import org.jspecify.annotations.NullMarked;
