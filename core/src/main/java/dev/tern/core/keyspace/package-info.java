/// What a door may ask of a node: read, update, scan and count, in the terms of keys and values.
///
/// ```
///   door (redis, ...) --Keyspace.read/update/scan--> coordinator --> replicas
///                     <--- one Outcome per request ---
/// ```
///
/// Invariants:
/// - every request gets exactly one outcome, within its deadline;
/// - outcomes tell *done*, *refused* (had no effect, may be tried again) and *unknown* (may or may
///   not have had its effect) apart;
/// - no name of a shard, a replica or of storage appears here, and no name of a protocol.
///
/// Threads: a [Keyspace] handle belongs to one event loop; requests and completions run on it.
@NullMarked
package dev.tern.core.keyspace;

import org.jspecify.annotations.NullMarked;
