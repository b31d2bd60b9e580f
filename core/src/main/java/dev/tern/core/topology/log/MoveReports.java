package dev.tern.core.topology.log;

import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.TopologyState;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/// What members have said of the moves under way and of what they have left, at the leader. Soft
/// state: members say it again every few ticks, and to each new leader.
///
/// Invariant: reports are of entries as they were at some state of this leader's log; those of an
/// entry that has gone on since count for nothing.
///
/// Threads: the loop.
final class MoveReports {
  private record Entry(int set, int partition, int member) implements Comparable<Entry> {
    @Override
    public int compareTo(Entry other) {
      int order = Integer.compare(set, other.set);
      order = order == 0 ? Integer.compare(partition, other.partition) : order;
      return order == 0 ? Integer.compare(member, other.member) : order;
    }
  }

  private final TreeMap<Entry, MoveReport> latest = new TreeMap<>();

  /// What a member has left.
  ///
  /// @param since the topology's epoch when the member was first heard, since it is live
  private record Left(long since, LeftReport report) {}

  /// By member.
  private final TreeMap<Integer, Left> left = new TreeMap<>();

  /// A member says what it has left.
  void take(int member, LeftReport report, TopologyState state) {
    Left known = left.get(member);
    left.put(member, new Left(known == null ? state.epoch() : known.since, report));
  }

  /// Whether a member that is no replica of a partition may become one, see [LeftReport]. Nobody
  /// knows of a member that was not heard.
  boolean mayReceive(int member, ReplicaGroups groups, int partition) {
    Left known = left.get(member);
    return known != null && known.report.mayReceive(groups, partition);
  }

  /// The epoch of the topology that a member last said it goes by; -1 if it was not heard.
  long epochOf(int member) {
    Left known = left.get(member);
    return known == null ? -1 : known.report.epoch();
  }

  /// Whether a member knows what it has left while it was not live, and has handed on all of it
  /// that it can read.
  boolean hasHandedOn(int member) {
    Left known = left.get(member);
    return known != null && known.report.epoch() >= known.since && known.report.isHandedOn();
  }

  /// By member: what it has left, of those that have something.
  SortedMap<Integer, LeftReport> left() {
    TreeMap<Integer, LeftReport> something = new TreeMap<>();
    left.forEach(
        (member, known) -> {
          if (known.report.count() > 0) {
            something.put(member, known.report);
          }
        });
    return something;
  }

  /// A member says so. What it says of entries that are others in `state` is passed over, and of
  /// groups that it is no replica of.
  void take(int member, List<MoveReport> reports, TopologyState state) {
    for (MoveReport report : reports) {
      if (fits(member, report, state)) {
        latest.put(new Entry(report.set(), report.partition(), member), report);
      }
    }
  }

  private static boolean fits(int member, MoveReport report, TopologyState state) {
    ReplicaGroups groups = state.groupsNumbered(report.set());
    return groups != null
        && report.partition() < state.partitions()
        && groups.epoch(report.partition()) == report.entryEpoch()
        && groups.replicaSet(report.partition()).has(member);
  }

  /// Whether a member has said that of an entry at its epoch.
  boolean says(int flag, int member, ReplicaGroups groups, int partition) {
    MoveReport report = latest.get(new Entry(groups.number(), partition, member));
    return report != null && report.entryEpoch() == groups.epoch(partition) && report.says(flag);
  }

  /// Drops what no longer fits, and what members have said that are not live: they may come back
  /// without what they had.
  void prune(TopologyState state, IntPredicate live) {
    latest
        .entrySet()
        .removeIf(
            each ->
                !live.test(each.getKey().member)
                    || !fits(each.getKey().member, each.getValue(), state));
    left.keySet().removeIf(member -> !live.test(member));
  }

  void clear() {
    latest.clear();
    left.clear();
  }

  int size() {
    return latest.size();
  }
}
