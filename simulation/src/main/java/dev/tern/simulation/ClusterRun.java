package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.node.Node;
import dev.tern.core.node.NodeConfig;
import dev.tern.core.quorum.Coordinator;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.MoveLimits;
import dev.tern.core.version.Siblings;
import dev.tern.core.wire.FrameKind;
import dev.tern.core.wire.Message;
import dev.tern.env.ByteReader;
import dev.tern.env.CoverageMarks;
import dev.tern.env.Environment;
import dev.tern.env.EventLoop;
import dev.tern.env.NodeEvent;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.WriteBatch;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.raft.log.RaftLogException;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.SimulatedNetwork;
import dev.tern.world.World;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One cluster from one seed: chaos, heal, and the last look.
///
/// The seed chooses the shape (nodes, shards of each, levels), what goes wrong, and a durability
/// whose promise holds under that: a keyspace that is not forced to disk promises nothing about
/// power cuts, one that is not logged nothing about a process that ends.
final class ClusterRun {
  static final long SECOND = 1_000_000_000L;
  private static final int PARTITIONS = 16;

  /// A node that stands still now and then may be so late with expiries.
  private static final long LATE_HEARD_MILLIS = 5_000;

  /// So far apart clocks still agree, as the nodes take it.
  private static final long AGREED_MILLIS = 2_500;

  private static final int CLIENTS = 6;

  /// The remainder by 4 of seeds in which replicas are moved.
  static final int MOVING = 2;

  /// The remainder by 8 of seeds in which weights change, and the leader moves replicas by itself.
  static final int WEIGHING = 5;

  /// Of a message between nodes, in one of seven runs: some siblings come near it.
  static final int FRAME_BYTES = 32 << 10;

  private static final int TIMEOUT_MILLIS = 1_000;

  /// After the heal the replicas are alike within this: three seconds until a node is up again,
  /// some until the others believe it, and the rest for anti-entropy.
  private static final long CONVERGED_WITHIN = 20 * SECOND;

  /// A node that stops waits so long for updates that it leads.
  private static final long SETTLING_NANOS = SECOND;

  private static final long POLL_NANOS = SECOND / 100;

  /// Some beats of the nodes: to begin, and to read at both ends.
  private static final long VISIT_NANOS = 3 * Coordinator.BEAT_NANOS;

  final World world;
  final Theme theme;
  final Shape shape;
  final History history;
  final SiblingHistory siblings = new SiblingHistory();
  final Tokens tokens = new Tokens();
  final MixedKeys mixed;
  final BriefKeys brief;
  final int nodeCount;
  final KeyspaceConfig keyspace;
  final long chaosNanos;

  /// Whether a node has lost what it had acknowledged: until it has it again, reads of `r` replicas
  /// may miss what `w` had.
  boolean diskLost;

  /// Whether it has lost some records only, which the hash trees must find.
  boolean recordsLost;

  /// How many of them.
  int lostRecords;

  private final SimulatedNetwork network;
  private final SimulatedClock[] clocks;
  private final SimulatedDisk[] disks;
  private final int[] shards;
  private final @Nullable Node[] nodes;

  /// What a node's disk had failed when the node last started.
  private final long[] errorsAtStart;

  /// Nodes that do not start any more: their disk holds what cannot have been written.
  private final boolean[] dead;

  private final Founding founding;
  private final LsmOptions storage;
  private final PlantedBug planted;

  /// Keys are hot early in every other run, and of those in every other one a few requests are too
  /// many at a time.
  private final Limits limits;

  /// Bytes of each disk that nodes keep free: a full disk is told by that in some seeds, and by
  /// what the engine meets in the others.
  private final long diskReserve;

  private final Faults faults;
  private final Moves moves;
  private final Weights weights;
  private final Topology topology;

  /// Whether clients may ask for less than the keyspace's own levels while replicas move, and are
  /// promised less then. Where they do not, all that they are told is checked.
  private final boolean asksLess;

  private final HalfFetches halfFetches;
  private final Wire wire;
  private final Promises promises;

  /// What acknowledged increments of the counter came to.
  private final Set<String> counted = new TreeSet<>();

  private final List<SimulatedClient> clients = new ArrayList<>();

