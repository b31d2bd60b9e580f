/// The Java client: typed, asynchronous, one hop to a replica of the key.
///
/// ```
///   Bucket<V> --Call--> TernClient: slot of the key -> replicas -> the least busy connection
///                                   refused, and harmless to repeat: again, elsewhere
///             <------- CompletableFuture: a value, or a TernException that says what happened
/// ```
///
/// The client speaks Riak's protocol buffers to a node's Riak door, and one message of Tern's own
/// that tells where keys lie. A connection pipelines its requests. The messages are written by
/// hand: they are few and small, and a user's program may have another version of the protobuf
/// library, or none.
///
/// Threads: any thread may call. Futures complete on the client's loop, so a stage that is chained
/// to a future without an executor must not block.
@NullMarked
package dev.tern.client;

import org.jspecify.annotations.NullMarked;
