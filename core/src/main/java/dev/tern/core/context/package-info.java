/// What all parts of a shard are given when they are made: who the shard is, its surroundings, its
/// bounds, and where it counts.
///
/// ```
///   node: ShardContext --> coordinator, operations, peers, anti-entropy
///           Limits         bounds that seeds set low
///           PlantedBug     one mistake that a test switches on
///           Statistics     counters; read by any thread
///           Foreground     how long clients wait
/// ```
///
/// Invariant: the package uses none of the parts that use it. A part takes from here what it does
/// not own, and nothing here calls a part.
///
/// Threads: a context is used on its shard's loop; [Statistics] says what others may read.
@NullMarked
package dev.tern.core.context;

import org.jspecify.annotations.NullMarked;
