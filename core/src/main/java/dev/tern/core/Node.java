package dev.tern.core;

import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.Topology;
import dev.tern.env.Environment;
import java.io.IOException;

/// A node of the cluster, the same in production and in simulation.
public final class Node {
  private final NodeConfig config;
  private final Environment environment;

  private Node(Environment environment, NodeConfig config) {
    this.config = config;
    this.environment = environment;
  }

  /// Opens the stores and joins the shards, without yet answering anybody.
  ///
  /// @throws IOException if the data directory cannot be used, with the reason
  public static Node create(Environment environment, NodeConfig config) throws IOException {
    return new Node(environment, config);
  }

  /// Starts to receive and to answer. Called once, before requests.
  public void start() {}

  /// Stops answering, hands logs to the disk and closes the stores. No loop may run tasks of this
  /// node any more: production stops its loops first.
  public void close() {}

  /// The topology as this node knows it; any thread.
  public Topology topology() {
    return config.topology();
  }

  /// This node; any thread.
  public Member self() {
    return config.topology().member(config.self());
  }

  /// Whether a member is believed alive, this node included; any thread.
  public boolean live(int member) {
    return member == config.self();
  }

  /// How many shards (event loops) there are.
  public int shards() {
    return environment.loops().size();
  }

  /// The handle of a keyspace for callers on the loop of `shard`.
  ///
  /// @throws IllegalArgumentException if there is no keyspace of that name
  public Keyspace keyspace(int shard, String name) {
    if (shard < shards()) {
      throw new IllegalArgumentException("no keyspace " + name);
    }
    throw new IllegalArgumentException("no shard " + shard);
  }
}
