package dev.tern.simulation;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.Decision;
import dev.tern.core.topology.log.KnownTopology;
import dev.tern.core.topology.log.Levels;
import dev.tern.core.topology.log.MoveLimits;
import dev.tern.core.topology.log.MoveReport;
import dev.tern.core.topology.log.RefusedException;
import dev.tern.core.topology.log.TopologyBug;
import dev.tern.core.topology.log.TopologyLog;
import dev.tern.env.ByteReader;
import dev.tern.env.Environment;
import dev.tern.env.FileLives;
import dev.tern.env.Network;
import dev.tern.raft.Raft;
import dev.tern.world.DriftingClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.SimulatedNetwork;
import dev.tern.world.World;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The topology log of a handful of nodes from one seed: founders, one of which may be told
/// something else, and nodes that join later; in some runs replicas that move; chaos, heal, and the
/// last look.
final class TopologyRun {
  /// The level that new clusters begin at.
  private static final int OURS = Levels.OURS.max();

  static final long MILLI = 1_000_000;
  static final long SECOND = 1_000 * MILLI;
  private static final long NEVER = Long.MAX_VALUE;
  private static final int JOINERS = 2;
  private static final int PARTITIONS = 8;

  final World world;
  final int founders;
  final int nodeCount;
  private final long chaosNanos;
  private final SimulatedNetwork network;
  private final SimulatedDisk[] disks;
  private final DriftingClock[] clocks;

  /// The topology logs by node; null while a node is down.
  private final @Nullable TopologyLog[] logs;

  /// The topology that each node uses, by node; null before its first.
  private final @Nullable TopologyState[] known;

  private final Founding[] told;
  private final boolean disagree;

  /// Whether the last founder disagrees by its protocol levels, not by what it was told.
  private final boolean tooNew;

  private final boolean twoLevels;
  private final TopologyLog.Options options;
  private final TopologyRecord record = new TopologyRecord();
  private final MoveRecord moves;

  /// Whether replicas move in this run.
  private final boolean mover;

  /// How often something goes wrong when a node learns of a step.
  private final double stepFaults;

  /// The founder that dies for ever, 0 for none.
  private final int dying;

  private boolean dead;

  /// By what is filled or drained: when.
  private final Map<String, Long> readyAt = new TreeMap<>();

  private final Map<Integer, String> refused = new TreeMap<>();

  /// Nodes whose removal was proposed: they may be told that they were removed.
  private final TreeSet<Integer> unwanted = new TreeSet<>();

  private final double crashes;
  private final double powerCuts;
  private final double partitions;
  private final double pauses;
  private final double fullDisks;
  private final double lostDisks;

  /// The one founder whose disk may be lost.
  private final int unlucky;

  private boolean calm;
  private int nextName;

  TopologyRun(long seed, TopologyBug bug) {
    world = new World(seed, this::threw);
    founders = (int) world.between(1, 6);
    nodeCount = founders + JOINERS;
    chaosNanos = world.between(4, 15) * SECOND;
    network = new SimulatedNetwork(world, nodeCount, (from, to, frame) -> {});
    disks = new SimulatedDisk[nodeCount + 1];
    clocks = new DriftingClock[nodeCount + 1];
    logs = new TopologyLog[nodeCount + 1];
    known = new TopologyState[nodeCount + 1];
    told = new Founding[nodeCount + 1];
    disagree = founders >= 3 && world.chance(0.2);
    tooNew = disagree && world.chance(0.3);
    twoLevels = world.chance(0.3);
    for (int node = 1; node <= nodeCount; node++) {
      disks[node] = new SimulatedDisk(world, node);
      clocks[node] = new DriftingClock(world, 0.95 + world.random.nextDouble() * 0.1);
      boolean differs = disagree && !tooNew && node == founders;
      told[node] = node <= founders ? founding(differs ? 50 : 100) : Founding.NOTHING;
    }
    mover = !disagree && world.chance(0.6);
    options =
        new TopologyLog.Options(
            20 * MILLI,
            2 * SECOND,
            SECOND,
            world.between(1, 5) * SECOND,
            world.between(2_000, 50_000),
            world.between(5_000, 100_000),
            twoLevels ? new Levels(OURS, OURS + 1) : Levels.OURS,
            new MoveLimits(
                mover,
                (int) world.between(1, 5),
                (int) world.between(1, 5),
                world.between(1, 5) * SECOND,
                world.chance(0.5) ? world.between(1, 10) * SECOND : NEVER),
            bug);
    moves = new MoveRecord(this::up, options.moves().lostNanos());
    crashes = world.chance(0.5) ? 0.3 : 0;
    powerCuts = world.chance(0.5) ? 0.3 : 0;
    partitions = world.chance(0.5) ? 0.4 : 0;
    pauses = world.chance(0.3) ? 0.2 : 0;
    fullDisks = world.chance(0.3) ? 0.2 : 0;
    lostDisks = founders > 1 && !disagree && world.chance(0.5) ? 0.4 : 0;
    unlucky = 1 + world.random.nextInt(founders);
    stepFaults = mover && world.chance(0.5) ? world.random.nextDouble() * 0.2 : 0;
    dying = mover && founders > 3 && lostDisks == 0 && world.chance(0.4) ? founders : 0;
    if (world.chance(0.4)) {
      network.loss = world.random.nextDouble() * 0.15;
      network.duplication = world.random.nextDouble() * 0.1;
      network.delayNanos = world.between(200_000, 20 * MILLI);
    }
  }

