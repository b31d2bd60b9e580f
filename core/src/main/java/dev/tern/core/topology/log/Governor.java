package dev.tern.core.topology.log;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.Clock;
import dev.tern.env.Randomness;
import dev.tern.raft.Membership;
import dev.tern.raft.Raft;
import dev.tern.raft.group.RaftGroup;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// What the leader of the topology log does by itself: it founds the cluster, replaces absent
/// voters, removes members that have left, gives the replicas of members that are away to others
/// ([Absences]), lets members in again that forgot, and raises the level when all members speak a
/// higher one. One step at a time, each from the state that the log has made: a step that another
/// leader overtakes is refused by its epoch. Besides, it moves replicas ([MoveSteps]), one command
/// of many steps at a time.
///
/// Threads: the loop.
final class Governor {
  private final int self;
  private final TopologyLog.Options options;
  private final Clock clock;
  private final Randomness random;
  private final IntPredicate live;
  private final TopologyMachine machine;
  private final RaftGroup group;
  private final KnownTopology known;
  private final KnownLeader leader;
  private final Acquaintances acquaintances;
  private final Greetings greetings;
  private final Amnesia amnesia;
  private final Proposals proposals;

  private final MoveSteps moves;
  private final MoveReports reports = new MoveReports();

  private final Progress progress = new Progress();

  /// Whether a member's disk has room for more replicas.
  private IntPredicate roomy = member -> true;

  /// Whether steps of moves are in the log and not applied.
  private boolean moving;

  /// By number of a member that is not live: since when, on this leader's clock.
  private final TreeMap<Integer, Long> absentSince = new TreeMap<>();

  /// @param random for the name of the cluster
  /// @param live whether a member is believed alive
  Governor(
      LogParts parts,
      Clock clock,
      Randomness random,
      IntPredicate live,
      TopologyMachine machine,
      Greetings greetings,
      Proposals proposals) {
    this.self = parts.self();
    this.options = parts.options();
    this.clock = clock;
    this.random = random;
    this.live = live;
    this.machine = machine;
    this.group = parts.group();
    this.known = parts.known();
    this.leader = parts.leader();
    this.acquaintances = parts.acquaintances();
    this.greetings = greetings;
    this.amnesia = parts.amnesia();
    this.proposals = proposals;
    this.moves = new MoveSteps(options.moves(), options.bug());
  }

  void givesReplicasTo(IntPredicate members) {
    roomy = members;
  }

  /// Another member may lead from now on: the absences that this one saw as a leader are no more.
  void roleChanged() {
    absentSince.clear();
    reports.clear();
    progress.clear();
    moving = false;
  }

  /// A member says how far moves have come there, and what it has left.
  void reported(int member, TopologyMessage.MoveReports told) {
    if (leader.isSelf()) {
      reports.take(member, told.entries(), machine.state());
      reports.take(member, told.left(), machine.state());
    }
  }

  /// By member: what it has left, of those that have something; empty where another member leads.
  SortedMap<Integer, LeftReport> left() {
    return reports.left();
  }

  /// Proposes the next steps of moves, if this member leads and the steps before are applied.
  void move() {
    TopologyState state = machine.state();
    if (!options.moves().on() || !leads() || !state.founded()) {
      return;
    }
    IntPredicate lost = member -> absent(member, options.moves().lostNanos());
    state.members().forEach(member -> note(member.number()));
    reports.prune(state, this::isAlive);
    long now = clock.monotonicNanos();
    progress.look(state, reports, now);
    if (moving) {
      return;
    }
    IntPredicate takes = member -> progress.takes(member, reports, now);
    IntPredicate stuck = member -> progress.isStuck(member, options.moves().lostNanos(), now);
    Command.Moves steps =
        moves.next(new MoveSteps.View(state, reports, this::isAlive, lost, stuck, takes, roomy));
    if (steps != null) {
      // A sole voter may have them applied before the call is over.
      moving = true;
      boolean taken = proposals.take(new Proposed(0, steps), decision -> moving = false);
      moving &= taken;
    }
  }

  /// Whether this member leads, and knows all that was decided before.
  private boolean leads() {
    Raft raft = group.raft();
    return leader.isSelf()
        && raft.commitIndex() > 0
        && raft.termAt(raft.commitIndex()) == raft.term();
  }

  /// What a leader does by itself: it founds the cluster, replaces absent voters, removes members
  /// that have left, and raises the level when all members speak a higher one.
  void govern() {
    TopologyState state = machine.state();
    Raft raft = group.raft();
    if (!leads()) {
      return;
    }
    if (!state.founded()) {
      ClusterId minted = ClusterId.mint(random);
      order(new Proposed(0, known.state().founding().command(minted)));
      return;
    }
    IntPredicate forgetful = member -> amnesia.stranger(member, state) != 0;
    List<Integer> voters = Voting.wanted(state, raft.membership(), this::reliable, forgetful);
    if (!voters.equals(state.voters())) {
      order(new Proposed(state.epoch(), new Command.RecordVoters(voters)));
      return;
    }
    Membership target =
        Voting.next(
            raft.membership(), voters, raft.matched(), raft.commitIndex(), amnesia::remembers);
    if (target != null) {
      group.change(target);
    }
    Command.RemoveMember removal = Voting.removal(state, raft.membership(), this::stays);
    if (removal != null) {
      order(new Proposed(state.epoch(), removal));
      return;
    }
    Command.Readmit readmission = amnesia.readmission(state, raft.membership());
    if (readmission != null) {
      order(new Proposed(state.epoch(), readmission));
      return;
    }
    Command.SetAway absence = options.moves().on() ? absence(state) : null;
    if (absence != null) {
      order(new Proposed(state.epoch(), absence));
      return;
    }
    int level = options.levels().common(state, self, greetings.levels());
    if (level > state.level()) {
      order(new Proposed(state.epoch(), new Command.RaiseLevel(level)));
    }
  }

  private Command.@Nullable SetAway absence(TopologyState state) {
    return Absences.next(
        state,
        this::isAlive,
        member -> absent(member, options.moves().awayNanos()),
        reports::hasHandedOn);
  }

  /// Whether a member that leaves may still hold something for others. One that is not live may be
  /// back in a moment.
  private boolean stays(int member) {
    return isAlive(member)
        ? !acquaintances.departs(member)
        : !absent(member, options.moves().lostNanos());
  }

  private void order(Proposed proposed) {
    proposals.take(proposed, decision -> {});
  }

  private boolean reliable(int member) {
    return !absent(member, options.replaceNanos());
  }

  /// Whether a member is not live for so long, since this leader first saw it so.
  private boolean absent(int member, long nanos) {
    note(member);
    Long since = absentSince.get(member);
    return since != null && clock.monotonicNanos() - since >= nanos;
  }

  private boolean isAlive(int member) {
    return member == self || live.test(member);
  }

  private void note(int member) {
    if (isAlive(member)) {
      absentSince.remove(member);
    } else {
      absentSince.putIfAbsent(member, clock.monotonicNanos());
    }
  }
}
