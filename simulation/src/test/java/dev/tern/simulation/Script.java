package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.node.Node;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Requests to the nodes of a [Cluster], each waited for: `data` is the keyspace where the last
/// write wins, `siblings` the one that keeps siblings.
final class Script {
  static final long SECOND = Cluster.SECOND;
  static final byte[] NO_CONTEXT = {};
  static final Level ONE = new Level(1, 1, 0);
  static final Level ALL = new Level(3, 3, 0);

  final Cluster cluster;
  private final int size;

  Script(Cluster cluster, int size) {
    this.cluster = cluster;
    this.size = size;
  }

  static Level sloppy(int w) {
    return new Level(0, 1, w, 0, 0, 0, /* sloppy= */ true, 0);
  }

  private static byte @Nullable [] bytes(@Nullable String text) {
    return text == null ? null : text.getBytes(US_ASCII);
  }

  /// Begins an update of `data` and does not wait for it.
  void begin(int node, String key, Update update, Level level, Consumer<UpdateOutcome> told) {
    begin(node, "data", key, update, level, told);
  }

  private void begin(
      int node,
      String keyspace,
      String key,
      Update update,
      Level level,
      Consumer<UpdateOutcome> told) {
    byte[] bytes = Objects.requireNonNull(bytes(key));
    cluster.world.schedule(
        0,
        node,
        () -> cluster.node(node).keyspace(0, keyspace).update(bytes, update, level, told::accept));
  }

  /// Begins a SET NX; what it answers is told.
  void beginSetIfAbsent(
      int node, String key, String value, boolean get, Level level, Consumer<UpdateOutcome> told) {
    Update.Put put =
        new Update.Put(
            Objects.requireNonNull(bytes(value)), Update.NO_EXPIRY, Update.Condition.ABSENT, get);
    begin(node, key, put, level, told);
  }

  UpdateOutcome update(int node, String keyspace, String key, Update update, Level level) {
    List<UpdateOutcome> outcomes = new ArrayList<>();
    begin(node, keyspace, key, update, level, outcomes::add);
    cluster.within(15 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  /// A SET; done.
  void put(int node, String key, String value, Level level) {
    Update.Put put =
        new Update.Put(
            Objects.requireNonNull(bytes(value)),
            Update.NO_EXPIRY,
            Update.Condition.NONE,
            /* returnPrevious= */ false);
    UpdateOutcome outcome = update(node, "data", key, put, level);
    assertInstanceOf(UpdateOutcome.Done.class, outcome, () -> key + ": " + outcome);
  }

  /// A DEL; done.
  void delete(int node, String key, Level level) {
    UpdateOutcome outcome = update(node, "data", key, new Update.Delete(false), level);
    assertInstanceOf(UpdateOutcome.Done.class, outcome, () -> key + ": " + outcome);
  }

  /// What a GET answers, null for nothing. Tells what a read found, null for nothing, and nothing
  /// where it is refused.
  void beginGet(int node, String key, Level level, Consumer<@Nullable String> told) {
    byte[] bytes = Objects.requireNonNull(bytes(key));
    cluster.world.schedule(
        0,
        node,
        () ->
            cluster
                .node(node)
                .keyspace(0, "data")
                .read(
                    bytes,
                    level,
                    outcome -> {
                      if (outcome instanceof ReadOutcome.Found found) {
                        told.accept(new String(found.value(), US_ASCII));
                      } else if (outcome instanceof ReadOutcome.Missing) {
                        told.accept(null);
                      }
                    }));
  }

  @Nullable String get(int node, String key, Level level) {
    List<ReadOutcome> outcomes = new ArrayList<>();
    byte[] bytes = Objects.requireNonNull(bytes(key));
    cluster.world.schedule(
        0, node, () -> cluster.node(node).keyspace(0, "data").read(bytes, level, outcomes::add));
    cluster.within(15 * SECOND, () -> !outcomes.isEmpty());
    ReadOutcome outcome = outcomes.getFirst();
    if (outcome instanceof ReadOutcome.Found found) {
      return new String(found.value(), US_ASCII);
    }
    assertInstanceOf(ReadOutcome.Missing.class, outcome, () -> key + ": " + outcome);
    return null;
  }

  /// A write with a context.
  UpdateOutcome store(int node, String key, @Nullable String value, byte[] context, Level level) {
    return update(
        node,
        "siblings",
        key,
        new Update.Store(bytes(value), 0, context, false, Update.Match.NONE, true),
        level);
  }

  /// A write with a context; done.
  Versions stored(int node, String key, @Nullable String value, byte[] context, Level level) {
    UpdateOutcome outcome = store(node, key, value, context, level);
    assertInstanceOf(UpdateOutcome.Stored.class, outcome, () -> key + ": " + outcome);
    return Objects.requireNonNull(((UpdateOutcome.Stored) outcome).versions());
  }

  Versions fetch(int node, String key, Level level) {
    List<FetchOutcome> outcomes = new ArrayList<>();
    byte[] bytes = Objects.requireNonNull(bytes(key));
    cluster.world.schedule(
        0,
        node,
        () -> cluster.node(node).keyspace(0, "siblings").fetch(bytes, level, outcomes::add));
    cluster.within(15 * SECOND, () -> !outcomes.isEmpty());
    FetchOutcome outcome = outcomes.getFirst();
    assertInstanceOf(FetchOutcome.Held.class, outcome, () -> key + ": " + outcome);
    return ((FetchOutcome.Held) outcome).versions();
  }

  List<String> values(int node, String key, Level level) {
    return SiblingClient.values(fetch(node, key, level));
  }

  int[] replicas(String keyspace, String key) {
    Node node = cluster.node(1);
    int id = Objects.requireNonNull(node.view().keyspace(keyspace)).id();
    Topology topology = Objects.requireNonNull(node.view().topology(id));
    return topology.replicas(topology.partitionOf(Slots.of(key.getBytes(US_ASCII))));
  }

  /// The nodes that hold no replica of a key.
  int[] outsiders(String keyspace, String key) {
    int[] replicas = replicas(keyspace, key);
    return java.util.stream.IntStream.rangeClosed(1, size)
        .filter(node -> Arrays.stream(replicas).noneMatch(each -> each == node))
        .toArray();
  }

  /// Nothing passes between two nodes, or it does again.
  void cut(int one, int other, boolean isCut) {
    cluster.network.cut(one, other, isCut);
    cluster.network.cut(other, one, isCut);
  }

  /// Ends nodes, and waits until others believe it.
  void end(int[] observers, int... gone) {
    for (int node : gone) {
      cluster.end(node);
    }
    cluster.within(
        15 * SECOND,
        () ->
            Arrays.stream(observers)
                .noneMatch(seen -> Arrays.stream(gone).anyMatch(cluster.node(seen)::live)));
  }

  void converged(long nanos) {
    long until = cluster.world.nanos() + nanos;
    for (int node = 1; node <= size; node++) {
      while (!cluster.node(node).converged()) {
        assertTrue(cluster.world.nanos() < until, cluster.node(node).unconverged());
        cluster.runFor(SECOND / 10);
      }
    }
  }

  /// What all nodes have counted.
  long counted(Counter counter) {
    long sum = 0;
    for (int node = 1; node <= size; node++) {
      sum += cluster.node(node).statistic(counter);
    }
    return sum;
  }
}