  ClusterRun(long seed, PlantedBug planted, LsmBug lsmBug) {
    this.world = new World(seed, this::threw);
    this.planted = planted;
    boolean scripted = Math.floorMod(seed, 4) == MOVING;
    boolean weighing = Math.floorMod(seed, 8) == WEIGHING;
    boolean small = !scripted && !weighing && Math.floorMod(seed, 7) == 3;
    this.diskReserve = Math.floorMod(seed, 3) == 0 ? 1 << 20 : 0;
    this.theme = Theme.of(world);
    this.limits = Shape.limits(seed, theme, small);
    boolean moving = (scripted || weighing) && theme.moves();
    this.asksLess = !moving || (seed >> 4 & 1) == 0;
    this.shape = moving ? Shape.toMove(world) : Shape.of(world, theme);
    this.nodeCount = shape.nodes();
    // A node that is away has to be replaced and to be back.
    long longer = moving && weighing ? 10 : 0;
    this.chaosNanos = (world.between(8, 20) + longer) * SECOND;
    this.network = new SimulatedNetwork(world, nodeCount, new Frames());
    this.clocks = new SimulatedClock[nodeCount + 1];
    this.disks = new SimulatedDisk[nodeCount + 1];
    this.shards = new int[nodeCount + 1];
    this.nodes = new Node[nodeCount + 1];
    this.errorsAtStart = new long[nodeCount + 1];
    this.dead = new boolean[nodeCount + 1];
    List<MemberEntry> founders = new ArrayList<>();
    for (int i = 1; i <= nodeCount; i++) {
      clocks[i] = new SimulatedClock(world);
      disks[i] = new SimulatedDisk(world, i);
      shards[i] = world.chance(0.6) ? 1 : 2;
      Member.Ports ports = Member.Ports.NONE.with("internode", 1).with("redis", 2);
      founders.add(
          MemberEntry.of(new Member(i, "%040x".formatted(i), "z" + i, "node-" + i, ports)));
    }
    this.history = new History(shape.n());
    this.mixed = new MixedKeys(world, theme);
    this.brief = new BriefKeys(world, theme);
    this.moves = new Moves(this, moving && scripted);
    this.weights = new Weights(this, moving && weighing);
    this.faults = new Faults(this, shape.bearsLoss() && !weights.shortens());
    if (faults.has(Fault.PAUSE) || faults.has(Fault.PAUSES) || faults.has(Fault.SLOW_NODE)) {
      // What a node hears late of the others' clocks makes its time late, docs/known-gaps.md.
      history.expiriesMayErr(LATE_HEARD_MILLIS);
    }
    KeyspaceConfig.Durability durability = durability();
    List<KeyspaceSettings> settings =
        List.of(
            settings("data", Resolution.LWW, durability),
            settings("siblings", Resolution.SIBLINGS, durability));
    this.founding = new Founding(PARTITIONS, founders, settings);
    this.keyspace = founding.state().keyspaces().getFirst().config();
    this.topology =
        Objects.requireNonNull(ClusterView.of(founding.state()).topology(keyspace.id()));
    this.halfFetches = new HalfFetches(this);
    this.wire = new Wire(this, topology);
    this.promises = new Promises(nodeCount);
    if (mayRot()) {
      promises.mayForget(rotting());
    }
    long memtableBytes = (world.chance(0.3) ? world.between(8, 32) : world.between(32, 128)) << 10;
    this.storage =
        LsmOptions.DEFAULT.withTuning(
            new LsmOptions.Tuning(memtableBytes, 16 << 10, 512, 8 << 10, lsmBug));
  }

  private Consumer<String> trace = line -> {};

  private KeyspaceSettings settings(
      String name, Resolution resolution, KeyspaceConfig.Durability durability) {
    return KeyspaceSettings.usual(name)
        .with(KeyspaceProperty.N, shape.n())
        .with(KeyspaceProperty.RESOLUTION, resolution)
        .with(KeyspaceProperty.R, shape.r())
        .with(KeyspaceProperty.W, shape.w())
        .with(KeyspaceProperty.DURABILITY, durability)
        .with(KeyspaceProperty.TIMEOUT, TIMEOUT_MILLIS);
  }

  private KeyspaceConfig.Durability durability() {
    int weakest = faults.mayLosePower() ? 2 : faults.mayStopNodes() ? 1 : 0;
    return KeyspaceConfig.Durability.values()[(int) world.between(weakest, 3)];
  }

