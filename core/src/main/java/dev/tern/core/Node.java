package dev.tern.core;

import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.quorum.Message;
import dev.tern.core.quorum.Statistics;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.Topology;
import dev.tern.env.ByteReader;
import dev.tern.env.Environment;
import dev.tern.env.Network;
import dev.tern.lsm.LsmStatistics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// A node of the cluster, the same in production and in simulation.
///
/// [#create] opens, [#start] joins, [#close] ends; a closed node is not started again.
public final class Node {
  private final Environment environment;
  private final NodeConfig config;
  private final List<Shard> shards;

  /// By shard: by member number, as that shard last saw it.
  private final AtomicReferenceArray<boolean[]> live;

  private Node(Environment environment, NodeConfig config, List<Shard> shards) {
    this.environment = environment;
    this.config = config;
    this.shards = shards;
    this.live = new AtomicReferenceArray<>(shards.size());
    for (int i = 0; i < shards.size(); i++) {
      live.set(i, new boolean[config.topology().members().getLast().number() + 1]);
    }
  }

  /// Opens the stores, one a loop, without yet answering anybody. The caller may be on any thread.
  ///
  /// @throws IOException if the data directory cannot be used, with the reason
  public static Node create(Environment environment, NodeConfig config) throws IOException {
    List<Shard> shards = new ArrayList<>();
    Topology topology = config.topology();
    try {
      for (int i = 0; i < environment.loops().size(); i++) {
        int number = i;
        shards.add(
            Shard.open(
                environment,
                config,
                i,
                keyspace -> ledRecords(shards, shards.get(number), topology, keyspace)));
      }
    } catch (IOException | RuntimeException e) {
      for (Shard shard : shards) {
        shard.close();
      }
      throw e;
    }
    return new Node(environment, config, shards);
  }

  /// Starts to receive and to answer. Called once, before requests.
  public void start() {
    Network network = environment.network();
    network.start(
        new Network.Receiver() {
          @Override
          public void frame(int fromNode, int fromShard, int toShard, ByteReader payload) {
            Message message = shards.get(toShard).frame(fromNode, fromShard, payload);
            if (message instanceof Message.Heartbeat) {
              spread(fromNode, toShard, message);
            }
          }

          @Override
          public void connection(int shard, int node, boolean open) {
            shards.get(shard).coordinator().connection(node, open);
          }
        });
    for (Member member : config.topology().members()) {
      if (member.number() != config.self()) {
        network.connect(member.number(), member.host(), member.ports().internode());
      }
    }
    for (Shard shard : shards) {
      shard.start();
    }
    for (int i = 0; i < shards.size(); i++) {
      int number = i;
      shards.get(i).loop().execute(() -> watch(number));
    }
  }

  /// A member with fewer shards than this node beats for fewer: all of ours hear it.
  private void spread(int fromNode, int heardBy, Message heartbeat) {
    for (int i = 0; i < shards.size(); i++) {
      if (i != heardBy) {
        Shard other = shards.get(i);
        other.loop().execute(() -> other.heard(fromNode, heartbeat));
      }
    }
  }

  /// Publishes a shard's view of the members for callers on other threads.
  private void watch(int number) {
    Shard shard = shards.get(number);
    boolean[] seen = new boolean[live.get(number).length];
    for (Member member : config.topology().members()) {
      seen[member.number()] = shard.coordinator().live(member.number());
    }
    live.set(number, seen);
    shard.loop().schedule(WATCH_NANOS, () -> watch(number));
  }

  private static final long WATCH_NANOS = 100_000_000;

  /// Hands the logs to the disk and closes the stores. No loop may run tasks of this node any more:
  /// production stops its loops first.
  ///
  /// @throws IOException if a store cannot be closed cleanly; the others are closed all the same
  public void close() throws IOException {
    IOException first = null;
    for (Shard shard : shards) {
      try {
        shard.close();
      } catch (IOException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }

  /// The topology as this node knows it; any thread.
  public Topology topology() {
    return config.topology();
  }

  /// This node; any thread.
  public Member self() {
    return config.topology().member(config.self());
  }

  /// Whether all shards believe a member alive, this node included; any thread, up to a tenth of a
  /// second old.
  public boolean live(int member) {
    if (member == config.self()) {
      return true;
    }
    for (int shard = 0; shard < live.length(); shard++) {
      boolean[] seen = live.get(shard);
      if (member < 1 || member >= seen.length || !seen[member]) {
        return false;
      }
    }
    return true;
  }

  /// How many shards (event loops) there are.
  public int shards() {
    return shards.size();
  }

  /// The handle of a keyspace for callers on the loop of `shard`.
  ///
  /// @throws IllegalArgumentException if there is no keyspace of that name
  public Keyspace keyspace(int shard, String name) {
    for (KeyspaceConfig keyspace : config.keyspaces()) {
      if (keyspace.name().equals(name)) {
        return new LocalKeyspace(shards, shard, config.topology(), keyspace);
      }
    }
    throw new IllegalArgumentException("no keyspace " + name);
  }

  /// The keyspaces this node serves; any thread.
  public List<KeyspaceConfig> keyspaces() {
    return config.keyspaces();
  }

  /// One counter of the coordinators, over all shards; any thread.
  public long statistic(Statistics.Counter counter) {
    return shards.stream().mapToLong(s -> s.coordinator().statistics().value(counter)).sum();
  }

  /// Requests that wait in any queue of a shard; any thread, approximate.
  public int waiting(int shard) {
    return shards.get(shard).coordinator().waiting();
  }

  /// Figures of a shard's storage engine; any thread.
  public LsmStatistics storage(int shard) {
    return shards.get(shard).store().lsm().statistics();
  }

  /// Records of the partitions whose first live replica is this node, from any shard's loop.
  static long ledRecords(List<Shard> shards, Shard seenFrom, Topology topology, int keyspace) {
    long total = 0;
    for (int p = 0; p < topology.partitions(); p++) {
      if (seenFrom.coordinator().leads(topology.firstSlot(p))) {
        total += shards.get(p % shards.size()).store().count(keyspace, p);
      }
    }
    return total;
  }
}