  private static Member member(int number) {
    Member.Ports ports = Member.Ports.NONE.with(Member.Ports.INTERNODE, number).with("redis", 2);
    return new Member(number, "%040x".formatted(number), "z" + number % 3, "node-" + number, ports);
  }

  private Founding founding(int weightOfLast) {
    List<MemberEntry> entries = new ArrayList<>();
    for (int node = 1; node <= founders; node++) {
      entries.add(new MemberEntry(member(node), node == founders ? weightOfLast : 100, false));
    }
    return new Founding(PARTITIONS, entries, List.of(KeyspaceSettings.usual("first")));
  }

  /// Runs the seed; the violation that was found, null for none.
  @Nullable String run() {
    try {
      for (int node = 1; node <= founders; node++) {
        long delay = world.chance(0.5) ? 0 : world.between(0, 2 * SECOND);
        int number = node;
        world.schedule(delay, 0, () -> start(number));
      }
      chaos();
      propose();
      if (mover) {
        meddle();
      }
      if (dying > 0) {
        world.schedule(world.between(SECOND, chaosNanos), 0, this::die);
      }
      world.runUntil(chaosNanos);
      heal();
      lastLook();
      return null;
    } catch (History.Violation violation) {
      return violation.getMessage() + " | " + this;
    }
  }

  // ---- nodes

  private boolean up(int node) {
    return logs[node] != null;
  }

  private void threw(int node, Throwable what) {
    if (what instanceof World.Crash crash) {
      crash(crash.node, true);
    } else if (what instanceof RefusedException why) {
      refused(node, why);
    } else {
      throw new History.Violation(
          "node %d broke: %s at %s"
              .formatted(node, what, List.of(what.getStackTrace()).subList(0, 3)));
    }
  }

  /// Only who was told something else, or was to be removed, may be refused; or, while there is one
  /// who was, those that met only him.
  private void refused(int node, RefusedException why) {
    String reason = String.valueOf(why.getMessage());
    boolean removed = unwanted.contains(node) && reason.contains("removed");
    if (!removed && !disagree) {
      throw new History.Violation("node " + node + " was refused: " + reason);
    }
    stop(node);
    if (removed || node == founders) {
      refused.put(node, reason);
    } else {
      // Its operator tries again.
      world.schedule(SECOND, 0, () -> start(node));
    }
  }

  private FileLives lives(int node) {
    return FileLives.of(world.random, clocks[node], "node-" + node);
  }

