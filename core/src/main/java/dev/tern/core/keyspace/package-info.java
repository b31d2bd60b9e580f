/// What a door may ask of a node: read, update, scan and count, in terms of keys and values.
///
/// ```
///   door --Keyspace.read, update, scan, count--> coordinator --> replicas
///        <--- one outcome a request ---
/// ```
///
/// Invariants:
/// - a request gets exactly one outcome, within its deadline;
/// - an outcome is *done*, *refused* (the request had no effect and may be repeated) or *unknown*
///   (the request may or may not have had its effect);
/// - the interface names no shard, no storage and no protocol.
///
/// Threads: a [Keyspace] handle belongs to one event loop; requests and completions run on that
/// loop.
@NullMarked
package dev.tern.core.keyspace;

import org.jspecify.annotations.NullMarked;
