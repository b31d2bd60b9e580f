/// The connection engine: what every door does with a socket, once for all protocols.
///
/// ```
///   socket --> Connection --bytes--> Conversation --requests--> Backlog, KeyOrder --> Keyspace
///   socket <-- Connection <--bytes-- Conversation <--replies--- Backlog           <-- outcomes
/// ```
///
/// A receive buffer is handed to the conversation whole. The conversation parses and starts every
/// request in the buffer in one pass, and all replies that a turn of the loop brings leave in one
/// write. A protocol supplies a [Protocol] and its [Conversation]: a decoder, what requests do, and
/// how replies become bytes. A conversation knows no socket, so the simulator runs conversations
/// without one.
///
/// Invariants: replies leave in the order of their requests; requests of one connection on one key
/// take effect in their order; what a client announces is never allocated before it arrives; what a
/// connection holds of requests and replies is bounded, and a connection that exceeds its bound is
/// closed with a reason in the log and in the metrics.
///
/// Threads: a connection and its conversation live on one shard's loop.
@NullMarked
package dev.tern.gateway.session;

import org.jspecify.annotations.NullMarked;
