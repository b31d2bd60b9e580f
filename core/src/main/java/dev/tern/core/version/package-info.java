/// Versions of values, the clocks that order and count them, and the time of the cluster.
///
/// ```
///   accepted write --> dot (replica id, counter)   which write it is: counted by DotSet
///                  \-> stamp (HybridClock)         its place in the order of last-write-wins
/// ```
///
/// Invariants:
/// - a dot names one version for ever;
/// - two versions with the same dot are the same version, and only these;
/// - [Rank] (stamp, then dot) orders all versions of a key, the same on every replica;
/// - a clock never claims a dot that its store does not hold or has not held.
///
/// Threads: values are immutable. Clocks belong to a shard's loop. [ClusterTime] says who calls it.
@NullMarked
package dev.tern.core.version;

import org.jspecify.annotations.NullMarked;
