package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.topology.TopologyOutcome.Reason;
import dev.tern.core.topology.TopologyState.Step;
import dev.tern.env.ByteWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// From a state and a command to the next state.
final class Transition {
  private final TopologyState before;

  /// A planted mistake.
  private final boolean cancelsFenced;

  // The next state's parts.
  private ClusterId cluster;
  private int level;
  private Founding founding;
  private List<MemberEntry> members;
  private List<KeyspaceDefinition> keyspaces;
  private List<ReplicaGroups> groups;
  private List<Integer> voters;
  private int nextMember;
  private int nextKeyspace;
  private int nextReplica;
  private int nextSet;
  private final TreeMap<Integer, Long> lives;
  private boolean movesHeld;

  /// How a command is refused; thrown within this class only.
  private static final class No extends Exception {
    private static final long serialVersionUID = 1;

    private final Reason reason;

    No(Reason reason, String message) {
      super(message, null, false, false);
      this.reason = reason;
    }

    TopologyOutcome.Refused refused() {
      return new TopologyOutcome.Refused(reason, String.valueOf(getMessage()));
    }
  }

  private Transition(TopologyState before, boolean cancelsFenced) {
    this.before = before;
    this.cancelsFenced = cancelsFenced;
    this.cluster = before.cluster();
    this.level = before.level();
    this.founding = before.founding();
    this.members = new ArrayList<>(before.members());
    this.keyspaces = new ArrayList<>(before.keyspaces());
    this.groups = new ArrayList<>(before.groups());
    this.voters = before.voters();
    this.nextMember = before.nextMember();
    this.nextKeyspace = before.nextKeyspace();
    this.nextReplica = before.nextReplica();
    this.nextSet = before.nextSet();
    this.lives = new TreeMap<>(before.lives());
    this.movesHeld = before.movesHeld();
  }

  static Step of(TopologyState before, Proposed proposed, boolean cancelsFenced) {
    try {
      long at = proposed.onlyAtEpoch();
      if (at != 0 && at != before.epoch()) {
        throw new No(
            Reason.STALE_EPOCH,
            "the topology is at epoch %d, not %d: look again".formatted(before.epoch(), at));
      }
      Transition transition = new Transition(before, cancelsFenced);
      transition.apply(proposed.command());
      TopologyState after = transition.after();
      if (after.equals(before)) {
        return new Step(before, new TopologyOutcome.Unchanged(before.epoch()));
      }
      TopologyState next = transition.after(before.epoch() + 1);
      assert flaw(before, next) == null : flaw(before, next);
      return new Step(next, new TopologyOutcome.Changed(next.epoch()));
    } catch (No no) {
      return new Step(before, no.refused());
    }
  }

  /// What is wrong with a state and with the step to it; null if nothing is. What was given out
  /// once is never given out again, so no `next` falls.
  private static @Nullable String flaw(TopologyState from, TopologyState to) {
    boolean falls =
        to.nextMember() < from.nextMember()
            || to.nextKeyspace() < from.nextKeyspace()
            || to.nextReplica() < from.nextReplica()
            || to.nextSet() < from.nextSet();
    return falls ? "a number would be given out again" : StateCheck.flaw(to);
  }

  private TopologyState after() {
    return after(before.epoch());
  }

  private TopologyState after(long epoch) {
    return new TopologyState(
        cluster,
        epoch,
        level,
        founding,
        members,
        keyspaces,
        groups,
        voters,
        nextMember,
        nextKeyspace,
        nextReplica,
        nextSet,
        lives,
        movesHeld);
  }

  private void apply(Command command) throws No {
    if (!(command instanceof Command.Found) && !before.founded()) {
      throw new No(Reason.NOT_FOUNDED, "there is no cluster yet");
    }
    switch (command) {
      case Command.Found c -> found(c);
      case Command.AdmitMember c -> admit(c);
      case Command.RemoveMember c -> remove(c.number());
      case Command.SetWeight c -> replace(member(c.number()).weighing(c.weight()));
      case Command.SetZone c -> replace(member(c.number()).standingIn(c.zone()));
      case Command.CreateKeyspace c -> create(c);
      case Command.AlterKeyspace c -> alter(c.settings());
      case Command.DropKeyspace c -> drop(c.name());
      case Command.RecordVoters c -> recordVoters(c.voters());
      case Command.Readmit c -> readmit(c);
      case Command.RaiseLevel c -> level = Math.max(level, c.level());
      case Command.Moves c -> move(c);
      case Command.HoldMoves c -> movesHeld = c.held();
      case Command.SetAway c -> setAway(c);
      case Command.Rejoin c -> rejoin(c);
    }
  }

