package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.context.Statistics;
import dev.tern.core.node.Node;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.DotSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// After the heal, before anything is read: the replicas of each partition become alike by
/// themselves, send each other nothing then, and in the end deletes leave nothing.
///
/// Where a disk rots its replica may miss for good what it alone had, and what it cannot read; the
/// others become alike all the same, and have what it can read of a key, also where it can read
/// nothing else that tells of that.
final class Convergence {
  private static final long STEP_NANOS = 100_000_000;

  /// From the convergence to the end of the last delete: a write that was minted away and got lost
  /// on its way is waited for as long as a minute.
  private static final long STRIPPED_WITHIN = 90 * ClusterRun.SECOND;

  /// From the time of a value until all replicas have its delete on disk: as long as any other
  /// write may take.
  private static final long DELETED_WITHIN = 20 * ClusterRun.SECOND;

  /// What the one replica that has it cannot read is asked for after 10 s and after 20 s more, and
  /// is not waited for when it could not be read in two such passes.
  private static final long GIVEN_UP_WITHIN = 60 * ClusterRun.SECOND;

  private static final long QUIET_NANOS = 3 * ClusterRun.SECOND;

  private final ClusterRun run;

  Convergence(ClusterRun run) {
    this.run = run;
  }

  /// @param stripped whether deletes must be gone after a further while
  void within(long nanos, boolean stripped) {
    if (run.mayRot()) {
      run.world.runUntil(run.world.nanos() + 5 * ClusterRun.SECOND);
      await(GIVEN_UP_WITHIN, node -> node.partitionsBehind() == 0, "nodes %s are still behind");
      besideRot(nanos);
      return;
    }
    await(nanos, Node::converged, "nodes %s do not know that the replicas are alike");
    quiet();
    if (run.recordsLost) {
      run.world.runUntil(run.world.nanos() + run.treesComparedWithin());
    }
    alike(/* deletes= */ false);
    // What replaced a write that only a lost disk had stays: the write may still come by a hint.
    if (stripped && !run.diskLost) {
      await(STRIPPED_WITHIN, node -> !node.mayHaveGraves(), "nodes %s still have deletes");
      alike(/* deletes= */ true);
    }
  }

  /// Waits until the replicas whose disks do not rot are alike, and the other one is like them in
  /// each record that it can read.
  private void besideRot(long nanos) {
    // What its log of dots cannot tell comes by a rebuild or by the hash trees.
    long until = run.world.nanos() + nanos + GIVEN_UP_WITHIN + run.treesComparedWithin();
    String different = different();
    while (different != null) {
      if (run.world.nanos() >= until) {
        throw new History.Violation("beside a disk that rots, " + different);
      }
      run.world.runUntil(run.world.nanos() + 5 * STEP_NANOS);
      different = different();
    }
    for (int partition = 0; partition < topology().partitions(); partition++) {
      for (int number : sound(topology().replicas(partition))) {
        rightTree(number, partition);
      }
    }
    countsRight(run.treesComparedWithin());
  }

  /// Waits until the replicas whose disks do not rot count what their records say. What came from
  /// the disk that rots is counted anew by the walk over the hash trees.
  private void countsRight(long nanos) {
    long until = run.world.nanos() + nanos;
    for (int partition = 0; partition < topology().partitions(); partition++) {
      for (int number : sound(topology().replicas(partition))) {
        while (wrongCount(number, partition) != null && run.world.nanos() < until) {
          run.world.runUntil(run.world.nanos() + STEP_NANOS);
        }
        rightCount(number, partition);
      }
    }
  }

  /// What differs at two replicas and should not; null for nothing.
  private @Nullable String different() {
    for (int partition = 0; partition < topology().partitions(); partition++) {
      int[] sound = sound(topology().replicas(partition));
      String first = contents(sound[0], partition, /* deletes= */ false);
      for (int number : sound) {
        String other = contents(number, partition, /* deletes= */ false);
        if (!other.equals(first)) {
          return "partition %d differs at nodes %d and %d:%n%s%n%s"
              .formatted(partition, sound[0], number, first, other);
        }
      }
    }
    for (String key : run.keys()) {
      String different = different(run.keyspace.id(), key);
      if (different != null) {
        return different;
      }
    }
    int siblings = Objects.requireNonNull(run.aNode().view().keyspace("siblings")).id();
    for (String key : run.siblings.keys()) {
      String different = different(siblings, key);
      if (different != null) {
        return different;
      }
    }
    return null;
  }

  private @Nullable String different(int keyspace, String key) {
    byte[] bytes = key.getBytes(US_ASCII);
    int[] replicas = topology().replicas(topology().partitionOf(Slots.of(bytes)));
    Node rotting = run.node(run.rotting());
    if (rotting == null || Arrays.stream(replicas).noneMatch(each -> each == run.rotting())) {
      return null;
    }
    int other = sound(replicas)[0];
    DotSet there;
    try {
      there = rotting.record(keyspace, bytes);
    } catch (IOException e) {
      // What it cannot read others may have.
      return null;
    }
    try {
      Node sound = run.upNode(other);
      DotSet here = sound.record(keyspace, bytes);
      return here.toString().equals(there.toString())
          ? null
          : "%s is %s at node %d, and %s at node %d, whose disk rots"
              .formatted(key, here, other, there, run.rotting());
    } catch (IOException e) {
      throw new History.Violation("node " + other + " cannot read what it has: " + e);
    }
  }

