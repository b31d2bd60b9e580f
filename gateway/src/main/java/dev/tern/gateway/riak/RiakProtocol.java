package dev.tern.gateway.riak;

import dev.tern.core.keyspace.Caller;
import dev.tern.core.node.Node;
import dev.tern.core.topology.Member;
import dev.tern.env.Clock;
import dev.tern.gateway.session.Conversation;
import dev.tern.gateway.session.Outlet;
import dev.tern.gateway.session.Protocol;
import java.util.ArrayList;
import java.util.List;

/// Riak's protocol buffers in front of all keyspaces but one.
///
/// Threads: any; a conversation lives on its shard's loop.
public final class RiakProtocol implements Protocol {
  private static final byte[] NOTHING = {};

  private final Node node;
  private final String reserved;

  /// By shard: each is used on its loop only.
  private final List<PropertiesCache> properties = new ArrayList<>();

  /// @param clock by which properties of buckets grow old
  /// @param reserved name of a keyspace that is no bucket type
  public RiakProtocol(Node node, Clock clock, String reserved) {
    this.node = node;
    this.reserved = reserved;
    for (int shard = 0; shard < node.shards(); shard++) {
      properties.add(new PropertiesCache(clock));
    }
  }

  @Override
  public String name() {
    return Member.Ports.RIAK;
  }

  @Override
  public String title() {
    return "Riak";
  }

  @Override
  public Conversation converse(int shard, Caller caller, Outlet outlet) {
    RiakRequests requests = new RiakRequests(node, shard, caller, reserved, properties.get(shard));
    return new RiakConversation(requests, outlet);
  }

  /// Riak says nothing to a client that it does not take.
  @Override
  public byte[] full() {
    return NOTHING.clone();
  }
}
