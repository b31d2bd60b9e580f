package dev.tern.core.repair;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Partition;
import dev.tern.core.replica.Reads;
import dev.tern.core.replica.Replica;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage;
import dev.tern.core.wire.RepairPage.Answer;
import dev.tern.core.wire.RepairPage.RepairRecord;
import dev.tern.env.CoverageMarks;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What this member holds of partitions that it is no replica of any more, until it is dropped:
/// also after a restart, and where a move was cancelled.
///
/// ```
///   ask every live replica for its clock
///   together they have all that is here ----------------------------------> drop
///   all have answered, and some of it nobody has
///     |  a page of the records of these dots becomes hints for a replica, until all are
///     v
///   all that is here is at the replicas or among the hints ----------------> drop
/// ```
///
/// A hint outlives a restart, is delivered to any live replica, and holds back the strip of deletes
/// until then ([Inquiries]); so does what lies here. No delete above a write that is offered can
/// have been stripped since this member left: while a member is away no delete is stripped, and a
/// member with an older topology answers that it holds something.
///
/// Invariant: a dot is among `covered` only if a replica has told that it has it, or if its record,
/// or the record that replaced it, is among the hints or is one of a dot that is not covered yet.
///
/// Threads: the shard's loop.
final class LeftPartitions {
  /// What was asked is asked again after this.
  private static final long AGAIN_NANOS = 2_000_000_000L;

  private static final byte[] FROM_THE_FIRST = {};

  private final int self;
  private final Replica replica;
  private final AntiEntropy.Wire wire;
  private final PlantedBug planted;
  private ClusterView view;

  /// By place.
  private final TreeMap<Long, Left> left = new TreeMap<>();

  /// What is known of one of them; made anew by each entry of the partition.
  private static final class Left {
    final Partition partition;

    /// The epoch of the partition's entry that names the replicas.
    final long entryEpoch;

    /// Those that lead the partition.
    final int[] replicas;

    final DotSet covered = new DotSet();

    /// Replicas that have told their clock.
    final TreeSet<Integer> told = new TreeSet<>();

    /// Dots whose records cannot be read here: they stay.
    final DotSet unreadable = new DotSet();

    long askedNanos = Long.MIN_VALUE / 2;

    /// Whether a page is about to become hints.
    boolean offering;

    /// Where a walk over all records goes on, as the log of dots does not say where those of the
    /// dots are; null where it does.
    byte @Nullable [] cursor;

    Left(Partition partition, long entryEpoch, int[] replicas) {
      this.partition = partition;
      this.entryEpoch = entryEpoch;
      this.replicas = replicas;
    }

    /// What is on disk here and nowhere else, as far as is known and can be read.
    DotSet uncovered() {
      return partition.synced().minus(covered).minus(unreadable);
    }

    /// Whether all that can be read is at the replicas or held for them, and the rest cannot be.
    boolean isStuck() {
      return !offering && !unreadable.isEmpty() && uncovered().isEmpty();
    }
  }

  LeftPartitions(ShardContext context, Replica replica, AntiEntropy.Wire wire, ClusterView view) {
    this.self = context.self();
    this.replica = replica;
    this.wire = wire;
    this.planted = context.planted();
    this.view = view;
    look();
  }

  /// Goes by a later topology, which the store goes by already.
  void adopt(ClusterView later) {
    view = later;
    look();
  }

  private void look() {
    TreeMap<Long, Left> before = new TreeMap<>(left);
    left.clear();
    replica
        .store()
        .forEachPartition(
            partition -> {
              int set = replica.store().groupNumber(partition);
              ReplicaGroups groups = view.groupsNumbered(set);
              if (groups == null || !replica.store().holdsForNobody(partition, view)) {
                return;
              }
              ReplicaSet replicas = groups.replicaSet(partition.number());
              if (!replicas.has(self)) {
                long place = AntiEntropy.place(set, partition.number());
                long epoch = groups.epoch(partition.number());
                @Nullable Left known = before.get(place);
                left.put(
                    place,
                    known != null && known.entryEpoch == epoch
                        ? known
                        : new Left(partition, epoch, replicas.leaders().members()));
              }
            });
  }

  /// A few times a second.
  void beat(long now) {
    for (Left each : List.copyOf(left.values())) {
      if (planted == PlantedBug.DROPPED_BEFORE_DRAINED) {
        drop(each);
      } else if (now - each.askedNanos >= AGAIN_NANOS) {
        each.askedNanos = now;
        for (int member : each.replicas) {
          ask(each, member);
        }
      }
    }
  }

  private void ask(Left each, int member) {
    int number = each.partition.number();
    if (wire.live(member)) {
      wire.send(
          member,
          number,
          new Message.Clock(
              replica.store().groupNumber(each.partition),
              number,
              /* wanted= */ true,
              each.partition.synced(),
              each.partition.floor(),
              null,
              /* forgotten= */ false));
    }
  }

