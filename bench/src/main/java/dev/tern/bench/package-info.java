/// Benchmarks of Tern beside other stores, in one run.
///
/// ```
///   RespLoad: round on Tern, round on the peer, round on Tern, ... --> medians and ratios
/// ```
///
/// Invariant: in open loop a latency is measured from the moment when the request was due, not from
/// the moment when it could be sent, so a stall is not hidden (no coordinated omission).
///
/// Threads: one a connection.
@NullMarked
package dev.tern.bench;

import org.jspecify.annotations.NullMarked;
