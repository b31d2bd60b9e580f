package dev.tern.env;

/// Frames between nodes: unreliable, unordered in principle, never blocking.
///
/// A node is known by its number (see the topology), a frame goes to one shard of a node. A frame
/// arrives whole and unchanged (checksummed below) or not at all; it may also arrive late, after a
/// frame sent later, and, when a connection breaks, nobody learns which frames were lost. What a
/// frame means is the business of `core`; how it is cut, versioned and checked on the wire that of
/// the implementation.
public interface Network {
  /// The largest payload of a frame, bytes.
  int MAX_PAYLOAD_BYTES = 32 << 20;

  /// Begins to receive and to reach other nodes; called once, before anything is sent.
  void start(Receiver receiver);

  /// Makes `node` reachable at `host:port`; called again when an address changes. Any loop; before
  /// [#start] it only makes the node known, so that its greeting is not refused.
  void connect(int node, String host, int port);

  /// Sends a copy of `payload`'s written bytes from shard `fromShard` of this node to shard
  /// `toShard` of `node`. Called on the loop of `fromShard`. False: not sent, because the peer is
  /// not connected or its queue of unsent bytes is full (back-pressure; the caller treats the peer
  /// as overloaded). True promises nothing.
  boolean send(int fromShard, int node, int toShard, ByteWriter payload);

  /// Whether a connection to `node` is believed open, seen from `fromShard`'s loop.
  boolean connected(int fromShard, int node);

  /// Whether [#send] would take a frame to `node` now, as far as is known; called on the loop of
  /// `fromShard`.
  default boolean hasRoom(int fromShard, int node) {
    return connected(fromShard, node);
  }

  /// What a node does with what arrives.
  interface Receiver {
    /// A frame for `toShard`, called on that shard's loop. The reader is valid during the call
    /// only; what is kept must be copied out. A [DecodeException] thrown from here closes the
    /// connection the frame came on, and nothing else.
    void frame(int fromNode, int fromShard, int toShard, ByteReader payload);

    /// The connection of `shard` to `node` opened, or one to or from it broke: what was sent, or
    /// answered, may be lost. Called on that shard's loop.
    void connection(int shard, int node, boolean open);
  }
}