  /// A replica tells what it has of a partition that this member has none of.
  void heard(int member, Message.Clock told) {
    @Nullable Left each = left.get(AntiEntropy.place(told.group(), told.partition()));
    if (each == null) {
      return;
    }
    int target = 0;
    boolean all = true;
    for (int other : each.replicas) {
      if (other == member) {
        each.told.add(member);
        each.covered.addAll(told.clock());
      }
      boolean live = wire.live(other);
      target = target == 0 && live ? other : target;
      all &= !live || each.told.contains(other);
    }
    if (!dropIfCovered(each) && all && target != 0) {
      offer(each, target);
    }
  }

  /// Has the next page of what nobody has held for a replica.
  private void offer(Left each, int target) {
    DotSet uncovered = each.uncovered();
    if (each.offering || uncovered.isEmpty()) {
      return;
    }
    if (planted == PlantedBug.DROPPED_WITHOUT_OFFERING) {
      drop(each);
      return;
    }
    each.offering = true;
    replica
        .dotLog()
        .repairPage(
            each.partition,
            uncovered,
            each.cursor,
            (page, failure) -> {
              if (left.get(place(each)) == each && page != null) {
                new Offer(each, target, page).hold();
              } else {
                each.offering = false;
              }
            });
  }

  /// A page on its way to the hints.
  private final class Offer implements Applied {
    private final Left each;
    private final int target;
    private final RepairPage page;
    private int open;
    private boolean refused;

    Offer(Left each, int target, RepairPage page) {
      this.each = each;
      this.target = target;
      this.page = page;
      this.open = page.records().size() + 1;
    }

    void hold() {
      for (RepairRecord record : page.records()) {
        KeyspaceConfig keyspace = view.keyspace(record.keyspace());
        if (keyspace == null) {
          refused |= !view.dropped(record.keyspace());
          ended();
        } else if (record.record().isEmpty() && keyspace.resolution() == Resolution.LWW) {
          ended();
        } else {
          assert CoverageMarks.reach(CoreMark.LEFT_RECORDS_OFFERED);
          replica
              .writes()
              .hold(
                  keyspace,
                  record.slot(),
                  record.key(),
                  Reads.filled(keyspace, record.record(), page.clock()),
                  target,
                  this);
        }
      }
      ended();
    }

    @Override
    public void durable() {
      ended();
    }

    @Override
    public void superseded(Version by) {
      ended();
    }

    @Override
    public void refused(Unanswered.Refused why) {
      refused = true;
      ended();
    }

    private void ended() {
      open--;
      assert open >= 0 : "a record that is offered has two ends";
      if (open > 0) {
        return;
      }
      each.offering = false;
      // What is refused is offered again when a replica tells its clock the next time.
      if (!refused && left.get(place(each)) == each && goesOn() && !dropIfCovered(each)) {
        offer(each, target);
      }
    }

    /// Notes what the page brought; false if nothing more can be had at present.
    private boolean goesOn() {
      if (page.answer() == Answer.REBUILD) {
        each.cursor = FROM_THE_FIRST;
        return true;
      }
      if (each.cursor == null) {
        each.covered.addAll(page.covered());
        each.unreadable.addAll(page.unreadable());
        return !page.covered().isEmpty();
      }
      if (page.answer() == Answer.STUCK) {
        each.unreadable.addAll(each.uncovered());
        return false;
      }
      each.cursor = page.next();
      if (page.next().length == 0) {
        each.covered.addAll(page.clock().minus(each.unreadable));
        each.cursor = null;
      }
      return true;
    }
  }

  private long place(Left each) {
    return AntiEntropy.place(replica.store().groupNumber(each.partition), each.partition.number());
  }

  private boolean dropIfCovered(Left each) {
    boolean covered = each.covered.covers(each.partition.clock());
    if (covered) {
      drop(each);
    }
    return covered;
  }

  private void drop(Left each) {
    assert CoverageMarks.reach(CoreMark.LEFT_PARTITION_DROPPED);
    left.remove(place(each));
    replica.store().leave(each.partition);
  }

  /// Whether something lies here of a partition that this member is no replica of.
  boolean has(int group, int partition) {
    return left.containsKey(AntiEntropy.place(group, partition));
  }

  /// Which they are.
  LeftState state() {
    List<Integer> partitions = new ArrayList<>();
    List<Integer> unreadable = new ArrayList<>();
    for (Left each : left.values()) {
      partitions.add(each.partition.number());
      if (each.isStuck()) {
        unreadable.add(each.partition.number());
      }
    }
    return new LeftState(view.epoch(), partitions, unreadable);
  }
}
