/// Requests over N replicas: which replicas are asked, how many answers make an outcome, and which
/// replicas are repaired.
///
/// ```
///   Keyspace.read ----> ReadOperation ----Read----> replicas   newest of r
///                          ReadRepair -----Write---> replicas   that lack it
///   Keyspace.update --> WriteOperation ---Write---> replicas   acknowledged by w
///        (not blind) -> Updates: rounds of read + evaluate + write, at the first live replica
///        (no replica here) -> Forward --> a replica
///
///   each request:  Admission  does its cost fit beside those under way? else: refused, retry after
///   read at ONE:   HotKeys    is the key hot? --> ReadCache   was it read lately? answered
///                                                 else the live replicas in turn
///   other nodes' requests to replicas here: Responder
/// ```
///
/// What the parts of the [Coordinator] know: [Requests] what a level asks of a key,
/// [PreferenceLists] who keeps the key and who stands in, [Transport] how to send, [Quorum] what
/// votes come to.
///
/// Invariants:
/// - an operation lies in [InFlight] from its first message to its one outcome, and has a deadline;
/// - a write that was handed to any replica is never *refused* afterwards: it is done or unknown;
/// - an operation counts one answer a replica, however often the network delivers the answer.
///
/// Threads: one shard's loop.
@NullMarked
package dev.tern.core.quorum;

import org.jspecify.annotations.NullMarked;
