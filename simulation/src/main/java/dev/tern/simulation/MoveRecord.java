package dev.tern.simulation;

import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.LeftReport;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// What was seen of moves of replicas in a run of the topology log, and what must hold of them:
///
/// - an entry goes from step to step, none left out, and its epochs grow;
/// - a replica id belongs to one admission of one member to one group;
/// - a member is given a replica only after it has said, going by the entry before or a later one,
///   that it has nothing of an earlier one;
/// - a step follows only when the nodes that were up all the time, and have adopted anything
///   lately, had adopted the one before, the newcomers were filled, and those that leave had handed
///   over;
/// - no quorum of replicas takes requests by a view that does not fit with one that is in use.
final class MoveRecord {
  /// Reads and writes of the keyspaces here ask for two replicas.
  private static final int QUORUM = 2;

  private record Group(int set, int partition) implements Comparable<Group> {
    @Override
    public int compareTo(Group other) {
      int order = Integer.compare(set, other.set);
      return order == 0 ? Integer.compare(partition, other.partition) : order;
    }
  }

  /// An entry between two steps.
  ///
  /// @param since when the first node went by it
  private record View(
      long epoch,
      long before,
      long readsFrom,
      long writesFrom,
      ReplicaSet set,
      boolean returns,
      int[] oldList,
      int[] newList,
      long since) {
    static View of(ReplicaGroups groups, int p, long now) {
      return new View(
          groups.epoch(p),
          groups.compatibleFrom(p),
          groups.readsFrom(p),
          groups.writesFrom(p),
          groups.replicaSet(p),
          groups.returns(p),
          groups.lists().list(p),
          groups.targets().list(p),
          now);
    }

    boolean stable() {
      return set.phase() == Phase.STABLE;
    }

    int[] read() {
      return set.phase() == Phase.SWITCHED || set.phase() == Phase.FENCED ? newList : oldList;
    }

    List<int[]> written() {
      return set.phase() == Phase.FENCED || stable() ? List.of(newList) : List.of(oldList, newList);
    }

    boolean writes(int[] list) {
      return written().stream().anyMatch(each -> Arrays.equals(each, list));
    }

    @Override
    public String toString() {
      return "%s %s->%s at %d"
          .formatted(
              set.phase() + (returns ? " back" : ""),
              Arrays.toString(oldList),
              Arrays.toString(newList),
              epoch);
    }
  }

  private final IntPredicate up;
  private final TreeMap<Group, TreeMap<Long, View>> views = new TreeMap<>();
  private final Map<Integer, String> owners = new TreeMap<>();

  /// By id: the epoch of the first entry that was seen to have it.
  private final Map<Integer, Long> firstSeen = new TreeMap<>();

  private final Map<Integer, TopologyState> goesBy = new TreeMap<>();
  private final Map<Integer, Long> upSince = new TreeMap<>();

  /// When a node last adopted a state.
  private final Map<Integer, Long> adoptedAt = new TreeMap<>();

  /// Nodes that do not reach some others, and when there was one last.
  private int cuts;

  private long cutAt = Long.MIN_VALUE / 2;

  /// The leader passes over a live node of which it does not hear that it adopts anything for so
  /// long.
  private final long stuckNanos;

  /// Nodes that lost their disk: what they go by says nothing of what they went by.
  private final Set<Integer> lost = new TreeSet<>();

  private final Set<String> said = new TreeSet<>();

  /// By member and group: the latest admission that was seen.
  private final TreeMap<Integer, TreeMap<Group, Integer>> admissions = new TreeMap<>();

  /// By member and group: the latest epoch by which the member has said that it has nothing left.
  private final TreeMap<Integer, TreeMap<Group, Long>> nothingLeft = new TreeMap<>();

  /// Steps that were seen, by what they led to.
  final TreeMap<String, Integer> steps = new TreeMap<>();

  /// @param up whether a node runs
  /// @param stuckNanos after which a node that adopts nothing is passed over
  MoveRecord(IntPredicate up, long stuckNanos) {
    this.up = up;
    this.stuckNanos = stuckNanos;
  }

  private static void fail(String what) {
    throw new History.Violation(what);
  }

  void starts(int node, long now) {
    upSince.put(node, now);
  }

  /// A node does not reach some others from now on, or reaches them again.
  void cut(boolean isCut, long now) {
    cuts += isCut ? 1 : -1;
    cutAt = now;
  }

  void lost(int node) {
    lost.add(node);
    goesBy.remove(node);
  }

  private static String key(String what, int member, int set, int partition, long epoch) {
    return "%s %d %d/%d at %d".formatted(what, member, set, partition, epoch);
  }

