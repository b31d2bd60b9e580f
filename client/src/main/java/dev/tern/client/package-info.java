/// The Java client: typed, asynchronous, one hop to a replica of the key.
///
/// ```
///   Bucket<V> --Call--> TernClient: slot of the key -> replicas -> the least busy connection
///                                   refused and harmless: again, elsewhere
///             <------- CompletableFuture: a value, or a TernException that says what happened
/// ```
///
/// It speaks Riak's protocol buffers to a node's Riak door, and one message of Tern's own that
/// tells where keys lie; requests of a connection are pipelined. The messages are few and small, so
/// they are written by hand: a user's program has its own version of the protobuf library, or none.
///
/// Threads: any thread may call; futures complete on the client's loop, so what is chained to them
/// without an executor must not block.
@NullMarked
package dev.tern.client;

import org.jspecify.annotations.NullMarked;