  /// Runs it all; the violation found, null for none.
  @Nullable String run() {
    try {
      faults.prepare();
      for (int i = 1; i <= nodeCount; i++) {
        startNode(i);
      }
      world.runUntil(SECOND);
      for (int i = 0; i < CLIENTS; i++) {
        SimulatedClient client = new SimulatedClient(this, i);
        clients.add(client);
        client.next();
      }
      faults.begin();
      moves.begin();
      weights.begin();
      new HeldPuts(this).begin();
      halfFetches.begin();
      world.runUntil(SECOND + chaosNanos);
      heal();
      for (int i = world.chance(0.3) ? 1 + world.random.nextInt(3) : 0; i > 0; i--) {
        world.runUntil(world.nanos() + world.between(0, 2 * SECOND));
        faults.relapse();
      }
      if (siblingBytes() > 0) {
        new SiblingMerge(this).run();
      }
      boolean patient = world.chance(0.2);
      moves.end();
      weights.end();
      new Convergence(this).within(CONVERGED_WITHIN, patient);
      history.settled(world.nanos(), mayRot() ? 1 : 0);
      world.runUntil(world.nanos() + (patient ? 60 : 1) * SECOND);
      new LastLook(this, clients).run();
      assert Arrays.stream(nodes).allMatch(ClusterRun::isMarked);
      return null;
    } catch (History.Violation violation) {
      return violation.getMessage() + " | " + this;
    }
  }

  /// An event of a node threw: it crashed, or it stops because its disk fails it. No other reason
  /// is good enough.
  private void threw(int number, Throwable what) {
    boolean stops = what instanceof IllegalStateException && number != 0;
    if (what instanceof World.Crash crash) {
      crash(crash.node, true);
    } else if (stops && disks[number].errors > errorsAtStart[number]) {
      crash(number, false);
    } else {
      throw new History.Violation(
          "node %d broke: %s at %s"
              .formatted(number, what, List.of(what.getStackTrace()).stream().limit(3).toList()));
    }
  }

  /// Whether no fault of the run makes most clocks wrong.
  boolean clocksAreMostlyRight() {
    return !faults.has(Fault.WRONG_CLOCKS);
  }

  /// Whether a disk was set back: what it gave out since it may give out again.
  boolean wasSetBack() {
    return faults.wasSetBack();
  }

  /// What travels between nodes goes past [Wire].
  private final class Frames implements SimulatedNetwork.Observer {
    @Override
    public void sent(int from, int to, byte[] frame) {
      Message message = Wire.message(frame);
      if (message instanceof Message.Write) {
        faults.writing(from);
      }
      wire.sent(from, to, message);
      promises.sent(from, to, message);
    }

    @Override
    public boolean passes(int from, int to, byte[] frame) {
      FrameKind kind = FrameKind.of(new ByteReader(frame));
      return moves.passes(from, to, kind, frame) && weights.passes(from, to, kind, frame);
    }

    @Override
    public void arrived(int from, int to, byte[] frame) {
      Message message = Wire.message(frame);
      wire.arrived(from, to, message);
      promises.arrived(from, to, message);
      halfFetches.arrived(from, to, message);
      if (message instanceof Message.Read read && read.ballot() > 0) {
        faults.promising(from, to, read.ballot());
      }
      if (Wire.isOfFill(message)) {
        faults.repairing(from, to);
      }
    }
  }

  private void heal() {
    for (SimulatedClient client : clients) {
      client.stop();
    }
    moves.beginNoMore();
    weights.changeNoMore();
    network.heal();
    if (faults.has(Fault.WRONG_CLOCKS)) {
      clocksAreRight();
    }
    for (int i = 1; i <= nodeCount; i++) {
      disks[i].heal();
      world.slow(i, 0);
      if (nodes[i] == null) {
        startNode(i);
      }
    }
  }

  /// Marks what a node has counted in its life.
  private static boolean isMarked(@Nullable Node node) {
    for (Statistics.Counter counter : Statistics.Counter.values()) {
      if (node != null && node.statistic(counter) > 0) {
        CoverageMarks.reach(counter);
      }
    }
    return true;
  }

  private String traced(int number, NodeEvent event) {
    double seconds = world.nanos() / 1e9;
    return "%10.3f s  node %d  %s: %s".formatted(seconds, number, event.kind(), event.text());
  }

  /// Lets somebody have a line of each event that a node reports, and of each fault. To be called
  /// before the run.
  void trace(Consumer<String> lines) {
    trace = lines;
  }

  /// Whether a node may lose its power, which takes what its disk was not forced to keep.
  boolean mayLosePower() {
    return faults.mayLosePower();
  }