  /// A member reports that it is filled or drained.
  void says(String what, int member, ReplicaGroups groups, int partition) {
    said.add(key(what, member, groups.number(), partition, groups.epoch(partition)));
  }

  /// What a node says of the partitions that it has left.
  ///
  /// @param handedOn whether it has handed on what it had of an admission
  LeftReport left(int node, TopologyState state, IntPredicate handedOn) {
    BitSet left = new BitSet();
    for (ReplicaGroups groups : state.groups()) {
      for (int p = 0; p < state.partitions(); p++) {
        int admission =
            admissions
                .computeIfAbsent(node, first -> new TreeMap<>())
                .getOrDefault(new Group(groups.number(), p), 0);
        boolean has = admission > 0 && !groups.replicaSet(p).has(node);
        left.set(p, left.get(p) || has && !handedOn.test(admission));
      }
    }
    LeftReport report = new LeftReport(state.epoch(), left, new BitSet());
    for (ReplicaGroups groups : state.groups()) {
      for (int p = 0; p < state.partitions(); p++) {
        if (report.mayReceive(groups, p)) {
          nothingLeft
              .computeIfAbsent(node, first -> new TreeMap<>())
              .merge(new Group(groups.number(), p), state.epoch(), Math::max);
        }
      }
    }
    return report;
  }

  private void mayBegin(Group group, View before, View after) {
    without(after.newList, before.oldList)
        .filter(
            member ->
                nothingLeft.getOrDefault(member, new TreeMap<>()).getOrDefault(group, 0L)
                    < before.epoch)
        .forEach(
            member -> fail("%s began at member %d, which may have it".formatted(group, member)));
  }

  /// A node goes by a state of the named cluster.
  void adopted(int node, TopologyState state, long now) {
    goesBy.put(node, state);
    adoptedAt.put(node, now);
    for (ReplicaGroups groups : state.groups()) {
      for (int p = 0; p < state.partitions(); p++) {
        Group group = new Group(groups.number(), p);
        TreeMap<Long, View> history = views.computeIfAbsent(group, first -> new TreeMap<>());
        View view = history.get(groups.epoch(p));
        if (view == null) {
          view = View.of(groups, p, now);
          came(group, history, view, groups);
        }
        fits(group, history, view);
      }
    }
  }

  private void came(
      Group group, NavigableMap<Long, View> history, View view, ReplicaGroups groups) {
    View before = history.get(view.before);
    history.put(view.epoch, view);
    for (View each : history.values()) {
      boolean between =
          each.epoch > each.before
              && history.lowerKey(each.epoch) != null
              && history.lowerKey(each.epoch) > each.before;
      if (between) {
        fail("entry %s: %s left out %s".formatted(group, each, history.lowerEntry(each.epoch)));
      }
    }
    for (int place = 0; place < view.set.size(); place++) {
      owns(group, view, before, place, groups.replicaId(group.partition, place));
    }
    if (before != null && before.epoch < view.epoch) {
      steps.merge(view.set.phase() + (view.returns ? " back" : ""), 1, Integer::sum);
      if (!follows(before, view)) {
        fail("entry %s went from %s to %s".formatted(group, before, view));
      }
      follows(group, before, view);
    }
  }

  private void owns(Group group, View view, @Nullable View before, int place, int id) {
    String owner = group + " " + view.set.member(place);
    String other = owners.putIfAbsent(id, owner);
    firstSeen.merge(id, view.epoch, Math::min);
    admissions
        .computeIfAbsent(view.set.member(place), first -> new TreeMap<>())
        .merge(group, id, Math::max);
    boolean isNew = before != null && !before.set.has(view.set.member(place));
    Long first = firstSeen.get(id);
    boolean old = first != null && first < view.epoch;
    if (other != null && !other.equals(owner) || isNew && old) {
      fail("replica id %d of %s at %d was that of %s".formatted(id, owner, view.epoch, other));
    }
  }

  private static boolean same(View one, View other) {
    return Arrays.equals(one.oldList, other.oldList) && Arrays.equals(one.newList, other.newList);
  }

  private static boolean ends(View view, int[] list) {
    return view.stable() && Arrays.equals(view.oldList, list);
  }

  private static boolean follows(View before, View after) {
    Phase to = after.set.phase();
    return switch (before.set.phase()) {
      case STABLE ->
          to == Phase.FILLING && !after.returns && Arrays.equals(before.oldList, after.oldList);
      case FILLING ->
          ends(after, before.oldList)
              || to == Phase.SWITCHED && !before.returns && same(before, after);
      case SWITCHED ->
          same(before, after) && (to == Phase.FENCED || to == Phase.FILLING && after.returns);
      case FENCED -> ends(after, before.newList);
    };
  }

