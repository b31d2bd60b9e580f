package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.node.Node;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.env.Randomness;
import java.util.Arrays;
import java.util.Objects;

/// Deletes above puts that a node holds, in runs of the theme [Theme#HELD]. A node that is no
/// replica of a key is apart from all others until it takes the replicas for dead, and takes a put
/// for them. At the replicas the key is put and deleted then, and the node is back when they may
/// have stripped the delete.
final class HeldPuts {
  private static final long MILLI = 1_000_000;

  private static final long POLL_NANOS = 100 * MILLI;

  /// A node takes the others for dead within this.
  private static final long ALONE_NANOS = 8 * ClusterRun.SECOND;

  /// A delete is stripped in this time where nobody waits.
  private static final long STRIPPED_NANOS = 4 * ClusterRun.SECOND;

  /// Keys of an episode.
  private static final int KEYS = 3;

  /// Of the writes of this class, a number that no other client has.
  private static final int CLIENT = 300;

  private final ClusterRun run;
  private final Randomness random;
  private final PlainClient client;

  /// Counts names of keys.
  private int named;

  HeldPuts(ClusterRun run) {
    this.run = run;
    this.random = run.world.random.child("held");
    this.client = new PlainClient(run, CLIENT);
  }

  void begin() {
    if (run.theme == Theme.HELD) {
      run.world.schedule(ClusterRun.SECOND, 0, this::episode);
    }
  }

  private void episode() {
    if (!run.inChaos()) {
      return;
    }
    int holder = 1 + random.nextInt(run.nodeCount);
    apart(holder, true);
    for (int i = 0; i < KEYS; i++) {
      String key = key(holder);
      await(holder, key, run.world.nanos() + ALONE_NANOS);
    }
    long apart = ALONE_NANOS + STRIPPED_NANOS;
    run.world.schedule(apart, 0, () -> apart(holder, false));
    run.world.schedule(apart + ClusterRun.SECOND, 0, this::episode);
  }

  private void await(int holder, String key, long until) {
    Node node = run.node(holder);
    if (node == null || !run.inChaos() || run.world.nanos() > until) {
      return;
    }
    if (!run.isAway(node, key)) {
      run.world.schedule(POLL_NANOS, 0, () -> await(holder, key, until));
      return;
    }
    int[] replicas = run.replicas(key);
    int replica = replicas[random.nextInt(replicas.length)];
    run.note("node %d holds a put of %s".formatted(holder, key));
    run.world.schedule(0, holder, () -> client.putAway(node.keyspace(0, "data"), key, () -> {}));
    run.world.schedule(POLL_NANOS, replica, () -> above(replica, key, false));
    run.world.schedule(3 * POLL_NANOS, replica, () -> above(replica, key, true));
  }

  private void above(int replica, String key, boolean deletes) {
    Node node = run.node(replica);
    if (node == null || !run.inChaos()) {
      return;
    }
    if (deletes) {
      client.delete(node.keyspace(0, "data"), key, () -> {});
    } else {
      client.putUsual(node.keyspace(0, "data"), key);
    }
  }

  /// A new key of which a node is no replica.
  private String key(int holder) {
    Topology topology = Objects.requireNonNull(run.aNode().view().topology(run.keyspace.id()));
    String key;
    int[] replicas;
    do {
      key = "held-" + named++;
      replicas = topology.replicas(topology.partitionOf(Slots.of(key.getBytes(US_ASCII))));
    } while (Arrays.stream(replicas).anyMatch(each -> each == holder));
    return key;
  }

  private void apart(int node, boolean is) {
    for (int other = 1; other <= run.nodeCount; other++) {
      if (other != node) {
        run.network().cut(node, other, is && run.inChaos());
        run.network().cut(other, node, is && run.inChaos());
      }
    }
  }
}