  private void start(int node) {
    if (up(node) || refused.containsKey(node) || dead && node == dying) {
      return;
    }
    SimulatedLoop loop = new SimulatedLoop(world, node, disks[node]);
    Environment environment =
        new Environment(
            clocks[node],
            List.of(loop),
            network.of(node, 1),
            disks[node],
            world.random.child("node-" + node + "-" + world.nanos()));
    try {
      TopologyState initial = KnownTopology.initial(disks[node], lives(node), node, told[node]);
      goBy(node, initial);
      TopologyLog log =
          TopologyLog.open(
              environment,
              node,
              initial,
              this::up,
              () -> true,
              options(node),
              state -> goBy(node, state));
      log.reportsMoves(
          () -> reported(node),
          () ->
              moves.left(
                  node,
                  java.util.Objects.requireNonNull(known[node]),
                  id -> world.nanos() >= readyAt("left", node, id)));
      logs[node] = log;
      moves.starts(node, world.nanos());
      environment.network().start(new Receiver(log));
      world.schedule(0, node, log::start);
    } catch (World.Crash crash) {
      crash(node, true);
    } catch (RefusedException why) {
      refused(node, why);
    } catch (IOException e) {
      if (!disks[node].full) {
        throw new History.Violation("node " + node + " cannot start: " + e);
      }
      crash(node, false);
    }
  }

  private TopologyLog.Options options(int node) {
    boolean newer = tooNew && node == founders;
    return newer ? options.speaking(new Levels(OURS + 2, OURS + 3)) : options;
  }

  /// Takes the frames that reach a node.
  private record Receiver(TopologyLog log) implements Network.Receiver {
    @Override
    public void frame(int fromNode, int fromShard, int toShard, ByteReader payload) {
      log.frame(fromNode, payload);
    }

    @Override
    public void connection(int shard, int node, boolean open) {
      log.connected(node);
    }
  }

  private void goBy(int node, TopologyState state) {
    known[node] = state;
    record.adopted(node, state, told[node], node <= founders);
    if (state.cluster().known()) {
      moves.adopted(node, state, world.nanos());
    }
    if (!calm && world.chance(stepFaults)) {
      int some = 1 + world.random.nextInt(nodeCount);
      world.schedule(0, 0, () -> goWrong(some));
    }
    if (state.member(node) == null) {
      throw new RefusedException("node " + node + " was removed");
    }
  }

  /// What a node says of its part in moves: it is filled or drained after a random while.
  private List<MoveReport> reported(int node) {
    List<MoveReport> reports = new ArrayList<>();
    TopologyState state = known[node];
    for (ReplicaGroups groups : state == null ? List.<ReplicaGroups>of() : state.groups()) {
      for (int p = 0; p < state.partitions(); p++) {
        ReplicaSet set = groups.replicaSet(p);
        int place = set.place(node);
        if (set.phase() != Phase.STABLE && place >= 0) {
          int flags = MoveReport.ADOPTED;
          long bit = 1L << place;
          boolean stays = set.shrinks() && (set.newPlaces() & bit) != 0;
          boolean fills = (set.oldPlaces() & bit) == 0 || stays;
          if (fills && ready("filled", node, groups, p, place)) {
            flags |= MoveReport.FILLED;
          }
          boolean leaves = set.phase() == Phase.FENCED && (set.newPlaces() & bit) == 0;
          if (leaves && ready("drained", node, groups, p, place)) {
            flags |= MoveReport.DRAINED;
          }
          reports.add(new MoveReport(groups.number(), p, groups.epoch(p), flags));
        }
      }
    }
    return reports;
  }

  private long readyAt(String what, int node, int id) {
    String key = "%d %s %d".formatted(node, what, id);
    return readyAt.computeIfAbsent(key, first -> world.nanos() + world.between(0, SECOND));
  }

  private boolean ready(String what, int node, ReplicaGroups groups, int p, int place) {
    long at = readyAt(what, node, groups.replicaId(p, place));
    boolean ready = world.nanos() >= at;
    if (ready) {
      moves.says(what, node, groups, p);
    }
    return ready;
  }

  private void stop(int node) {
    logs[node] = null;
    world.end(node);
    network.down(node);
    disks[node].crashAfter(-1);
  }

  private void crash(int node, boolean powerCut) {
    stop(node);
    if (powerCut) {
      disks[node].powerCut();
    }
    world.schedule(world.between(10 * MILLI, 2 * SECOND), 0, () -> start(node));
  }

  // ---- faults

  private void chaos() {
    world.schedule(
        world.between(0, SECOND),
        0,
        () -> {
          if (!calm) {
            goWrong(1 + world.random.nextInt(nodeCount));
            chaos();
          }
        });
  }