  /// Whether a node may lose data that is in its memory only.
  boolean mayStopNodes() {
    return faults.mayStopNodes();
  }

  /// Whether the faults of the run are not over.
  boolean inChaos() {
    return world.awakeNanos() < SECOND + chaosNanos;
  }

  /// Whether replicas are moved.
  boolean moves() {
    return moves.isOn() || weights.isOn();
  }

  /// Whether lists of replicas may be shorter than the keyspace's N for a while: a member without
  /// weight, or one that is away, gets no replica.
  boolean mayShortenLists() {
    return weights.isOn();
  }

  /// Whether clients may ask for less than the keyspace's own levels.
  boolean asksLess() {
    return asksLess;
  }

  /// The topology of the node that knows the latest.
  TopologyState latest() {
    TopologyState latest = aNode().view().state();
    for (Node node : nodes) {
      if (node != null && node.view().epoch() > latest.epoch()) {
        latest = node.view().state();
      }
    }
    return latest;
  }

  /// Whether all nodes that can start are up and go by the latest topology.
  boolean allGoByTheLatest() {
    long epoch = latest().epoch();
    for (int number = 1; number <= nodeCount; number++) {
      Node node = nodes[number];
      if (!dead[number] && (node == null || node.view().epoch() < epoch)) {
        return false;
      }
    }
    return true;
  }

  /// Nodes that lost their part of the topology log to their disks are stopped and started again,
  /// as they ask for.
  void restartStopped() {
    for (int number = 1; number <= nodeCount; number++) {
      Node node = nodes[number];
      if (node != null && node.topologyLog().failed() != null) {
        close(number, node);
      }
    }
  }

  /// Whether a node does not start any more.
  boolean isDead(int number) {
    return dead[number];
  }

  /// Tells who traces the run what was done to it.
  void note(String what) {
    trace.accept("%10.3f s  %s".formatted(world.nanos() / 1e9, what));
  }

  void startNode(int number) {
    if (nodes[number] != null || dead[number]) {
      return;
    }
    errorsAtStart[number] = disks[number].errors;
    promises.started(number);
    List<EventLoop> loops = new ArrayList<>();
    for (int i = 0; i < shards[number]; i++) {
      loops.add(new SimulatedLoop(world, number, disks[number]));
    }
    Environment environment =
        new Environment(
            clocks[number],
            loops,
            network.of(number, shards[number]),
            disks[number],
            world.random.child("node-" + number + "-" + world.nanos()),
            event -> {
              assert CoverageMarks.reach(event.getClass());
              trace.accept(traced(number, event));
            });
    try {
      NodeConfig config =
          new NodeConfig(number, founding, storage, planted, limits, MoveLimits.USUAL, diskReserve);
      Node node = Node.create(environment, config);
      nodes[number] = node;
      node.start();
    } catch (World.Crash crash) {
      crash(number, true);
    } catch (IOException e) {
      cannotStart(number, e);
    }
  }

  private void cannotStart(int number, IOException why) {
    if (disks[number].errors > errorsAtStart[number] || disks[number].full) {
      crash(number, false);
    } else if (rotten(why) && faults.has(Fault.BIT_ROT)) {
      crash(number, false);
      dead[number] = true;
    } else {
      throw new History.Violation("node " + number + " cannot start: " + why);
    }
  }

  private static boolean rotten(IOException why) {
    Throwable cause = why.getCause();
    return why instanceof CorruptionException
        || cause instanceof CorruptionException
        || why instanceof RaftLogException
        || cause instanceof RaftLogException;
  }

  /// Ends a node's process in the middle of whatever it does.
  void end(int number) {
    assert isMarked(nodes[number]);
    nodes[number] = null;
    world.end(number);
    network.down(number);
    disks[number].crashAfter(-1);
  }

  /// Ends a node, and starts it again later.
  void crash(int number, boolean powerCut) {
    crash(number, powerCut, world.between(SECOND / 5, 3 * SECOND));
  }

  /// Ends a node, and starts it again after a time.
  void crash(int number, boolean powerCut, long nanos) {
    end(number);
    if (powerCut) {
      disks[number].powerCut();
      boolean loses = !asksLess && world.chance(0.5);
      for (int other = 1; loses && other <= nodeCount; other++) {
        // What it sent and did not arrive yet is lost: nobody sends it again.
        network.breakConnection(number, other);
      }
    }
    // Nobody's event: it must survive the node.
    world.schedule(nanos, 0, () -> startNode(number));
  }

