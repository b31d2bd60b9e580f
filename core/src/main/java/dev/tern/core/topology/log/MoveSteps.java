package dev.tern.core.topology.log;

import dev.tern.core.topology.Command.Moves;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.KeyspaceDefinition;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Says which steps of moves the leader of the topology log proposes next. Sees and decides, does
/// nothing: a step that another leader overtakes is passed over by the epoch of its entry.
///
/// A step of a move follows when the entry is adopted by every live replica of both lists that
/// adopts anything, and by so many of each list it still uses that no quorum can be made of the
/// others: then nobody who goes by the entry before can read or write any more beside those who go
/// by the entry after. Besides, newcomers, and all of a shorter list, have to be *filled* before
/// they are read, and live replicas that leave have to be *drained* before they are forgotten. A
/// stable entry may begin to move unadopted: whoever still goes by the entry before reads and
/// writes a list that the next one reads and writes too.
///
/// A move begins only if its newcomers are live, have room on their disks, and have nothing of the
/// partition from an earlier admission ([LeftReport]): going by the new one they would empty it,
/// and what they alone have would be lost. A member of which that is not known is given nothing.
///
/// A move is cancelled when a newcomer is removed, or is not live for long, unless it is fenced.
/// New moves are those of the plan. Partitions without all their replicas come first, leads last.
/// While a replica is not live, no other one of its group is moved: that would be one fewer. What a
/// member holds that was away and is live stays there: it will count as back in a moment.
///
/// Invariant: a function of what is given; [#planned] only keeps what it computed.
final class MoveSteps {
  /// What is known.
  ///
  /// @param live whether a member is believed alive
  /// @param lost whether a member has not been live for so long that moves to it are cancelled
  /// @param stuck whether a live member has adopted nothing for so long
  /// @param takes whether a member adopts what is decided
  /// @param roomy whether a member's disk has room for more replicas
  record View(
      TopologyState state,
      MoveReports reports,
      IntPredicate live,
      IntPredicate lost,
      IntPredicate stuck,
      IntPredicate takes,
      IntPredicate roomy) {}

  private final MoveLimits limits;
  private final TopologyBug bug;

  /// The state of the plans at hand.
  private @Nullable TopologyState planned;

  /// By number of groups: the lists that they shall have.
  private final TreeMap<Integer, int[][]> plans = new TreeMap<>();

  MoveSteps(MoveLimits limits, TopologyBug bug) {
    this.limits = limits;
    this.bug = bug;
  }

  /// The next command; null if there is nothing to do now.
  @Nullable Moves next(View view) {
    Traffic traffic = new Traffic(view);
    for (ReplicaGroups groups : view.state().groups()) {
      List<Step> steps = goingOn(view, groups);
      if (!view.state().movesHeld() && steps.size() < Moves.MAX_STEPS) {
        begin(view, groups, traffic, steps);
      }
      if (!steps.isEmpty()) {
        return new Moves(groups.number(), steps);
      }
    }
    return null;
  }

  // ---- moves under way

  private List<Step> goingOn(View view, ReplicaGroups groups) {
    List<Step> steps = new ArrayList<>();
    Quorum quorum = Quorum.of(view.state(), groups);
    for (int p = 0; p < view.state().partitions() && steps.size() < Moves.MAX_STEPS; p++) {
      if (groups.replicaSet(p).phase() != Phase.STABLE) {
        Kind kind = new UnderWay(view, groups, p, quorum).next();
        if (kind != null) {
          steps.add(Step.of(p, groups.epoch(p), kind));
        }
      }
    }
    return steps;
  }

  /// The smallest levels that the keyspaces of some groups ask for unless a request says otherwise.
  private record Quorum(int w, int r) {
    static Quorum of(TopologyState state, ReplicaGroups groups) {
      int w = Integer.MAX_VALUE;
      int r = Integer.MAX_VALUE;
      for (KeyspaceDefinition keyspace : state.keyspaces()) {
        if (keyspace.settings().policy().equals(groups.policy())) {
          w = Math.min(w, keyspace.settings().w());
          r = Math.min(r, keyspace.settings().r());
        }
      }
      return new Quorum(w, r);
    }

