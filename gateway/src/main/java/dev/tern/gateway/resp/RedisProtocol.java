package dev.tern.gateway.resp;

import dev.tern.core.keyspace.Caller;
import dev.tern.core.node.Node;
import dev.tern.core.topology.Member;
import dev.tern.gateway.session.ClusterStatus;
import dev.tern.gateway.session.Conversation;
import dev.tern.gateway.session.Outlet;
import dev.tern.gateway.session.Protocol;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/// RESP2 and RESP3 in front of one keyspace.
///
/// Threads: any; a conversation lives on its shard's loop.
public final class RedisProtocol implements Protocol {
  private static final String FULL = "-ERR max number of clients reached\r\n";

  private final Node node;
  private final ClusterStatus cluster;
  private final String keyspace;
  private final List<DoorStatistics> statistics = new ArrayList<>();
  private final ServerCommands server;
  private final AtomicLong ids = new AtomicLong();

  /// @param keyspace whose keys clients see
  public RedisProtocol(Node node, String keyspace) {
    this.node = node;
    this.cluster = ClusterStatus.of(node);
    this.keyspace = keyspace;
    for (int shard = 0; shard < node.shards(); shard++) {
      statistics.add(new DoorStatistics());
    }
    this.server = new ServerCommands(node.time().wallMillis(), statistics);
  }

  @Override
  public String name() {
    return Member.Ports.REDIS;
  }

  @Override
  public String title() {
    return "Redis";
  }

  @Override
  public Conversation converse(int shard, Caller caller, Outlet outlet) {
    RedisSession session =
        new RedisSession(
            cluster,
            node.keyspace(shard, keyspace, caller),
            node.time(),
            statistics.get(shard),
            server,
            ids.incrementAndGet(),
            caller.address(),
            outlet);
    statistics.get(shard).opened();
    server.opened(session);
    return session;
  }

  @Override
  public byte[] full() {
    return FULL.getBytes(StandardCharsets.US_ASCII);
  }

  /// Figures by shard; any thread.
  public List<DoorStatistics> statistics() {
    return List.copyOf(statistics);
  }
}