  /// Stops a node as the server does, and starts it again later.
  void stop(int number) {
    Node node = nodes[number];
    if (node == null) {
      return;
    }
    node.settle();
    awaitUpdates(number, node, world.nanos() + SETTLING_NANOS);
  }

  private void awaitUpdates(int number, Node node, long untilNanos) {
    if (nodes[number] != node) {
      return;
    }
    if (node.updating() > 0 && world.nanos() < untilNanos) {
      world.schedule(POLL_NANOS, 0, () -> awaitUpdates(number, node, untilNanos));
      return;
    }
    node.leave();
    world.schedule(world.between(POLL_NANOS, SECOND / 2), 0, () -> close(number, node));
  }

  private void close(int number, Node node) {
    if (nodes[number] != node) {
      return;
    }
    // Its loops stand still before it closes.
    crash(number, false);
    try {
      node.close();
    } catch (IOException e) {
      // Its disk fails: what is on it must do.
    } catch (World.Crash crash) {
      disks[number].powerCut();
    }
    world.end(number);
  }

  /// Ends a node, and lets it find half of the records of a keyspace gone when it is back: without
  /// siblings, as who has a record's dots and not the record says that it was replaced.
  void loseRecords(int number) {
    diskLost = true;
    mixed.lost();
    history.recordsLost();
    recordsLost = true;
    crash(number, false);
    for (int shard = 0; shard < shards[number]; shard++) {
      SimulatedLoop loop = new SimulatedLoop(world, number, disks[number]);
      try (Lsm lsm =
          Lsm.open(disks[number], loop, clocks[number], world.random, "shard-" + shard, storage)) {
        ColumnFamily data = lsm.columnFamily("data", CompactionStyle.LEVELED);
        WriteBatch batch = new WriteBatch();
        try (LsmIterator records = lsm.iterator(data, IteratorOptions.all())) {
          for (records.seekToFirst(); records.valid(); records.next()) {
            boolean ours = new ByteReader(records.key(), 4, 4).readInt() == keyspace.id();
            boolean valued = Siblings.decode(new ByteReader(records.value())).hasValue();
            if (ours && valued && world.chance(0.5)) {
              batch.delete(data, records.key());
              lostRecords++;
            }
          }
        }
        lsm.write(batch, Durability.SYNC);
      } catch (IOException e) {
        // This disk fails: what it has not lost stays.
      }
    }
    world.end(number);
  }

  /// A node has lost what it had acknowledged after a time.
  void lost(int node, long since) {
    promises.mayForget(node);
    diskLost = true;
    history.lost(since);
    mixed.lost();
  }

  /// A node's wall clock is wrong from now on. What has expired goes by the clocks of most members,
  /// as docs/design/0010-time.md says: a wrong minority changes nothing.
  void setClock(int number, long offsetMillis) {
    clocks[number].offsetMillis = offsetMillis;
    long[] errors = new long[nodeCount];
    for (int i = 1; i <= nodeCount; i++) {
      errors[i - 1] = Math.abs(clocks[i].offsetMillis);
    }
    Arrays.sort(errors);
    // A node that has just started hides less, until it knows what most clocks say.
    boolean mostAreRight = errors[nodeCount / 2] <= AGREED_MILLIS && !faults.mayStopNodes();
    history.expiriesMayErr(mostAreRight ? errors[nodeCount / 2] : errors[nodeCount - 1]);
  }

  void clocksAreRight() {
    for (int i = 1; i <= nodeCount; i++) {
      clocks[i].offsetMillis = 0;
    }
  }

  /// In this time each partition is compared with each of its other replicas at least once. A visit
  /// takes some beats of both nodes, however short a round shall be.
  long treesComparedWithin() {
    return 2L * shape.n() * Math.max(limits.treeRoundNanos(), PARTITIONS * VISIT_NANOS);
  }

  @Nullable Node node(int number) {
    return nodes[number];
  }

  /// All are after the heal.
  Node upNode(int number) {
    Node node = nodes[number];
    if (node == null) {
      throw new History.Violation("node " + number + " is down after the heal");
    }
    return node;
  }

  /// One that is up.
  Node aNode() {
    for (Node node : nodes) {
      if (node != null) {
        return node;
      }
    }
    throw new History.Violation("no node is up");
  }