    /// How many of a list have to have adopted an entry, so that the others are fewer than any
    /// quorum. Whatever the defaults are, requests that are linearizable go by majorities.
    int of(int[] list) {
      return list.length - Math.min(Math.min(w, r), majority(list)) + 1;
    }

    /// Whether so many of both lists are live that steps between them can be adopted.
    boolean mayAdopt(IntPredicate live, int[] oldList, int[] newList) {
      return Arrays.stream(oldList).filter(live).count() >= of(oldList)
          && Arrays.stream(newList).filter(live).count() >= of(newList);
    }
  }

  private static int majority(int[] list) {
    return list.length / 2 + 1;
  }

  /// One entry that moves.
  private final class UnderWay {
    private final View view;
    private final ReplicaGroups groups;
    private final int partition;
    private final Quorum quorum;
    private final int[] oldList;
    private final int[] newList;
    private final ReplicaSet set;

    UnderWay(View view, ReplicaGroups groups, int partition, Quorum quorum) {
      this.view = view;
      this.groups = groups;
      this.partition = partition;
      this.quorum = quorum;
      this.oldList = groups.lists().list(partition);
      this.newList = groups.targets().list(partition);
      this.set = groups.replicaSet(partition);
    }

    @Nullable Kind next() {
      boolean adopted = adoptedByLive() && adopted(oldList);
      boolean byNew = adopted(newList);
      if (bug == TopologyBug.CANCEL_AFTER_FENCED && set.phase() == Phase.FENCED && hopeless()) {
        return Kind.CANCEL;
      }
      return switch (set.phase()) {
        case STABLE -> null;
        case FILLING -> {
          if (groups.returns(partition)) {
            yield adopted && byNew ? Kind.CANCEL : null;
          }
          if (hopeless()) {
            yield adopted ? Kind.CANCEL : null;
          }
          yield adopted && byNew && filled() ? Kind.SWITCH : null;
        }
        case SWITCHED -> {
          if (hopeless()) {
            yield adopted ? Kind.CANCEL : null;
          }
          yield adopted && byNew ? Kind.FENCE : null;
        }
        case FENCED -> adoptedByLive() && byNew && drained() ? Kind.FINISH : null;
      };
    }

    private boolean says(int flag, int member) {
      return view.reports().says(flag, member, groups, partition);
    }

    private boolean adopts(int member) {
      return bug == TopologyBug.STEP_BEFORE_ADOPTION || says(MoveReport.ADOPTED, member);
    }

    private boolean adoptedByLive() {
      return Arrays.stream(set.members())
          .allMatch(m -> !view.live().test(m) || adopts(m) || view.stuck().test(m));
    }

    private boolean adopted(int[] list) {
      return Arrays.stream(list).filter(this::adopts).count() >= quorum.of(list);
    }

    private IntStream newcomers() {
      return without(newList, oldList);
    }

    /// Of a list that gets shorter all that stay have to have what those that leave have, too.
    private boolean filled() {
      IntStream toFill = set.shrinks() ? Arrays.stream(newList) : newcomers();
      return toFill.allMatch(member -> says(MoveReport.FILLED, member));
    }

    /// Whether those that leave have handed over what they had, but for those that are away, not
    /// live for long, or stuck: one that is merely slow is waited for.
    private boolean drained() {
      return bug == TopologyBug.FINISHED_UNDRAINED
          || without(oldList, newList).allMatch(m -> says(MoveReport.DRAINED, m) || isGone(m));
    }

    private boolean isGone(int member) {
      boolean absent = view.lost().test(member) || isAway(view.state(), member);
      return view.live().test(member) ? view.stuck().test(member) : absent;
    }

    /// Whether a newcomer is removed, or was not live or stuck for long, or one that stays is not
    /// live for long and would have to be filled.
    private boolean hopeless() {
      boolean noStay = set.phase() == Phase.FILLING && set.shrinks();
      return newcomers()
              .anyMatch(
                  m -> !eligible(view.state(), m) || view.lost().test(m) || view.stuck().test(m))
          || noStay && Arrays.stream(newList).anyMatch(view.lost());
    }
  }

  private static IntStream without(int[] list, int[] other) {
    return Arrays.stream(list).filter(m -> Arrays.stream(other).noneMatch(o -> o == m));
  }

