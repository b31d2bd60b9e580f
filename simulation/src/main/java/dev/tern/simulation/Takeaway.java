package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.node.Node;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.Randomness;
import java.util.Objects;
import java.util.function.IntConsumer;

/// Takes nodes away from a run that moves replicas: a node hears nobody for a while, takes writes
/// that one replica suffices for, and ends. Its replicas are given to others before it is back:
/// what it alone has it must hand on. Some of that is deleted meanwhile, and must not come back.
/// Every other node that is back is heard and gets and sends no data for a while: it can hand on
/// nothing.
final class Takeaway {
  /// Keys that are written at a node that is taken away.
  private static final int ALONE = 4;

  /// A node that is back gets and sends no data for a second, and up to so much longer.
  private static final int WITHOUT_MILLIS = 4_000;

  /// Of the writes of this class, a number that no other client has.
  private static final int CLIENT = 100;

  private final ClusterRun run;
  private final Randomness random;
  private final PlainClient client;

  /// Whether a node is about to be taken away.
  private boolean away;

  /// The node that gets and sends no data, 0 for none.
  private int withoutData;

  /// Counts names of keys that one node has alone.
  private int alone;

  Takeaway(ClusterRun run, Randomness random) {
    this.run = run;
    this.random = random;
    this.client = new PlainClient(run, CLIENT);
  }

  /// Takes some node away, if all are up and clients may ask for less than the keyspace's levels.
  ///
  /// @param leastMillis until the node is started again
  /// @param moreMillis up to so much longer
  /// @param gone told the node's number when it has ended
  void take(int leastMillis, int moreMillis, IntConsumer gone) {
    int number = 1 + random.nextInt(run.nodeCount);
    boolean may = !away && run.mayStopNodes() && run.asksLess();
    for (int each = 1; each <= run.nodeCount; each++) {
      may &= run.node(each) != null;
    }
    if (!may) {
      return;
    }
    away = true;
    run.note("node %d is taken away".formatted(number));
    apart(number, true);
    for (int i = 0; i < ALONE; i++) {
      run.world.schedule(upTo(500), number, () -> writeAlone(number));
    }
    run.world.schedule(
        ClusterRun.SECOND / 2 + upTo(500),
        0,
        () -> {
          away = false;
          apart(number, false);
          if (run.node(number) != null && run.inChaos()) {
            boolean power = run.mayLosePower() && random.nextDouble() < 0.5;
            long nanos = leastMillis * 1_000_000L + upTo(moreMillis);
            run.crash(number, power, nanos);
            if (random.nextDouble() < 0.5) {
              run.world.schedule(nanos, 0, () -> withoutData(number));
            }
            gone.accept(number);
          }
        });
  }

  /// Puts a key of which a node has a replica at that node alone, and perhaps deletes it elsewhere.
  private void writeAlone(int number) {
    Node node = run.node(number);
    if (node == null || !run.inChaos()) {
      return;
    }
    Topology topology = Objects.requireNonNull(node.view().topology(run.keyspace.id()));
    if (!holdsAny(topology, number)) {
      return;
    }
    String key;
    do {
      key = "alone-" + alone++;
    } while (!topology
        .replicaSet(topology.partitionOf(Slots.of(key.getBytes(US_ASCII))))
        .has(number));
    String put = key;
    client.putAtOne(node.keyspace(0, "data"), put);
    if (random.nextDouble() < 0.5) {
      int other = 1 + random.nextInt(run.nodeCount);
      run.world.schedule(ClusterRun.SECOND / 4 + upTo(2_000), other, () -> delete(other, put));
    }
  }

  private static boolean holdsAny(Topology topology, int number) {
    for (int p = 0; p < topology.partitions(); p++) {
      if (topology.replicaSet(p).has(number)) {
        return true;
      }
    }
    return false;
  }

  private void delete(int number, String key) {
    Node node = run.node(number);
    if (node != null && run.inChaos()) {
      client.delete(node.keyspace(0, "data"), key, () -> {});
    }
  }

  private long upTo(int millis) {
    return random.nextInt(millis) * 1_000_000L;
  }

  private void withoutData(int number) {
    withoutData = number;
    run.world.schedule(ClusterRun.SECOND + upTo(WITHOUT_MILLIS), 0, () -> withoutData = 0);
  }

  /// Whether frames of a kind pass between two nodes.
  boolean passes(int from, int to, FrameKind kind) {
    boolean without = from == withoutData || to == withoutData;
    return !without || kind != FrameKind.DATA || !run.inChaos();
  }

  private void apart(int member, boolean is) {
    for (int other = 1; other <= run.nodeCount; other++) {
      if (other != member) {
        run.network().cut(member, other, is && run.inChaos());
        run.network().cut(other, member, is && run.inChaos());
      }
    }
  }
}