  /// What clients have written, or tried to, in the keyspace where the last write wins.
  Set<String> keys() {
    Set<String> keys = new TreeSet<>(List.of("counter", "list"));
    history.keys().forEach(keys::add);
    mixed.all().forEach(key -> keys.add(key.name()));
    return keys;
  }

  SimulatedNetwork network() {
    return network;
  }

  SimulatedClock clock(int number) {
    return clocks[number];
  }

  SimulatedDisk disk(int number) {
    return disks[number];
  }

  int shards(int number) {
    return shards[number];
  }

  /// Whether all nodes are up, know what the cluster is called and have their part in its log.
  boolean allAreIn() {
    for (int node = 1; node <= nodeCount; node++) {
      Node some = node(node);
      if (some == null || !some.view().state().cluster().known()) {
        return false;
      }
      if (some.topologyLog().term() == 0 || some.topologyLog().failed() != null) {
        return false;
      }
    }
    return true;
  }

  /// Siblings may have so many bytes each; all of them together may be too many for a frame.
  int siblingBytes() {
    boolean small = limits.frameBytes() <= FRAME_BYTES && !mayRot();
    return small ? FRAME_BYTES / 2 : 0;
  }

  /// Whether one node's disk holds what it should not: it may be missing.
  boolean mayRot() {
    return faults.has(Fault.BIT_ROT);
  }

  /// The node whose disk may rot; 0 for none.
  int rotting() {
    return faults.rotting();
  }

  /// An increment of the counter was acknowledged: nobody else was told the same number, also where
  /// two led updates at the same time, see docs/design/0011-ballots-of-leaders.md.
  void counted(String number) {
    if (!counted.add(number) && !diskLost) {
      throw new History.Violation("two increments were told that they came to " + number);
    }
  }

  /// A strict put of a value, blind or under a condition, was acknowledged: so many replicas must
  /// have said that they have it, or something newer.
  void isHeld(String key, @Nullable String value, int replicas) {
    wire.isHeld(key, Objects.requireNonNull(value), replicas);
  }

  /// Of a key of the keyspace where the last write wins, in the order in which they lead it.
  int[] replicas(String key) {
    Topology now = topology;
    for (Node node : nodes) {
      Topology seen = node == null ? null : node.view().topology(keyspace.id());
      now = seen != null && seen.epoch() > now.epoch() ? seen : now;
    }
    return now.replicas(now.partitionOf(Slots.of(key.getBytes(US_ASCII))));
  }

  int partitionOf(String key) {
    return topology.partitionOf(Slots.of(key.getBytes(US_ASCII)));
  }

  /// Whether a node is no replica of a key of the keyspace where the last write wins, and takes all
  /// of these for dead.
  boolean isAway(Node node, String key) {
    Topology there = Objects.requireNonNull(node.view().topology(keyspace.id()));
    int[] replicas = there.replicas(there.partitionOf(Slots.of(key.getBytes(US_ASCII))));
    int self = node.self().number();
    return Arrays.stream(replicas).noneMatch(each -> each == self || node.live(each));
  }

  /// A strict blind put of a value begins.
  void blindPut(@Nullable String value, int w) {
    wire.blindPut(Objects.requireNonNull(value), w);
  }

  /// After the heal: a replica keeps the greatest version that it has heard of, and all come to
  /// hear of it; a delete that nobody keeps any more is no exception. What one replica alone had
  /// may be lost with its disk, or where that rots.
  void isNewest(String key, String value) {
    if (!diskLost && wire.isOutdated(key, value)) {
      throw new History.Violation(
          "%s shows %s although a replica has had what is newer: %s"
              .formatted(key, value, wire.detail(key, value)));
    }
  }

  /// Whether clients write a key of the keyspace where the last write wins that [History] does not
  /// know.
  boolean isOtherKey(String key) {
    return key.equals("counter") || key.equals("list") || mixed.had(key);
  }

  /// Whether the put of a value was minted twice, so that it may be seen, replaced and seen again.
  boolean mintedTwice(String value) {
    return wire.mintedTwice(value);
  }

  @Override
  public String toString() {
    return "%s%s%s shards %s N=%d R=%d W=%d %s, %s"
        .formatted(
            theme,
            moves,
            weights,
            Arrays.toString(Arrays.copyOfRange(shards, 1, nodeCount + 1)),
            shape.n(),
            keyspace.r(),
            keyspace.w(),
            keyspace.durability(),
            faults);
  }
}