  private static boolean eligible(TopologyState state, int member) {
    MemberEntry entry = state.member(member);
    return entry != null && entry.eligible();
  }

  private static boolean isAway(TopologyState state, int member) {
    MemberEntry entry = state.member(member);
    return entry != null && entry.away();
  }

  // ---- new moves

  /// How many partitions are filled at each member and from each: what comes after costs little.
  private final class Traffic {
    private final View view;
    private final TreeMap<Integer, Integer> receiving = new TreeMap<>();
    private final TreeMap<Integer, Integer> sending = new TreeMap<>();

    Traffic(View view) {
      this.view = view;
      for (ReplicaGroups groups : view.state().groups()) {
        Quorum quorum = Quorum.of(view.state(), groups);
        for (int p = 0; p < view.state().partitions(); p++) {
          int[] oldList = groups.lists().list(p);
          int[] newList = groups.targets().list(p);
          // What cannot go on takes no place from what can.
          if (groups.replicaSet(p).phase() == Phase.FILLING
              && quorum.mayAdopt(view.live(), oldList, newList)) {
            add(oldList, newList);
          }
        }
      }
    }

    /// Who sends: the one that leaves if it is live, else the first of the old list that is.
    private int sender(int[] oldList, int[] newList) {
      return IntStream.concat(without(oldList, newList), Arrays.stream(oldList))
          .filter(view.live())
          .findFirst()
          .orElse(0);
    }

    private void add(int[] oldList, int[] newList) {
      without(newList, oldList).forEach(member -> receiving.merge(member, 1, Integer::sum));
      sending.merge(sender(oldList, newList), 1, Integer::sum);
    }

    private boolean hasRoom(int[] oldList, int[] newList) {
      return sending.getOrDefault(sender(oldList, newList), 0) < limits.sending()
          && without(newList, oldList)
              .allMatch(member -> receiving.getOrDefault(member, 0) < limits.receiving());
    }
  }

  /// How much a move is wanted, most first.
  private enum Urgency {
    /// A replica is dead, or has to leave, or there are too few.
    REDUNDANCY,
    BALANCE,
    /// The same replicas in another order.
    LEADS
  }

  private void begin(View view, ReplicaGroups groups, Traffic traffic, List<Step> steps) {
    int[][] wanted = planned(view.state(), groups);
    Quorum quorum = Quorum.of(view.state(), groups);
    for (Urgency urgency : Urgency.values()) {
      for (int p = 0; p < wanted.length && steps.size() < Moves.MAX_STEPS; p++) {
        int[] oldList = groups.lists().list(p);
        boolean moves = groups.replicaSet(p).phase() != Phase.STABLE;
        int[] newList = moves ? null : startable(view, oldList, wanted[p]);
        if (newList != null
            && quorum.mayAdopt(view.live(), oldList, newList)
            && mayReceive(view, groups, p, newList)
            && allTake(view, oldList, newList)
            && urgency(view, oldList, newList) == urgency
            && traffic.hasRoom(oldList, newList)) {
          traffic.add(oldList, newList);
          List<Integer> list = Arrays.stream(newList).boxed().toList();
          steps.add(new Step(p, groups.epoch(p), Kind.BEGIN, list));
        }
      }
    }
  }

  private boolean mayReceive(View view, ReplicaGroups groups, int partition, int[] newList) {
    int[] oldList = groups.lists().list(partition);
    return without(newList, oldList).allMatch(view.roomy())
        && (bug == TopologyBug.READMITTED_WITH_LEFT
            || without(newList, oldList)
                .allMatch(member -> view.reports().mayReceive(member, groups, partition)));
  }

  /// Whether each live replica of both lists adopts what is decided: one that cannot, as its disk
  /// is full, would go on by the entry before, and its clients' requests would be refused.
  private static boolean allTake(View view, int[] oldList, int[] newList) {
    return IntStream.concat(Arrays.stream(oldList), Arrays.stream(newList))
        .allMatch(member -> !view.live().test(member) || view.takes().test(member));
  }

  private int[][] planned(TopologyState state, ReplicaGroups groups) {
    if (planned != state) {
      planned = state;
      plans.clear();
    }
    return plans.computeIfAbsent(groups.number(), number -> state.plan(groups).lists());
  }