  private void goWrong(int node) {
    if (up(node) && world.chance(crashes)) {
      crash(node, false);
    }
    if (up(node) && world.chance(powerCuts)) {
      if (world.chance(0.5)) {
        disks[node].crashAfter(world.random.nextInt(12));
      } else {
        crash(node, true);
      }
    }
    if (node == unlucky && world.chance(lostDisks) && othersAreIn(unlucky)) {
      crash(node, true);
      disks[node].wipe();
      record.lost(node);
      moves.lost(node);
      readyAt.keySet().removeIf(key -> key.startsWith(node + " "));
      int other = 1 + node % founders;
      isolate(other, true);
      world.schedule(world.between(SECOND / 5, 2 * SECOND), 0, () -> isolate(other, false));
    }
    if (world.chance(partitions)) {
      isolate(node, true);
      world.schedule(world.between(SECOND / 5, 3 * SECOND), 0, () -> isolate(node, false));
    }
    if (world.chance(pauses)) {
      world.pause(node, world.between(10 * MILLI, SECOND));
    }
    if (world.chance(fullDisks)) {
      disks[node].full = true;
      world.schedule(world.between(SECOND / 5, 2 * SECOND), 0, () -> disks[node].full = false);
    }
    if (world.chance(0.1)) {
      network.breakConnection(node, 1 + node % nodeCount);
    }
  }

  /// Whether every founder but one knows what the cluster is called and has its part in the log:
  /// before that a lost disk is more than the log can stand.
  private boolean othersAreIn(int but) {
    for (int node = 1; node <= founders; node++) {
      TopologyState state = known[node];
      boolean in = state != null && state.cluster().known() && logs[node] != null;
      if (node != but && !(in && hasPart(logs[node].status(), state.voters().contains(node)))) {
        return false;
      }
    }
    return true;
  }

  private static boolean hasPart(TopologyLog.Status status, boolean votes) {
    return !status.forgetful() && status.failed() == null && (!votes || status.term() > 0);
  }

  private void isolate(int node, boolean isCut) {
    moves.cut(isCut, world.nanos());
    for (int other = 1; other <= nodeCount; other++) {
      if (other != node && (!isCut || world.chance(0.8))) {
        network.cut(node, other, isCut);
        network.cut(other, node, isCut);
      }
    }
  }

  /// A founder is gone for ever. Its operator removes it.
  private void die() {
    if (!calm && !othersAreIn(dying)) {
      world.schedule(SECOND / 2, 0, this::die);
    } else if (!calm) {
      if (up(dying)) {
        stop(dying);
      }
      dead = true;
    }
  }

  private void heal() {
    calm = true;
    network.heal();
    for (int node = 1; node <= nodeCount; node++) {
      disks[node].heal();
      if (node <= founders || known[node] != null) {
        start(node);
      }
    }
  }

  // ---- users

  private void propose() {
    world.schedule(
        world.between(0, SECOND / 2),
        0,
        () -> {
          if (!calm) {
            int node = 1 + world.random.nextInt(nodeCount);
            world.schedule(0, node, () -> proposeAt(node));
            propose();
          }
        });
  }

  private void proposeAt(int node) {
    TopologyLog log = logs[node];
    TopologyState state = known[node];
    if (log == null || state == null) {
      return;
    }
    Command command = command(state);
    if (!record.proposes(command)) {
      return;
    }
    Proposed change = new Proposed(world.chance(0.4) ? state.epoch() : 0, command);
    long floor = record.floor();
    log.propose(
        change,
        decision -> {
          record.decided(change, floor, decision);
          if (command instanceof Command.AdmitMember admit) {
            admitted(admit.member().number(), node, decision);
          }
        });
  }

  private Command command(TopologyState state) {
    int some = 1 + world.random.nextInt(nodeCount);
    String name = "k" + nextName++;
    return switch (world.random.nextInt(8)) {
      case 0, 1 -> new Command.SetWeight(some, 1_000 + nextName);
      case 2 -> new Command.SetZone(some, name);
      case 3, 4 ->
          state.create(KeyspaceSettings.usual(name), KeyHash.derived(new byte[1], nextName));
      case 5 -> drop(state, name);
      case 6 -> leave(name);
      default -> admit(state);
    };
  }