  /// A step must have waited for the one before, but for what an operator cancels.
  private void follows(Group group, View before, View after) {
    if (before.stable()) {
      mayBegin(group, before, after);
    }
    boolean cancelled = after.returns || ends(after, before.oldList) && !before.stable();
    if (before.stable() || cancelled && before.set.phase() != Phase.FENCED) {
      return;
    }
    for (int member : before.set.members()) {
      if (keepsUp(member, before, after) && epoch(member, group) < before.epoch) {
        fail(
            "entry %s went to %s before node %d had adopted %s"
                .formatted(group, after, member, before));
      }
    }
    boolean switched = after.set.phase() == Phase.SWITCHED;
    IntStream filled =
        before.set.shrinks()
            ? Arrays.stream(before.newList)
            : without(before.newList, before.oldList);
    filled
        .filter(member -> switched && !says("filled", member, group, before))
        .forEach(member -> fail(group + " switched before it was filled at " + member));
    boolean finished = before.set.phase() == Phase.FENCED;
    without(before.oldList, before.newList)
        .filter(member -> finished && keepsUp(member, before, after))
        .filter(member -> !says("drained", member, group, before))
        .forEach(member -> fail(group + " finished before it was drained at " + member));
  }

  private boolean says(String what, int member, Group group, View at) {
    return said.contains(key(what, member, group.set, group.partition, at.epoch));
  }

  private static IntStream without(int[] list, int[] other) {
    return Arrays.stream(list).filter(m -> Arrays.stream(other).noneMatch(o -> o == m));
  }

  /// Whether a node was up since an entry came, and has adopted something before the next one came.
  private boolean keepsUp(int member, View since, View next) {
    return up.test(member)
        && next.since - adoptedAt.getOrDefault(member, 0L) < stuckNanos
        && cuts == 0
        && cutAt + stuckNanos < since.since
        && !lost.contains(member)
        && upSince.getOrDefault(member, Long.MAX_VALUE) < since.since;
  }

  private long epoch(int member, Group group) {
    ReplicaGroups groups = groups(member, group);
    return groups == null ? 0 : groups.epoch(group.partition);
  }

  private @Nullable ReplicaGroups groups(int member, Group group) {
    TopologyState state = goesBy.get(member);
    return state == null ? null : state.groupsNumbered(group.set);
  }

  /// Whether requests by older views cannot be done any more, where they do not fit with this one.
  private void fits(Group group, NavigableMap<Long, View> history, View view) {
    NavigableMap<Long, View> older = history.headMap(view.before, false);
    for (View old : older.values()) {
      boolean reads = !view.writes(old.read()) && taken(group, old, old.read(), true);
      boolean writes =
          !old.writes(view.read())
              && old.written().stream().allMatch(list -> taken(group, old, list, false));
      if (reads || writes) {
        fail(
            "entry %s: %s is in use and a quorum still %s by %s"
                .formatted(group, view, reads ? "reads" : "writes", old));
      }
    }
  }

  /// Whether a quorum of a list takes requests by an old view.
  private boolean taken(Group group, View old, int[] list, boolean reads) {
    int takers = 0;
    for (int member : list) {
      ReplicaGroups groups = groups(member, group);
      if (groups != null && !lost.contains(member)) {
        long from = reads ? groups.readsFrom(group.partition) : groups.writesFrom(group.partition);
        takers += from <= old.epoch ? 1 : 0;
      }
    }
    return takers >= Math.min(QUORUM, list.length);
  }

  // ---- the end

  /// What is left to do in a state; null if every partition lies as planned and all that leave are
  /// gone.
  static @Nullable String left(TopologyState state) {
    StringBuilder left = new StringBuilder();
    for (ReplicaGroups groups : state.groups()) {
      int[][] wanted = state.plan(groups).lists();
      for (int p = 0; p < state.partitions(); p++) {
        boolean stable = groups.replicaSet(p).phase() == Phase.STABLE;
        if (!stable || !Arrays.equals(wanted[p], groups.lists().list(p))) {
          left.append(
              "partition %d of %d lies at %s%s, wanted at %s; "
                  .formatted(
                      p,
                      groups.number(),
                      groups.replicaSet(p),
                      stable ? "" : "->" + Arrays.toString(groups.targets().list(p)),
                      Arrays.toString(wanted[p])));
        }
      }
    }
    if (!left.isEmpty()) {
      return left.toString();
    }
    for (MemberEntry member : state.members()) {
      if (member.leaving()) {
        return "member " + member.number() + " still leaves";
      }
    }
    return null;
  }
}
