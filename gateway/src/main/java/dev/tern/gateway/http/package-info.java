/// The HTTP door for people and monitors: `/health`, `/metrics`, `/cluster`.
///
/// ```
///   GET /metrics --> Route.text --> Prometheus text
/// ```
///
/// Invariant: nothing here changes anything; every request is answered or refused, whatever its
/// bytes.
///
/// Threads: a loop of its own, never a shard's.
@NullMarked
package dev.tern.gateway.http;

import org.jspecify.annotations.NullMarked;