  private static void check(@Nullable String problem) throws No {
    if (problem != null) {
      throw new No(Reason.INVALID, problem);
    }
  }

  private static <T> T known(@Nullable T found, String what) throws No {
    if (found == null) {
      throw new No(Reason.UNKNOWN, "there is no " + what);
    }
    return found;
  }

  // ---- the founding

  private void found(Command.Found command) throws No {
    Founding told = command.founding();
    if (before.founded()) {
      if (!told.equals(founding)) {
        throw new No(
            Reason.FOUNDERS_DISAGREE,
            "cluster %s was founded otherwise: the proposer was told of %s"
                .formatted(cluster, told.differenceFrom(founding)));
      }
      return;
    }
    check(told.problem());
    List<PlacementPolicy> policies = told.policies();
    if (policies.size() != command.placed().size()) {
      throw new No(Reason.INVALID, "lists for each policy, and no others");
    }
    cluster = command.cluster();
    founding = told;
    members = told.founders();
    nextMember = members.getLast().number() + 1;
    for (int i = 0; i < policies.size(); i++) {
      place(policies.get(i), command.placed().get(i));
    }
    // Not from the cluster's id: founders store keys before they know it.
    ByteWriter bytes = new ByteWriter();
    TopologyCodec.encode(told, bytes);
    for (KeyspaceSettings settings : told.keyspaces()) {
      KeyHash hash = KeyHash.derived(bytes.toByteArray(), nextKeyspace);
      keyspaces.add(new KeyspaceDefinition(nextKeyspace++, hash, settings));
    }
    voters = Voters.choose(members, List.of(), member -> true);
  }

  // ---- members

  private MemberEntry member(int number) throws No {
    return known(before.member(number), "member " + number);
  }

  private void admit(Command.AdmitMember command) throws No {
    MemberEntry entry = new MemberEntry(command.member(), command.weight(), false);
    check(Founding.problem(entry));
    MemberEntry known = before.member(entry.number());
    if (known != null && known.member().equals(entry.member())) {
      return;
    }
    if (entry.number() < nextMember) {
      throw new No(
          Reason.EXISTS,
          "numbers of members are never used again: %d is not free, %d is"
              .formatted(entry.number(), nextMember));
    }
    for (MemberEntry other : members) {
      boolean sameDoor =
          other.member().host().equals(entry.member().host())
              && other.member().ports().internode() == entry.member().ports().internode();
      if (sameDoor || other.member().name().equals(entry.member().name())) {
        throw new No(Reason.EXISTS, "member %d has this address or name".formatted(other.number()));
      }
    }
    members.add(entry);
    nextMember = entry.number() + 1;
  }

  private void remove(int number) throws No {
    MemberEntry member = member(number);
    boolean last =
        members.stream().noneMatch(other -> other.number() != number && other.eligible());
    if (last) {
      throw new No(
          Reason.INVALID, "member " + number + " is the last that may hold data: it stays");
    }
    if (!member.leaving()) {
      replace(member.thatLeaves());
    } else if (!before.holds(number) && !voters.contains(number)) {
      members.remove(member);
      lives.remove(number);
    }
  }

  private void setAway(Command.SetAway command) throws No {
    MemberEntry member = member(command.number());
    if (command.away() && !member.away() && !before.suffices(command.number())) {
      throw new No(
          Reason.INVALID,
          "without member %d too few members are left for all replicas: let another one join"
              .formatted(command.number()));
    }
    replace(member.thatIsAway(command.away()));
  }

  private void rejoin(Command.Rejoin command) throws No {
    MemberEntry member = member(command.number());
    if (member.leaving()) {
      throw new No(Reason.INVALID, "member %d is leaving".formatted(command.number()));
    }
    for (MemberEntry other : members) {
      if (other.number() != command.number() && other.member().name().equals(command.name())) {
        throw new No(Reason.EXISTS, "member %d has this name".formatted(other.number()));
      }
    }
    replace(member.named(command.name()));
  }

  private void replace(MemberEntry entry) throws No {
    check(Founding.problem(entry));
    members.replaceAll(member -> member.number() == entry.number() ? entry : member);
    if (members.stream().noneMatch(MemberEntry::eligible)) {
      throw new No(Reason.INVALID, "no member would be left that may hold data");
    }
  }

  private void readmit(Command.Readmit command) throws No {
    member(command.number());
    if (voters.contains(command.number())) {
      throw new No(Reason.INVALID, "member %d votes".formatted(command.number()));
    }
    lives.put(command.number(), command.life());
  }

