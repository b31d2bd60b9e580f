/// A world for the code that runs on [dev.tern.env]: its time, threads, disks and network,
/// simulated in one thread from one seed, and what tests give to decoders.
///
/// ```
///   World: events in order of (time, number) --> tasks of SimulatedLoop, frames, whatever is due
///     SimulatedClock, DriftingClock: a node's clocks, wrong by an offset or by a rate
///     SimulatedNetwork: the encoded bytes, delayed, lost, doubled, reordered, cut
///     SimulatedDisk:    what was forced survives a power cut, of the rest a random part; it may
///                       be full, slow, fail, or rot
/// ```
///
/// Tests of the engine and of the core, and the module `simulation`, run production code on it.
/// Production code never does.
///
/// Invariant: nothing depends on anything but the seed: [World#hash] of two runs is the same.
///
/// Threads: one.
@NullMarked
package dev.tern.world;

import org.jspecify.annotations.NullMarked;