  private static Urgency urgency(View view, int[] oldList, int[] newList) {
    boolean needed =
        newList.length > oldList.length
            || without(oldList, newList)
                .anyMatch(m -> !view.live().test(m) || !eligible(view.state(), m));
    boolean same = without(newList, oldList).findAny().isEmpty();
    return needed ? Urgency.REDUNDANCY : same ? Urgency.LEADS : Urgency.BALANCE;
  }

  /// The list that a partition's move may begin with now, null for none.
  private static int @Nullable [] startable(View view, int[] oldList, int[] wanted) {
    if (Arrays.equals(oldList, wanted)) {
      return null;
    }
    IntPredicate live = view.live();
    boolean newcomersLive = without(wanted, oldList).allMatch(live);
    if (!newcomersLive || Arrays.stream(oldList).noneMatch(live)) {
      return null;
    }
    boolean returns = without(oldList, wanted).anyMatch(m -> returns(view, m));
    if (Arrays.stream(oldList).allMatch(live)) {
      return returns ? null : towards(view, oldList, wanted);
    }
    boolean deadStay =
        Arrays.stream(oldList).anyMatch(m -> !live.test(m) && ReplicaSet.names(wanted, m));
    boolean liveMove = without(oldList, wanted).anyMatch(live);
    boolean deadMove = without(oldList, wanted).anyMatch(live.negate());
    if (!liveMove) {
      return deadMove || wanted.length > oldList.length ? towards(view, oldList, wanted) : null;
    }
    boolean mayStay =
        without(oldList, wanted)
            .filter(live)
            .allMatch(m -> eligible(view.state(), m) || returns(view, m));
    if (!deadMove) {
      return null;
    }
    return mayStay
        ? replaced(view, oldList, wanted, live.negate(), oldList.length)
        : deadStay ? null : towards(view, oldList, wanted);
  }

  /// How many places of a list change at once: whatever becomes of the newcomers, those of the list
  /// that stay are a majority of it and of the next one.
  private static int mostReplaced(int[] list) {
    return Math.max(1, list.length - majority(list));
  }

  /// The wanted list, or one on the way to it.
  private static int @Nullable [] towards(View view, int[] oldList, int[] wanted) {
    int most = mostReplaced(oldList);
    boolean atOnce = oldList.length != wanted.length || without(wanted, oldList).count() <= most;
    return atOnce ? wanted : replaced(view, oldList, wanted, member -> true, most);
  }

  /// Whether a member was away and is live, and stays.
  private static boolean returns(View view, int member) {
    MemberEntry entry = view.state().member(member);
    return entry != null && entry.away() && !entry.leaving() && view.live().test(member);
  }

  /// The old list with newcomers in the places of some that go: the rest comes later. Members that
  /// are not live give way first.
  ///
  /// @param may whether a member that goes may go now
  private static int @Nullable [] replaced(
      View view, int[] oldList, int[] wanted, IntPredicate may, int most) {
    if (oldList.length != wanted.length) {
      return null;
    }
    SequencedSet<Integer> newcomers =
        new LinkedHashSet<>(without(wanted, oldList).boxed().toList());
    int[] list = oldList.clone();
    int left = most;
    for (boolean live : new boolean[] {false, true}) {
      for (int place = 0; place < list.length && left > 0; place++) {
        int member = oldList[place];
        if (view.live().test(member) == live
            && may.test(member)
            && !ReplicaSet.names(wanted, member)) {
          list[place] = taken(view.state(), newcomers, list, place);
          left--;
        }
      }
    }
    return list;
  }

  /// Takes the newcomer for a place that stands in no zone of the others, or else the first.
  private static int taken(
      TopologyState state, SequencedSet<Integer> newcomers, int[] list, int place) {
    List<String> zones = new ArrayList<>();
    for (int other = 0; other < list.length; other++) {
      if (other != place) {
        zones.add(zone(state, list[other]));
      }
    }
    int chosen = newcomers.getFirst();
    for (int newcomer : newcomers) {
      if (!zones.contains(zone(state, newcomer))) {
        chosen = newcomer;
        break;
      }
    }
    newcomers.remove(chosen);
    return chosen;
  }

  private static String zone(TopologyState state, int member) {
    MemberEntry entry = state.member(member);
    return entry == null ? "" : entry.zone();
  }
}
