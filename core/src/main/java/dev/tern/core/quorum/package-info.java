/// Requests over N replicas: who is asked, how many answers make an outcome, what is repaired.
///
/// ```
///   Keyspace.read ----> ReadOperation ----Read----> replicas  newest of r; others repaired
///   Keyspace.update --> WriteOperation ---Write---> replicas   acknowledged by w
///        (not blind) -> Updates: rounds of read + evaluate + write, at the first live replica
///        (no replica here) -> Forward --> a replica
///
///   each request:  Admission  does it fit beside those under way? else: refused, retry after
///   read at ONE:   HotKeys    read much? --> ReadCache   lately read? answered
///                                       else any replica in turn
/// ```
///
/// Invariants:
/// - every operation lies in [InFlight] from its first message to its one outcome, and has a
///   deadline;
/// - a write that was handed to any replica is never *refused* afterwards: it is done or unknown;
/// - an answer is taken from a replica once, however often the network delivers it.
///
/// Threads: one shard's loop.
@NullMarked
package dev.tern.core.quorum;

import org.jspecify.annotations.NullMarked;
