/// The real world behind `env`: the only module whose code touches threads, clocks, files and
/// sockets on behalf of a node.
///
/// ```
///   NettyEventLoop --netty--> epoll loop <-- NettyNetwork: a connection a (loop, peer)
///        |                                 <-- client connections of the doors
///        +--offload--> worker threads <-- DirectoryFileSystem
/// ```
///
/// Invariants: a frame is sent on the loop of its shard and received on the loop of the shard it is
/// addressed to; nothing here knows what a frame means.
@NullMarked
package dev.tern.runtime;

import org.jspecify.annotations.NullMarked;
