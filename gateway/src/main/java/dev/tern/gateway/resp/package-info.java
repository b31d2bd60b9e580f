/// The Redis door: RESP2 and RESP3 in front of a keyspace.
///
/// ```
///   bytes --RespDecoder--> arguments --CommandTable--> RedisSession --Keyspace--> core
///   bytes <--RespWriter--- replies in order <--------- pending requests <-------- outcomes
/// ```
///
/// Invariants:
/// - replies leave in the order of their requests;
/// - requests of one connection that touch the same key take effect in their order;
/// - the decoder never allocates what a client announces before the bytes arrive.
///
/// Threads: a connection lives on one shard's loop.
@NullMarked
package dev.tern.gateway.resp;

import org.jspecify.annotations.NullMarked;