  private int[] sound(int[] replicas) {
    return Arrays.stream(replicas).filter(each -> each != run.rotting()).toArray();
  }

  /// Replicas that are alike send each other clocks and nothing else. A write that was on its way,
  /// and the delete of a value whose time comes meanwhile, has a dot that no replica had before:
  /// those that hear of it first by a clock may ask for its record.
  private void quiet() {
    long recordsBefore = sum(Statistics.Counter.REPAIRED_RECORDS);
    List<DotSet> dotsBefore = dots();
    run.world.runUntil(run.world.nanos() + QUIET_NANOS);
    long records = sum(Statistics.Counter.REPAIRED_RECORDS) - recordsBefore;
    if (!run.recordsLost) {
      mayBeSent(records, dotsBefore, dots(), run.shape.n());
    }
  }

  /// Checks how many records came to replicas that had been alike.
  ///
  /// @param before what any replica had then, by partition
  /// @param after what any replica has by now
  static void mayBeSent(long records, List<DotSet> before, List<DotSet> after, int replicas) {
    long fresh = 0;
    for (int partition = 0; partition < after.size(); partition++) {
      fresh += after.get(partition).minus(before.get(partition)).size();
    }
    if (records > fresh * (replicas - 1)) {
      throw new History.Violation(
          "%d records were sent to replicas that had them, and %d writes came meanwhile"
              .formatted(records, fresh));
    }
  }

  /// What any replica has, by partition.
  private List<DotSet> dots() {
    List<DotSet> dots = new ArrayList<>();
    for (int partition = 0; partition < topology().partitions(); partition++) {
      DotSet any = new DotSet();
      for (int number : topology().replicas(partition)) {
        any.addAll(run.upNode(number).dots(run.keyspace.id(), partition));
      }
      dots.add(any);
    }
    return dots;
  }

  private Topology topology() {
    return Objects.requireNonNull(run.aNode().view().topology(run.keyspace.id()));
  }

  private long sum(Statistics.Counter counter) {
    long sum = 0;
    for (int number = 1; number <= run.nodeCount; number++) {
      sum += run.upNode(number).statistic(counter);
    }
    return sum;
  }

  private void await(long nanos, Predicate<Node> reached, String what) {
    long until = run.world.nanos() + nanos;
    while (true) {
      List<Integer> not = new ArrayList<>();
      for (int number = 1; number <= run.nodeCount; number++) {
        Node node = run.node(number);
        boolean gone = node == null && run.mayRot();
        if (!gone && (node == null || !reached.test(node))) {
          not.add(number);
        }
      }
      if (not.isEmpty()) {
        return;
      }
      if (run.world.nanos() >= until) {
        throw new History.Violation(
            "%d s after the heal ".formatted(nanos / ClusterRun.SECOND)
                + what.formatted(not)
                + detail(not.getFirst()));
      }
      run.world.runUntil(run.world.nanos() + STEP_NANOS);
    }
  }

  private String detail(int number) {
    Node node = run.node(number);
    return node == null ? ": down" : ": " + node.unconverged();
  }

  private void alike(boolean deletes) {
    Topology topology = topology();
    for (int partition = 0; partition < topology.partitions(); partition++) {
      // The delete of a value whose time has just come may be on its way.
      await(DELETED_WITHIN, Node::converged, "nodes %s are not alike any more");
      int[] replicas = topology.replicas(partition);
      for (int number : replicas) {
        rightTree(number, partition);
        rightCount(number, partition);
      }
      String first = contents(replicas[0], partition, deletes);
      for (int number : replicas) {
        String other = contents(number, partition, deletes);
        if (!other.equals(first)) {
          throw new History.Violation(
              "partition %d differs at nodes %d and %d although both have the same dots:%n%s%n%s"
                  .formatted(partition, replicas[0], number, first, other));
        }
      }
    }
  }

  /// What a node whose disk does not rot knows of its hashes is what it holds, and nothing was
  /// taken for lost.
  private void rightTree(int number, int partition) {
    Node node = run.upNode(number);
    try {
      int segment = node.wrongSegment(run.keyspace.id(), partition);
      if (segment >= 0) {
        throw new History.Violation(
            "node %d has a wrong hash of segment %d of partition %d"
                .formatted(number, segment, partition));
      }
    } catch (IOException e) {
      throw new History.Violation("node " + number + " cannot read what it has: " + e);
    }
    long healed = node.statistic(Statistics.Counter.TREE_RECORDS_HEALED);
    if (healed > 0 && !run.diskLost) {
      throw new History.Violation(
          "node %d took %d records for lost and brought them back".formatted(number, healed));
    }
  }

  /// What a node counts of a partition is what its records say: no crash, repair, expiry or strip
  /// parted them. Where a disk lost records below the counts the hash trees' walk has counted anew.
  private void rightCount(int number, int partition) {
    String wrong = wrongCount(number, partition);
    if (wrong != null) {
      throw new History.Violation(
          "node %d counts partition %d wrong: %s".formatted(number, partition, wrong));
    }
  }

  private @Nullable String wrongCount(int number, int partition) {
    try {
      return run.upNode(number).wrongCount(run.keyspace.id(), partition);
    } catch (IOException e) {
      throw new History.Violation("node " + number + " cannot read what it has: " + e);
    }
  }

  private String contents(int number, int partition, boolean deletes) {
    try {
      return run.upNode(number).contents(run.keyspace.id(), partition, deletes);
    } catch (IOException e) {
      throw new History.Violation("node " + number + " cannot read what it has: " + e);
    }
  }
}