  private void recordVoters(List<Integer> wanted) throws No {
    TreeSet<Integer> sorted = new TreeSet<>(wanted);
    if (sorted.isEmpty() || sorted.size() != wanted.size()) {
      throw new No(Reason.INVALID, "voters differ, and there is one at least");
    }
    for (int number : sorted) {
      member(number);
    }
    voters = List.copyOf(sorted);
  }

  // ---- keyspaces

  private KeyspaceDefinition keyspace(String name) throws No {
    return known(before.keyspace(name), "keyspace " + name);
  }

  private void create(Command.CreateKeyspace command) throws No {
    KeyspaceSettings settings = command.settings();
    check(settings.problem());
    KeyspaceDefinition known = before.keyspace(settings.name());
    if (known != null) {
      throw new No(
          Reason.EXISTS,
          "there is a keyspace %s already, of id %d".formatted(known.name(), known.id()));
    }
    // A state beyond this is one that no node would read: see StateCheck.
    if (nextKeyspace >= StateCheck.MAX_KEYSPACES) {
      throw new No(
          Reason.INVALID,
          "the cluster has given out all of its %d numbers of keyspaces: use one that is there"
              .formatted(StateCheck.MAX_KEYSPACES - 1));
    }
    if (before.groups(settings.policy()) == null) {
      place(settings.policy(), command.lists());
    }
    keyspaces.add(new KeyspaceDefinition(nextKeyspace++, command.hash(), settings));
  }

  private void alter(KeyspaceSettings wanted) throws No {
    check(wanted.problem());
    KeyspaceDefinition known = keyspace(wanted.name());
    KeyspaceSettings was = known.settings();
    if (!was.policy().equals(wanted.policy())) {
      throw new No(
          Reason.NEEDS_MOVES,
          "n and zones of %s stay as they are (n=%d, zones %s): replicas cannot be moved yet"
              .formatted(was.name(), was.n(), was.zones()));
    }
    KeyspaceProperty<?> kept = was.changesKept(wanted);
    if (kept != null) {
      throw new No(Reason.INVALID, "a keyspace keeps its " + kept.name());
    }
    keyspaces.replaceAll(
        each ->
            each.id() == known.id()
                ? new KeyspaceDefinition(known.id(), known.hash(), wanted)
                : each);
  }

  private void drop(String name) throws No {
    KeyspaceDefinition known = keyspace(name);
    keyspaces.remove(known);
    PlacementPolicy policy = known.settings().policy();
    if (keyspaces.stream().noneMatch(other -> other.settings().policy().equals(policy))) {
      groups.removeIf(each -> each.policy().equals(policy));
    }
  }

  private Set<Integer> eligible() {
    return members.stream()
        .filter(MemberEntry::eligible)
        .map(MemberEntry::number)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void move(Command.Moves command) throws No {
    ReplicaGroups of =
        known(before.groupsNumbered(command.set()), "set of groups " + command.set());
    if (command.steps().size() > Command.Moves.MAX_STEPS) {
      throw new No(Reason.INVALID, "more than %d steps".formatted(Command.Moves.MAX_STEPS));
    }
    ReplicaGroups.Stepped stepped =
        of.stepped(command.steps(), eligible(), nextReplica, before.epoch() + 1, cancelsFenced);
    if (stepped.held() == 0) {
      throw new No(Reason.STALE_EPOCH, "no step fits the entry that it was made for: look again");
    }
    groups.set(groups.indexOf(of), stepped.groups());
    nextReplica = stepped.nextId();
  }

  /// Makes the groups of a policy, if the lists still suit the members.
  private void place(PlacementPolicy policy, ReplicaLists lists) throws No {
    Set<Integer> eligible = eligible();
    int n = Math.min(policy.n(), eligible.size());
    if (lists.partitions() != founding.partitions()) {
      throw new No(Reason.STALE_EPOCH, "lists for other partitions: try again");
    }
    for (int p = 0; p < lists.partitions(); p++) {
      int[] list = lists.list(p);
      if (list.length != n || Arrays.stream(list).distinct().count() != n) {
        throw new No(Reason.STALE_EPOCH, "lists made for other members: try again");
      }
      for (int number : list) {
        if (!eligible.contains(number)) {
          throw new No(Reason.STALE_EPOCH, "lists with a member that left: try again");
        }
      }
    }
    long ids = nextReplica + (long) lists.replicas();
    if (ids > Integer.MAX_VALUE) {
      throw new No(Reason.INVALID, "the ids of replicas are used up");
    }
    if (nextSet > ReplicaGroups.MAX_NUMBER) {
      throw new No(Reason.INVALID, "the numbers of replica groups are used up");
    }
    groups.add(ReplicaGroups.placed(nextSet++, policy, lists, nextReplica, before.epoch() + 1));
    nextReplica = (int) ids;
  }
}
