package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.node.Node;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.wire.Message;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Writes on one side of a step and reads on the other. Of some moves that a run begins: while the
/// move takes a step no request, answer or record passes between two groups of nodes. One group has
/// just so many of the old list as a write needs, the other as many of the new list as a read
/// needs. Keys of their own are put and read in the first one before the step, and read in the
/// second one after it. Clocks, barriers and the topology pass, so that the step can be taken as
/// soon as nodes think that it may.
final class Crossing {
  /// What makes a step hard.
  enum Kind {
    /// Puts while both lists are written, before the new one is read.
    SWITCH,
    /// Puts that are on their way to slow disks when the nodes hear of the new list.
    BEGIN,
    /// Puts by a replica that leaves. It is apart from all until the new list is read, and goes by
    /// the list of before then.
    STALE,
    /// A delete that does not come to the new replicas until the old ones may have stripped it.
    STRIP,
    /// Puts at replicas that leave, where lists become shorter.
    SHRINK
  }

  private static final long MILLI = 1_000_000;

  /// A crossing that has not come to its end is given up after this.
  private static final long PATIENCE_NANOS = 4 * ClusterRun.SECOND;

  /// From a delete to the switch: it is stripped in this time where nobody waits.
  private static final long STRIPPED_NANOS = 5 * ClusterRun.SECOND;

  /// From puts to the step.
  private static final long LEAD_NANOS = 120 * MILLI;

  /// From the step to the end.
  private static final long LOOK_NANOS = 400 * MILLI;

  /// Lists that become shorter are short within this.
  private static final long SHRUNK_NANOS = 5 * ClusterRun.SECOND / 2;

  private static final long SLOW_DISK_NANOS = 80 * MILLI;

  private static final int PUTS = 4;

  /// Puts until the nodes hear of the new list.
  private static final int PUTS_BEFORE = 20;

  private static final int READS = 6;

  /// Of the writes of this class, a number that no other client has.
  private static final int CLIENT = 200;

  /// How far a crossing has come.
  private enum Stage {
    NONE,
    /// The move begins, or its new replicas are filled.
    FILLING,
    /// Nodes are apart, and the step is not taken.
    APART,
    /// It is.
    STEPPED
  }

  private final ClusterRun run;
  private final Randomness random;
  private final PlainClient client;
  private final SiblingClient siblings;

  private Stage stage = Stage.NONE;
  private Kind kind = Kind.SWITCH;
  private int group;
  private int partition;
  private long untilNanos;

  /// When the step may be taken, or the crossing ends.
  private long nextNanos;

  /// Whether nodes are two groups.
  private boolean apart;

  /// Those that write.
  private final Set<Integer> writers = new LinkedHashSet<>();

  /// The node that goes by the list of before, 0 for none.
  private int uninformed;

  /// By node: how slow its disk was.
  private final long[] usual;

  private final List<String> keys = new ArrayList<>();

  /// Counts names of keys.
  private int named;

  Crossing(ClusterRun run, Randomness random) {
    this.run = run;
    this.random = random;
    this.client = new PlainClient(run, CLIENT);
    this.siblings = new SiblingClient(run, CLIENT);
    this.usual = new long[run.nodeCount + 1];
  }

  /// Whether a frame passes between two nodes.
  ///
  /// @param message null for a frame of gossip or of the topology log
  boolean passes(int from, int to, boolean ofTopology, @Nullable Message message) {
    if (stage == Stage.NONE || !run.inChaos()) {
      return true;
    }
    if (ofTopology) {
      return to != uninformed;
    }
    boolean across = apart && writers.contains(from) != writers.contains(to);
    // What was durable when the nodes heard of the new list must come to it, or it is not filled.
    boolean repairs = kind == Kind.BEGIN && stage == Stage.FILLING;
    return !across
        || !(message instanceof Message.Request
            || message instanceof Message.Reply
            || message instanceof Message.Repaired && !repairs);
  }

  /// Whether frames have to be looked at.
  boolean looks() {
    return stage != Stage.NONE && (apart || uninformed != 0);
  }

  /// Lists are about to become shorter: members that leave are written until the others alone are
  /// read.
  void shrinks(Set<Integer> leaving) {
    Topology topology = run.aNode().view().topology(run.keyspace.id());
    if (stage != Stage.NONE || topology == null || !run.inChaos()) {
      return;
    }
    kind = Kind.SHRINK;
    stage = Stage.STEPPED;
    keys.clear();
    writers.clear();
    writers.addAll(leaving);
    apart = true;
    run.note("nodes %s are apart".formatted(writers));
    untilNanos = run.world.nanos() + SHRUNK_NANOS;
    nextNanos = untilNanos;
    for (int p = 0; p < topology.partitions() && keys.size() < 2 * PUTS; p++) {
      ReplicaSet set = topology.replicaSet(p);
      long there = Arrays.stream(set.newList()).filter(leaving::contains).count();
      if (set.isStable() && there >= run.keyspace.w() && there < set.size()) {
        partition = p;
        putLater(keys.size() * LEAD_NANOS / 8);
      }
    }
    for (long nanos = LOOK_NANOS; nanos < SHRUNK_NANOS; nanos += LOOK_NANOS / 2) {
      readLater(nanos);
    }
    run.world.schedule(SHRUNK_NANOS, 0, this::beat);
  }

