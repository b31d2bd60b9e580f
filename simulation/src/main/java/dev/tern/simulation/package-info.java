/// Whole clusters in one thread, from one seed: the production nodes, engine and codecs on
/// simulated clocks, loops, networks and disks.
///
/// ```
///   World: events in order of (time, number) --> SimulatedLoop tasks, frames, faults, clients
///     SimulatedNetwork: the encoded bytes, delayed, lost, doubled, reordered, cut
///     SimulatedDisk:    what was forced survives a power cut, of the rest a random part
///   ClusterRun: chaos --> heal --> every key read at r = n --> History checks what clients saw
/// ```
///
/// What is checked, for each key (every value written is unique):
/// - no value from nowhere: a read returns what some client tried to write, or nothing;
/// - freshness: a read of `r + w > n` never returns a version older than one that was acknowledged,
///   or read at such a level, before the read began. *Older* means: its write had ended before the
///   other write began;
/// - durability: after the heal the same holds of the last reads, so an acknowledged write is there
///   or replaced by one that did not end before it;
/// - counters: the sum is at least the acknowledged increments, where no suspicion was false;
/// - agreement: after the last reads all replicas answer alike.
///
/// Invariant: nothing depends on anything but the seed: a rolling hash of (time, node, event)
/// proves it.
///
/// Threads: one.
@NullMarked
package dev.tern.simulation;

import org.jspecify.annotations.NullMarked;