  private Command drop(TopologyState state, String otherwise) {
    int count = state.keyspaces().size();
    return count < 2
        ? state.create(KeyspaceSettings.usual(otherwise), KeyHash.derived(new byte[1], nextName))
        : new Command.DropKeyspace(state.keyspaces().get(count - 1).name());
  }

  /// Lets one of the nodes that joined leave, seldom.
  private Command leave(String name) {
    int last = mover && founders > 2 ? 2 + world.random.nextInt(nodeCount - 1) : nodeCount;
    // A voter that leaves while another one has lost its disk can freeze the log: a known gap.
    boolean stays = last <= founders && lostDisks > 0;
    if (known[last] == null || stays || world.chance(mover ? 0.3 : 0.7)) {
      return new Command.SetZone(1, name);
    }
    unwanted.add(last);
    return new Command.RemoveMember(last);
  }

  private Command admit(TopologyState state) {
    int number = Math.min(nodeCount, state.nextMember());
    return new Command.AdmitMember(member(number), 100);
  }

  /// Starts a node that was admitted, with the topology of the member that let it in.
  private void admitted(int number, int by, Decision decision) {
    TopologyState state = known[by];
    boolean in = decision instanceof Decision.Decided && state != null && logs[by] != null;
    if (!in || number <= founders || known[number] != null || state.member(number) == null) {
      return;
    }
    joins(number, state);
  }

  /// Starts a node that was admitted, soon.
  private void joins(int number, TopologyState first) {
    world.schedule(
        world.between(0, SECOND),
        0,
        () -> {
          if (known[number] == null) {
            try {
              KnownTopology.join(disks[number], lives(number), first);
              start(number);
            } catch (IOException e) {
              if (!disks[number].full) {
                throw new History.Violation("node " + number + " cannot join: " + e);
              }
            }
          }
        });
  }

  /// An operator holds moves, or cancels one.
  private void meddle() {
    world.schedule(
        world.between(0, 4 * SECOND),
        0,
        () -> {
          if (!calm) {
            int node = 1 + world.random.nextInt(nodeCount);
            world.schedule(0, node, () -> meddleAt(node));
            meddle();
          }
        });
  }

  private void meddleAt(int node) {
    TopologyLog log = logs[node];
    TopologyState state = known[node];
    if (log != null && state != null && state.founded()) {
      Command cancel = cancels(state);
      boolean holds = cancel == null || world.chance(0.5);
      Command wanted = cancel == null || holds ? new Command.HoldMoves(world.chance(0.3)) : cancel;
      log.propose(new Proposed(0, wanted), decision -> {});
    }
  }

  private static @Nullable Command cancels(TopologyState state) {
    for (ReplicaGroups groups : state.groups()) {
      for (int p = 0; p < state.partitions(); p++) {
        Phase phase = groups.replicaSet(p).phase();
        boolean may = phase == Phase.FILLING || phase == Phase.SWITCHED;
        if (may && !groups.returns(p)) {
          Step step = Step.of(p, groups.epoch(p), Command.Moves.Kind.CANCEL);
          return new Command.Moves(groups.number(), List.of(step));
        }
      }
    }
    return null;
  }

  // ---- the last look

  /// Checks, after the heal, that the log takes a change and that all nodes use it.
  private void lastLook() {
    long until = world.nanos() + (mover ? 90 : 30) * SECOND;
    boolean[] taken = {false};
    long next = 0;
    long nextWish = 0;
    while (!(taken[0] && agreed() && othersRefused() && raised() && settled())
        && world.nanos() < until) {
      if (!taken[0] && world.nanos() >= next) {
        next = world.nanos() + SECOND;
        int node = 1 + world.random.nextInt(founders);
        Proposed change = new Proposed(0, new Command.SetZone(1, "last-" + nextName++));
        long floor = record.floor();
        world.schedule(
            0,
            node,
            () -> {
              TopologyLog log = logs[node];
              if (log != null) {
                log.propose(
                    change,
                    decision -> {
                      record.decided(change, floor, decision);
                      taken[0] |= decision instanceof Decision.Decided;
                    });
              }
            });
      }
      if (mover && world.nanos() >= nextWish) {
        nextWish = world.nanos() + SECOND;
        wantMoved();
      }
      world.runUntil(world.nanos() + 50 * MILLI);
    }
    if (!taken[0] || !agreed() || !raised()) {
      throw new History.Violation("the log is not well after the heal: " + state());
    }
    if (!settled()) {
      TopologyState first = java.util.Objects.requireNonNull(known[1]);
      throw new History.Violation(
          "moves are not done: " + first.movesHeld() + MoveRecord.left(first) + " " + state());
    }
    if (!othersRefused()) {
      throw new History.Violation("node " + founders + " was not refused: " + state());
    }
    record.ends(java.util.Objects.requireNonNull(known[1]));
  }