  /// A move is about to begin.
  void begins(ReplicaGroups groups, int number, List<Integer> list) {
    Topology topology = run.aNode().view().topology(run.keyspace.id());
    ReplicaGroups data = run.aNode().view().groups(run.keyspace.id());
    boolean ours = topology != null && data != null && data.number() == groups.number();
    if (stage != Stage.NONE || !ours || !run.inChaos() || random.nextDouble() < 0.3) {
      return;
    }
    int[] oldList = groups.replicaSet(number).members();
    group = groups.number();
    partition = number;
    kind = Kind.values()[random.nextInt(Kind.SHRINK.ordinal())];
    keys.clear();
    writers.clear();
    uninformed = 0;
    untilNanos = run.world.nanos() + PATIENCE_NANOS;
    stage = Stage.FILLING;
    run.note("crossing %s of partition %d".formatted(kind, number));
    switch (kind) {
      case SWITCH, STRIP, SHRINK -> {}
      case STALE -> {
        List<Integer> leaving = new ArrayList<>();
        for (int member : oldList) {
          if (!list.contains(member)) {
            leaving.add(member);
          }
        }
        // Without it the others must be enough for each step.
        boolean enough = Math.min(run.keyspace.w(), run.keyspace.r()) > 1;
        if (leaving.isEmpty() || !enough) {
          kind = Kind.SWITCH;
        } else {
          uninformed = leaving.get(random.nextInt(leaving.size()));
          untilNanos += PATIENCE_NANOS;
          alone(uninformed, true);
        }
      }
      case BEGIN -> {
        part(oldList, list);
        for (int writer : writers) {
          usual[writer] = run.disk(writer).slownessNanos;
          run.disk(writer).slownessNanos = SLOW_DISK_NANOS;
        }
        for (int i = 0; i < PUTS_BEFORE; i++) {
          putLater(i * LEAD_NANOS / 2);
        }
      }
    }
  }

  /// Whether a partition's next step waits for the crossing.
  ///
  /// @param filled whether the new replicas say that they have what they need
  boolean holds(ReplicaGroups groups, int number, boolean filled) {
    if (stage == Stage.NONE
        || kind == Kind.SHRINK
        || groups.number() != group
        || number != partition) {
      return false;
    }
    ReplicaSet set = groups.replicaSet(number);
    long now = run.world.nanos();
    if (set.phase() == Phase.FILLING && stage == Stage.FILLING && filled) {
      stage = Stage.APART;
      nextNanos = now + LEAD_NANOS;
      switch (kind) {
        case STRIP -> strip(set);
        case SWITCH, SHRINK -> {
          part(set.oldList(), listOf(set.newList()));
          for (int i = 0; i < PUTS; i++) {
            putLater(i * LEAD_NANOS / 8);
          }
        }
        case BEGIN, STALE -> nextNanos = now;
      }
    }
    if (set.phase() == Phase.FILLING) {
      return stage == Stage.FILLING || now < nextNanos;
    }
    if (stage != Stage.STEPPED) {
      stage = Stage.STEPPED;
      nextNanos = now + LOOK_NANOS;
      if (kind == Kind.STRIP) {
        lookAtSiblings(set);
      }
      if (kind == Kind.STALE) {
        alone(uninformed, false);
        part(set.oldList(), listOf(set.newList()));
        for (int i = 0; i < PUTS; i++) {
          putLater(i * LOOK_NANOS / (PUTS + 1));
        }
      }
      for (int i = 0; i < READS && kind != Kind.STRIP; i++) {
        readLater(i * LOOK_NANOS / (READS + 1));
      }
    }
    return now < nextNanos;
  }

  /// A few times a second.
  void beat() {
    long now = run.world.nanos();
    boolean over = stage == Stage.STEPPED && now >= nextNanos || now >= untilNanos;
    if (stage != Stage.NONE && (over || !run.inChaos())) {
      stage = Stage.NONE;
      apart = false;
      if (uninformed != 0) {
        alone(uninformed, false);
      }
      uninformed = 0;
      if (kind == Kind.BEGIN) {
        for (int writer : writers) {
          run.disk(writer).slownessNanos = usual[writer];
        }
      }
    }
  }

