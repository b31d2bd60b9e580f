/// The Riak door: Riak's protocol buffers over TCP, so that clients of Riak KV work unchanged.
///
/// ```
///   u32 length, u8 code, protobuf  -->  RiakConversation (order)  -->  RiakRequests  -->  Keyspace
/// ```
///
/// A bucket type is a keyspace; a bucket is a part of its keys ([BucketKey]). A stored value is the
/// client's RpbContent as it came, so that content type, links, indexes and metadata come back. The
/// door appends what only the store knows (vtag, time) when the value is read. Properties of
/// buckets and types are records of the type's keyspace; all nodes see a change within
/// [BucketProperties#FRESH_NANOS].
///
/// Invariants:
/// - answers leave in the order of their requests;
/// - a request that cannot be read closes its connection, after an error that says why;
/// - the door keeps nothing of a request after its answer.
///
/// Threads: a connection lives on one shard's loop.
///
/// Codes and fields: docs.riak.com, "Protocol Buffers Client API" of Riak KV 2 and 3.
@NullMarked
package dev.tern.gateway.riak;

import org.jspecify.annotations.NullMarked;