  /// Whether replicas lie where they shall, in a run that moves them.
  private boolean settled() {
    TopologyState first = known[1];
    return !mover
        || first != null
            && !first.movesHeld()
            && MoveRecord.left(first) == null
            && first.members().stream().noneMatch(each -> each.away() && up(each.number()));
  }

  /// An operator lets moves go on, removes who is dead, and starts who was let in.
  private void wantMoved() {
    int node = 1 + world.random.nextInt(founders);
    world.schedule(
        0,
        node,
        () -> {
          TopologyLog log = logs[node];
          TopologyState state = known[node];
          if (log != null && state != null) {
            MemberEntry gone = dead ? state.member(dying) : null;
            if (gone != null && !gone.leaving()) {
              unwanted.add(dying);
              log.propose(new Proposed(0, new Command.RemoveMember(dying)), decision -> {});
            }
            for (int newcomer = founders + 1; newcomer <= nodeCount; newcomer++) {
              if (known[newcomer] == null && state.member(newcomer) != null) {
                joins(newcomer, state);
              }
            }
            if (state.movesHeld()) {
              log.propose(new Proposed(0, new Command.HoldMoves(false)), decision -> {});
            }
          }
        });
  }

  /// Whether the level is as high as all members speak, once all are there; it is never higher.
  private boolean raised() {
    TopologyState first = known[1];
    if (first == null) {
      return false;
    }
    if (first.level() > (twoLevels ? OURS + 1 : OURS)) {
      throw new History.Violation("the cluster is at level " + first.level());
    }
    boolean all = first.members().stream().allMatch(member -> up(member.number()));
    return !all || tooNew || disagree || !twoLevels || first.level() == OURS + 1;
  }

  private boolean othersRefused() {
    return !disagree || refused.containsKey(founders);
  }

  private boolean agreed() {
    TopologyState first = known[1];
    for (int node = 1; node <= nodeCount && first != null; node++) {
      boolean takesPart =
          known[node] != null && !refused.containsKey(node) && !(dead && node == dying);
      boolean member = first.member(node) != null && !(disagree && node == founders);
      if (takesPart && member && !first.equals(known[node])) {
        return false;
      }
    }
    return first != null
        && first.cluster().known()
        && first.members().stream().noneMatch(m -> m.leaving() && !first.holds(m.number()));
  }

  private String state() {
    StringBuilder text = new StringBuilder();
    for (int node = 1; node <= nodeCount; node++) {
      TopologyLog log = logs[node];
      TopologyState state = known[node];
      if (log != null && state != null) {
        TopologyLog.Status status = log.status();
        text.append(
            "[%d %s term %d leader %d epoch %d voters %s failed %s strangers %s]"
                .formatted(
                    node,
                    status.role() == Raft.Role.LEADER ? "leads" : "follows",
                    status.term(),
                    status.leader(),
                    state.epoch(),
                    state.voters(),
                    status.failed(),
                    status.strangers()));
      }
    }
    return text.append(" refused ").append(refused).toString();
  }

  @Override
  public String toString() {
    return "founders %d disagree %s mover %s crashes %.1f power %.1f partitions %.1f pauses %.1f full %.1f lost %.1f loss %.2f"
        .formatted(
            founders,
            disagree,
            mover,
            crashes,
            powerCuts,
            partitions,
            pauses,
            fullDisks,
            lostDisks,
            network.loss);
  }
}