  /// As many of the old list as a write needs are apart from the others: those that leave first.
  private void part(int[] oldList, List<Integer> list) {
    List<Integer> old = listOf(oldList);
    shuffle(old);
    old.sort((one, other) -> Boolean.compare(list.contains(one), list.contains(other)));
    if (old.remove(Integer.valueOf(uninformed))) {
      old.addFirst(uninformed);
    }
    writers.addAll(old.subList(0, Math.min(old.size(), run.keyspace.w())));
    apart = true;
    run.note("nodes %s are apart".formatted(writers));
  }

  private static List<Integer> listOf(int[] members) {
    return new ArrayList<>(Arrays.stream(members).boxed().toList());
  }

  /// Cuts a node off from all others, or ends that.
  private void alone(int node, boolean is) {
    for (int other = 1; other <= run.nodeCount; other++) {
      if (other != node) {
        run.network().cut(node, other, is && run.inChaos());
        run.network().cut(other, node, is && run.inChaos());
      }
    }
  }

  /// The node whose word the steps of a partition do not wait for, 0 for none.
  int excused(int set, int number) {
    return stage != Stage.NONE && set == group && number == partition ? uninformed : 0;
  }

  private void shuffle(List<Integer> some) {
    for (int i = some.size() - 1; i > 0; i--) {
      Collections.swap(some, i, random.nextInt(i + 1));
    }
  }

  private void strip(ReplicaSet set) {
    untilNanos += STRIPPED_NANOS;
    nextNanos += STRIPPED_NANOS;
    String key = key();
    int first = set.oldList()[random.nextInt(set.oldList().length)];
    atSiblings(first, keyspace -> siblings.replace(keyspace, key, false));
    run.world.schedule(
        LEAD_NANOS / 2, 0, () -> atSiblings(first, keyspace -> siblings.look(keyspace, key)));
    run.world.schedule(
        LEAD_NANOS,
        0,
        () -> {
          for (int node = 1; node <= run.nodeCount; node++) {
            if (!set.isPending(node)) {
              writers.add(node);
            }
          }
          apart = true;
          atSiblings(first, keyspace -> siblings.replace(keyspace, key, true));
        });
  }

  private void atSiblings(int at, Consumer<Keyspace> request) {
    Node node = run.node(at);
    if (node != null && run.inChaos()) {
      run.world.schedule(0, at, () -> request.accept(node.keyspace(0, "siblings")));
    }
  }

  /// The new replicas get what they lack from now on. They are read before.
  private void lookAtSiblings(ReplicaSet set) {
    apart = false;
    for (int member : set.newList()) {
      if (!writers.contains(member)) {
        for (String key : keys) {
          atSiblings(member, keyspace -> siblings.look(keyspace, key));
        }
      }
    }
  }

  private void putLater(long nanos) {
    String key = key();
    run.world.schedule(nanos, 0, () -> putAt(key));
    run.world.schedule(nanos + LEAD_NANOS / 4, 0, () -> readWhereWritten(key));
  }

  private void putAt(String key) {
    int at = uninformed != 0 ? uninformed : one(writers);
    request(at, key, true);
  }

  private void readWhereWritten(String key) {
    request(one(writers), key, false);
  }

  private void readLater(long nanos) {
    run.world.schedule(
        nanos,
        0,
        () -> {
          List<Integer> others = new ArrayList<>();
          for (int node = 1; node <= run.nodeCount; node++) {
            if (!writers.contains(node)) {
              others.add(node);
            }
          }
          for (String key : others.isEmpty() ? List.<String>of() : keys) {
            request(others.get(random.nextInt(others.size())), key, false);
          }
        });
  }

  private int one(Set<Integer> some) {
    List<Integer> list = new ArrayList<>(some);
    return list.isEmpty() ? 1 : list.get(random.nextInt(list.size()));
  }

  private void request(int at, String key, boolean puts) {
    Node node = run.node(at);
    if (node == null || !run.inChaos()) {
      return;
    }
    run.note("%s of %s at node %d".formatted(puts ? "put" : "read", key, at));
    run.world.schedule(
        0,
        at,
        () -> {
          if (puts) {
            client.putUsual(node.keyspace(0, "data"), key);
          } else {
            client.readUsual(node.keyspace(0, "data"), key);
          }
        });
  }

  /// A name of the partition that no other key has.
  private String key() {
    Topology topology = Objects.requireNonNull(run.aNode().view().topology(run.keyspace.id()));
    String key;
    do {
      key = "cross-" + named++;
    } while (topology.partitionOf(Slots.of(key.getBytes(US_ASCII))) != partition);
    keys.add(key);
    return key;
  }
}
