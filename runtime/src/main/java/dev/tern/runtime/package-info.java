/// The real implementation of `env`: the only module whose code touches threads, clocks, files and
/// sockets on behalf of a node.
///
/// ```
///   NettyEventLoop --netty--> loop of io_uring, epoll or NIO <-- NettyNetwork: a connection a
///        |                                 |                      (loop, peer)
///        |                                 +<-- client connections of the doors
///        +--offload--> worker threads <-- DirectoryFileSystem
/// ```
///
/// Invariants:
/// - the network sends a frame on the loop of the shard that sent it, and delivers the frame on the
///   loop of the shard to which it is addressed;
/// - nothing in this package knows what a frame means.
///
/// Threads: each class says on its methods who may call them.
@NullMarked
package dev.tern.runtime;

import org.jspecify.annotations.NullMarked;
