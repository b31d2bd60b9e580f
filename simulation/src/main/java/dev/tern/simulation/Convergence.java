package dev.tern.simulation;

import dev.tern.core.Node;
import dev.tern.core.quorum.Statistics;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.DotSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;

/// After the heal, before anything is read: the replicas of each partition become alike by
/// themselves, send each other nothing then, and in the end deletes leave nothing.
///
/// Where a disk rots a replica may miss records for good: then only that the nodes that are up
/// vouch for what they have is waited for.
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
        any.addAll(Objects.requireNonNull(run.node(number)).dots(run.keyspace.id(), partition));
      }
      dots.add(any);
    }
    return dots;
  }

  private Topology topology() {
    Node first = Objects.requireNonNull(run.node(1));
    return Objects.requireNonNull(first.view().topology(run.keyspace.id()));
  }

  private long sum(Statistics.Counter counter) {
    long sum = 0;
    for (int number = 1; number <= run.nodeCount; number++) {
      sum += Objects.requireNonNull(run.node(number)).statistic(counter);
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

  /// What a node knows of its hashes is what it holds, and nothing was taken for lost: nothing
  /// rots.
  private void rightTree(int number, int partition) {
    Node node = Objects.requireNonNull(run.node(number));
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

  private String contents(int number, int partition, boolean deletes) {
    try {
      return Objects.requireNonNull(run.node(number))
          .contents(run.keyspace.id(), partition, deletes);
    } catch (IOException e) {
      throw new History.Violation("node " + number + " cannot read what it has: " + e);
    }
  }
}
