/// The HTTP door, for people and monitors.
///
/// ```
///   GET /metrics           --> Route (a page)    --> text or JSON
///   POST /keyspace/create  --> Route (an action) --> JSON with the outcome
/// ```
///
/// `server` says which routes there are: this package knows none. A route that changes something
/// takes POST with a JSON body only.
///
/// Invariant: the door answers or refuses every request, whatever its bytes.
///
/// Threads: the door has a loop of its own, never a shard's. A route may complete a page on any
/// thread.
@NullMarked
package dev.tern.gateway.http;

import org.jspecify.annotations.NullMarked;
