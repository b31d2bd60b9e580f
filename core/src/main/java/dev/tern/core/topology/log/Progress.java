package dev.tern.core.topology.log;

import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import java.util.List;
import java.util.TreeMap;

/// Which members take what the topology log decides, as its leader sees it: a member whose disk has
/// no room lives, answers, and goes by an old topology. Soft state: a new leader learns it anew.
///
/// Threads: the loop.
final class Progress {
  /// A member that goes by an older topology than this is waited for so long, when a move begins.
  private static final long SLOW_NANOS = 2_000_000_000L;

  /// What a member that is behind goes by, and since when.
  private record Stand(long epoch, long sinceNanos) {}

  private final TreeMap<Integer, Stand> behind = new TreeMap<>();
  private List<MemberEntry> members = List.of();

  /// The first topology with these members: what shall move follows from them.
  private long plannedEpoch;

  /// Looks what the members go by; a few times a second.
  void look(TopologyState state, MoveReports reports, long nowNanos) {
    if (!members.equals(state.members())) {
      members = state.members();
      plannedEpoch = state.epoch();
    }
    behind.keySet().removeIf(member -> state.member(member) == null);
    for (MemberEntry member : members) {
      long epoch = reports.epochOf(member.number());
      Stand before = behind.get(member.number());
      if (epoch >= state.epoch()) {
        behind.remove(member.number());
      } else if (before == null || before.epoch != epoch) {
        behind.put(member.number(), new Stand(epoch, nowNanos));
      }
    }
  }

  /// Whether a member takes what is decided: it goes by the members there are, and is not behind
  /// for long.
  boolean takes(int member, MoveReports reports, long nowNanos) {
    return reports.epochOf(member) >= plannedEpoch && !isStuck(member, SLOW_NANOS, nowNanos);
  }

  /// Whether a member has taken nothing that was decided for so long, though there was something.
  boolean isStuck(int member, long nanos, long nowNanos) {
    Stand stand = behind.get(member);
    return stand != null && nowNanos - stand.sinceNanos >= nanos;
  }

  /// Another member may lead from now on.
  void clear() {
    behind.clear();
    members = List.of();
  }
}
