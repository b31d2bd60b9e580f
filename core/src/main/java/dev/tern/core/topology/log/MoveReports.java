package dev.tern.core.topology.log;

import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.TopologyState;
import java.util.List;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/// What members have said of the moves under way, at the leader. Soft state: members say it again
/// every few ticks, and to each new leader.
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
  }

  void clear() {
    latest.clear();
  }

  int size() {
    return latest.size();
  }
}
