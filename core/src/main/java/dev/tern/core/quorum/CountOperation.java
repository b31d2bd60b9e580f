package dev.tern.core.quorum;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.topology.Topology;
import dev.tern.core.wire.Message;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Asks the first live replica of each partition what it counts there, and adds up. This node says
/// which replica that is: each partition is counted once, whatever others believe. Nothing is told
/// if a partition has no live replica, or if a member goes by older lists of replicas.
final class CountOperation extends Operation<Message.CountReply> {
  /// No member's number.
  private static final int NOBODY = 0;

  private final Coordinator coordinator;
  private final int keyspace;
  private final Completion<? super CountOutcome> completion;
  private final Set<Integer> asked = new LinkedHashSet<>();
  private CountOutcome.Count total = CountOutcome.Count.NONE;
  private boolean finished;

  CountOperation(
      Coordinator coordinator,
      int keyspace,
      long deadlineNanos,
      Completion<? super CountOutcome> completion) {
    super(Message.CountReply.class, deadlineNanos);
    this.coordinator = coordinator;
    this.keyspace = keyspace;
    this.completion = completion;
  }

  void start() {
    if (!coordinator.inFlight().add(this)) {
      completion.complete(coordinator.full());
      return;
    }
    Topology topology = coordinator.view().topology(keyspace);
    if (topology == null) {
      fail(unavailable("this node does not know the keyspace any more"));
      return;
    }
    Map<Integer, BitSet> told = firstLive(topology);
    BitSet without = told.get(NOBODY);
    if (without != null) {
      fail(
          unavailable(
              "no replica of %d partitions can be reached, so they cannot be counted"
                  .formatted(without.cardinality())));
      return;
    }
    BitSet here = told.remove(coordinator.self());
    CountOutcome.Count own =
        here == null ? CountOutcome.Count.NONE : coordinator.counted(keyspace, here);
    if (own == null) {
      fail(Behind.refusal());
      return;
    }
    total = own;
    asked.addAll(told.keySet());
    for (Map.Entry<Integer, BitSet> each : told.entrySet()) {
      long epoch = coordinator.view().epoch();
      Message.Count count = new Message.Count(id, epoch, keyspace, each.getValue());
      if (!coordinator.transport().send(each.getKey(), 0, count)) {
        fail(silent());
        return;
      }
    }
    finishIfAll();
  }

  /// By member: the partitions whose first live replica it is, as this node believes. Others may
  /// believe otherwise, so they are told which partitions they are asked for.
  private Map<Integer, BitSet> firstLive(Topology topology) {
    TreeMap<Integer, BitSet> partitions = new TreeMap<>();
    for (int p = 0; p < topology.partitions(); p++) {
      int first = coordinator.lists().firstLive(topology.replicaSet(p));
      partitions.computeIfAbsent(first, member -> new BitSet()).set(p);
    }
    return partitions;
  }

  private void finishIfAll() {
    if (asked.isEmpty() && !finished) {
      finished = true;
      coordinator.inFlight().remove(this);
      completion.complete(total);
    }
  }

  @Override
  void reply(int node, Message.CountReply reply) {
    switch (reply) {
      case Message.Counted counted -> {
        if (asked.remove(node)) {
          total = total.plus(counted.count());
          finishIfAll();
        }
      }
      case Message.Refused refused -> fail(refused.why());
    }
  }

  @Override
  void lost(int node) {
    if (asked.contains(node)) {
      fail(silent());
    }
  }

  @Override
  void tick(long nowNanos) {
    if (nowNanos >= deadlineNanos) {
      fail(silent());
    }
  }

  private static Unanswered.Refused silent() {
    return unavailable("a member did not tell its count");
  }

  private static Unanswered.Refused unavailable(String why) {
    return new Unanswered.Refused(Reason.UNAVAILABLE, why, 100);
  }

  private void fail(Unanswered.Refused why) {
    if (!finished) {
      finished = true;
      coordinator.inFlight().remove(this);
      completion.complete(why);
    }
  }
}
