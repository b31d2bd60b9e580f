package dev.tern.core.topology.log;

import dev.tern.core.topology.Founding;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Environment;
import dev.tern.env.EventLoop;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.Randomness;
import dev.tern.raft.Entry;
import dev.tern.raft.Membership;
import dev.tern.raft.Raft;
import dev.tern.raft.RaftConfig;
import dev.tern.raft.RaftMessage;
import dev.tern.raft.group.RaftGroup;
import dev.tern.raft.log.SharedLog;
import dev.tern.raft.log.SnapshotFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A node's part in the topology log. It greets the other members, keeps the topology that this
/// node uses, votes if this node is a voter, and carries changes to the leader.
///
/// Voters learn changes by Raft, other members from the leader. Besides, each member tells a random
/// other one its epoch with each beat. Nodes pass on committed states only.
///
/// Threads: the first shard's loop; methods say where another thread may call.
public final class TopologyLog {
  /// Times, and the mistakes that tests plant.
  ///
  /// @param tickNanos of Raft's clock; elections begin after 10 to 20 of them
  /// @param timeoutNanos after which a proposer is told that nobody knows
  /// @param graceNanos a node that has met nobody but strangers for this long since its start stops
  /// @param replaceNanos a voter that is not live for so long is replaced, if others can vote
  /// @param levels what this version speaks
  /// @param moves of replicas, by the leader
  public record Options(
      long tickNanos,
      long timeoutNanos,
      long graceNanos,
      long replaceNanos,
      long compactBytes,
      long segmentBytes,
      Levels levels,
      MoveLimits moves,
      TopologyBug bug) {
    public static final Options DEFAULT =
        new Options(
            50_000_000L,
            5_000_000_000L,
            3_000_000_000L,
            30_000_000_000L,
            1 << 20,
            4 << 20,
            Levels.OURS,
            MoveLimits.USUAL,
            TopologyBug.NONE);

    /// The same options of a node of another version.
    public Options speaking(Levels spoken) {
      return with(spoken, moves);
    }

    /// The same options with other bounds of moves.
    public Options moving(MoveLimits other) {
      return with(levels, other);
    }

    private Options with(Levels spoken, MoveLimits other) {
      return new Options(
          tickNanos,
          timeoutNanos,
          graceNanos,
          replaceNanos,
          compactBytes,
          segmentBytes,
          spoken,
          other,
          bug);
    }
  }

  /// The state of the log, as this node sees it.
  ///
  /// @param role of this member
  /// @param leader 0 if none is known
  /// @param failed why this node's part does nothing, null if it does
  /// @param forgetful whether this member has lost its part of the log, and waits to be let in
  ///   again
  /// @param strangers who is reached and not listened to, by number, and why
  /// @param left by member number, what members have left and not handed on yet; empty unless this
  ///   member leads
  public record Status(
      Raft.Role role,
      long term,
      int leader,
      @Nullable String failed,
      boolean forgetful,
      Map<Integer, String> strangers,
      SortedMap<Integer, LeftReport> left) {
    public Status {
      strangers = Collections.unmodifiableMap(new TreeMap<>(strangers));
      left = Collections.unmodifiableSortedMap(new TreeMap<>(left));
    }
  }

  /// The log's group in the shared log of consensus groups.
  private static final int GROUP = 1;

  private static final int GREETING_TICKS = 4;
  static final int BEAT_TICKS = 20;
  private static final int MOVE_TICKS = 2;

  private final Environment environment;
  private final EventLoop loop;
  private final int self;
  private final Options options;
  private final Consumer<TopologyState> changed;
  private final Randomness random;
  private final Acquaintances acquaintances;
  private final TopologyMachine machine;
  private final SharedLog shared;
  private final RaftGroup group;
  private final Proposals proposals;
  private final Amnesia amnesia;
  private final KnownTopology known;
  private final KnownLeader leader;
  private final Greetings greetings;
  private final Governor governor;
  private final ByteWriter frame = new ByteWriter(256);

  private @Nullable String failed;

  /// By member number: the last epoch that the member told.
  private final TreeMap<Integer, Long> epochs = new TreeMap<>();

  /// By member number: what was last told or asked because of a request by another state, so that a
  /// flood of such requests is no flood of states.
  private final TreeMap<Integer, Told> told = new TreeMap<>();

  private final TreeMap<Integer, Told> asked = new TreeMap<>();

  private record Told(long epoch, long tick) {}

  private boolean started;
  private long startedNanos;
  private long ticks;

  private int nextAsked;

  /// What this node says of moves that it has a part in.
  private Supplier<List<MoveReport>> moves = List::of;

  /// What this node says of partitions that it has left; null as long as it says nothing.
  private @Nullable Supplier<LeftReport> left;

  /// What was last told of them, and to whom.
  private LeftReport toldLeft = LeftReport.nothing(0);

  private int toldLeftTo;

  /// The report that the next message begins with, where there are more than it holds.
  private int nextReport;

  private volatile Status status;
  private final LogEvents reports;

  private TopologyLog(
      Environment environment,
      int self,
      TopologyState initial,
      IntPredicate live,
      BooleanSupplier empty,
      Options options,
      Consumer<TopologyState> changed)
      throws IOException {
    this.environment = environment;
    this.reports = new LogEvents(environment.events());
    this.loop = environment.loops().getFirst();
    this.self = self;
    this.options = options;
    this.changed = changed;
    this.random = environment.randomness().child("topology");
    this.acquaintances = new Acquaintances(options.levels(), options.bug(), environment.events());
    this.machine = new TopologyMachine(new Machine(), options.bug());
    this.status =
        new Status(Raft.Role.FOLLOWER, 0, 0, null, false, new TreeMap<>(), new TreeMap<>());
    FileSystem files = environment.files();
    String directory = KnownFile.DIRECTORY;
    FileLives lives = FileLives.of(random, environment.clock(), directory);
    this.known = new KnownTopology(files, lives, loop, options.bug(), initial, this::adopted);
    this.shared = SharedLog.open(files, loop, directory + "/log", options.segmentBytes(), lives);
    try {
      this.group =
          RaftGroup.open(
              new RaftGroup.Context(
                  shared,
                  new SnapshotFiles(files, directory + "/snapshots", lives),
                  loop,
                  environment.clock(),
                  new RaftGroup.Options(options.tickNanos(), options.compactBytes(), 100)),
              GROUP,
              RaftConfig.defaults(self),
              founding(initial),
              random.child("raft"),
              machine,
              new Member());
    } catch (IOException | RuntimeException e) {
      shared.close();
      throw e;
    }
    boolean named = initial.cluster().known();
    this.amnesia =
        options.bug() == TopologyBug.FORGETFUL_VOTE
            ? Amnesia.none(self, files, lives, loop)
            : Amnesia.open(
                self, files, lives, loop, random.child("amnesia"), !Greetings.begun(group), named);
    this.proposals = new Proposals(self, group, new Wire(), random.nextLong() >>> 1, options.bug());
    this.leader = new KnownLeader(self, group, amnesia, known);
    LogParts parts = new LogParts(self, options, known, group, leader, amnesia, acquaintances);
    this.greetings = new Greetings(parts, empty, this::send);
    this.governor =
        new Governor(parts, environment.clock(), random, live, machine, greetings, proposals);
  }

  /// The voters that founded the log, for a founder; nobody for a member that came later.
  private Membership founding(TopologyState state) {
    Founding founding = state.founding();
    boolean founder = founding.founders().stream().anyMatch(f -> f.number() == self);
    return founder ? Membership.of(founding.state().voters(), List.of()) : Membership.NOBODY;
  }

  // ---- before the start; may block

  /// Opens this node's part of the log, without yet taking part. Blocks.
  ///
  /// @param known from [KnownTopology#initial]
  /// @param live whether a member is believed alive
  /// @param empty whether this node holds nothing that other nodes wait for
  /// @param changed told, on the loop, of each topology this node goes by from now on
  public static TopologyLog open(
      Environment environment,
      int self,
      TopologyState known,
      IntPredicate live,
      BooleanSupplier empty,
      Options options,
      Consumer<TopologyState> changed)
      throws IOException {
    return new TopologyLog(environment, self, known, live, empty, options, changed);
  }

  /// What this node says of the moves that it has a part in, and of what it has left. It is asked
  /// every few ticks, on the loop; nothing is said unless this is called.
  public void reportsMoves(Supplier<List<MoveReport>> reported, Supplier<LeftReport> reportedLeft) {
    moves = reported;
    left = reportedLeft;
  }

  /// Which members get more replicas while this node leads the log: those whose disks have room.
  /// All do unless this is called, before the start.
  public void givesReplicasTo(IntPredicate roomy) {
    governor.givesReplicasTo(roomy);
  }

  /// Begins to take part in the log.
  public void start() {
    started = true;
    startedNanos = now();
    known.consider(machine.state());
    greetings.greetMembers();
    loop.schedule(options.tickNanos(), this::tick);
  }

  private long now() {
    return environment.clock().monotonicNanos();
  }

  /// Closes the files. The loop must run no tasks of this node any more.
  public void close() throws IOException {
    shared.close();
  }

  // ---- what others see; any thread

  /// Whether a node has greeted as a member of this cluster.
  public boolean trusts(int node) {
    return acquaintances.trusts(node);
  }

  public Status status() {
    return status;
  }

  // ---- time

  private void tick() {
    ticks++;
    if (!amnesia.forgetful()) {
      group.tick();
    }
    proposals.tick(now());
    if (ticks % GREETING_TICKS == 0) {
      amnesia.goesBy(known.state());
      amnesia.applied(machine.state(), greetings::greetAll);
      greetings.greetMembers();
      governor.govern();
    }
    if (ticks % MOVE_TICKS == 0) {
      reportMoves();
      governor.move();
    }
    if (ticks % BEAT_TICKS == 0) {
      shared.retry();
      beat();
    }
    publish();
    loop.schedule(options.tickNanos(), this::tick);
  }

  private void publish() {
    Raft raft = group.raft();
    String late = shared.notReady();
    String problem =
        failed != null ? failed : late == null ? known.unsaved() : "not written yet: " + late;
    status =
        new Status(
            raft.role(),
            raft.term(),
            leader.leader(ticks),
            problem,
            amnesia.forgetful(),
            acquaintances.strangers(),
            governor.left());
  }

  private void beat() {
    int other = someFriend();
    if (other != 0) {
      send(other, beatMessage());
    }
    known.save();
    alone();
  }

  /// Tells the leader how far moves have come here and what is left here, again and again: it may
  /// be another one. Where no partition moves and nothing is new it is told with each beat.
  private void reportMoves() {
    int to = leader.leader(ticks);
    if (to == 0 || left == null) {
      return;
    }
    List<MoveReport> all = moves.get();
    LeftReport here = left.get();
    boolean told = to == toldLeftTo && here.equals(toldLeft) && ticks % BEAT_TICKS != 0;
    if (all.isEmpty() && told) {
      return;
    }
    toldLeft = here;
    toldLeftTo = to;
    int count = Math.min(all.size(), TopologyMessage.MoveReports.MAX_ENTRIES);
    List<MoveReport> some = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      some.add(all.get((nextReport + i) % all.size()));
    }
    nextReport = count == 0 ? 0 : (nextReport + count) % all.size();
    TopologyMessage.MoveReports reported = new TopologyMessage.MoveReports(here, some);
    if (to == self) {
      governor.reported(self, reported);
    } else if (trusts(to)) {
      send(to, reported);
    }
  }

  private TopologyMessage beatMessage() {
    return new TopologyMessage.Beat(known.epoch(), group.raft().term(), leader.leader(ticks));
  }

  private int someFriend() {
    List<MemberEntry> members = known.state().members();
    int from = random.nextInt(members.size());
    for (int i = 0; i < members.size(); i++) {
      int number = members.get((from + i) % members.size()).number();
      if (trusts(number) && environment.network().connected(0, number)) {
        return number;
      }
    }
    return 0;
  }

  /// Stops a node that has met nobody but strangers: it is in the wrong cluster.
  private void alone() {
    String why = acquaintances.onlyStrangers(known.state());
    if (why != null && now() - startedNanos >= options.graceNanos()) {
      throw new RefusedException("this node is refused: " + why);
    }
  }

  // ---- frames

  /// The connection to a node is open: that node, or another in its place, has to greet.
  public void connected(int node) {
    greetings.connected(node);
  }

  private boolean send(int to, TopologyMessage message) {
    if (to == self || !environment.network().connected(0, to)) {
      return false;
    }
    TopologyMessageCodec.encode(message, frame.clear());
    return environment.network().send(0, to, 0, frame);
  }

  /// Another node uses an older state than this one.
  public void behind(int node) {
    if (trusts(node) && isFirst(told, node)) {
      send(node, new TopologyMessage.State(known.state()));
    }
  }

  /// Whether a node was not yet told, or asked, in this tick and by this state; notes it.
  private boolean isFirst(Map<Integer, Told> last, int node) {
    Told now = new Told(known.epoch(), ticks);
    return !now.equals(last.put(node, now));
  }

  /// Another node uses a later state than this one, and is asked for it.
  public void ahead(int node) {
    if (trusts(node) && isFirst(asked, node)) {
      send(node, beatMessage());
    }
  }

  /// A frame about the topology or of its Raft group.
  ///
  /// @throws DecodeException if it cannot be read
  public void frame(int from, ByteReader payload) {
    TopologyMessage message = TopologyMessageCodec.decode(payload);
    if (message instanceof TopologyMessage.Greeting || trusts(from)) {
      take(from, message);
    } else if (message instanceof TopologyMessage.Beat && known.state().member(from) == null) {
      // It missed that it was removed.
      send(from, new TopologyMessage.State(known.state()));
    }
  }

  private void take(int from, TopologyMessage message) {
    switch (message) {
      case TopologyMessage.Greeting m -> {
        if (greetings.greeted(from, m)) {
          compare(from, m.epoch());
        }
        publish();
      }
      case TopologyMessage.Raft m -> {
        if (amnesia.hears(from, m.message())) {
          group.step(from, m.message());
        }
      }
      case TopologyMessage.State m -> told(from, m.state());
      case TopologyMessage.Beat m -> {
        leader.told(m, ticks);
        compare(from, m.epoch());
        if (m.epoch() > known.epoch()) {
          send(from, beatMessage());
        }
      }
      case TopologyMessage.Propose m -> {
        boolean taken =
            proposals.take(
                m.proposed(), decision -> send(from, new TopologyMessage.Answer(m.id(), decision)));
        if (!taken) {
          send(from, new TopologyMessage.NotLeader(m.id(), leader.leader(ticks)));
        }
      }
      case TopologyMessage.Answer m -> proposals.decided(m.id(), m.decision());
      case TopologyMessage.NotLeader m -> proposals.notTaken(m.id());
      case TopologyMessage.MoveReports m -> governor.reported(from, m);
    }
  }

  private void compare(int from, long epoch) {
    epochs.put(from, epoch);
    if (epoch < known.epoch()) {
      send(from, new TopologyMessage.State(known.state()));
    }
  }

  private void told(int from, TopologyState state) {
    boolean same =
        known.state().cluster().known()
            ? state.cluster().equals(known.state().cluster())
            : state.founding().equals(known.state().founding());
    if (same) {
      epochs.put(from, state.epoch());
      known.consider(state);
    }
  }

  private void adopted(TopologyState before, TopologyState state) {
    tellRemoved(before, state);
    amnesia.goesBy(state);
    acquaintances.members(state);
    changed.accept(state);
    proposals.known();
    if (leader.isSelf()) {
      tellOthers();
    }
    publish();
  }

  /// Tells members that were removed that they were.
  private void tellRemoved(TopologyState before, TopologyState state) {
    for (MemberEntry member : before.members()) {
      if (state.member(member.number()) == null) {
        send(member.number(), new TopologyMessage.State(state));
      }
    }
  }

  /// The leader tells its state to members without a part in the log.
  private void tellOthers() {
    for (MemberEntry member : known.state().members()) {
      int number = member.number();
      boolean part = group.raft().membership().contains(number);
      if (!part && trusts(number) && epochs.getOrDefault(number, 0L) < known.epoch()) {
        send(number, new TopologyMessage.State(known.state()));
      }
    }
  }

  // ---- changes

  /// Proposes a change.
  ///
  /// @param done told once; of a change that came to be, when this node goes by it
  public void propose(Proposed proposed, Consumer<Decision> done) {
    proposals.want(proposed, now(), options.timeoutNanos(), done);
  }

  // ---- the parts' views

  private final class Machine implements TopologyMachine.Watcher {
    @Override
    public void applied(Entry entry, @Nullable TopologyOutcome outcome) {
      if (outcome instanceof TopologyOutcome.Changed) {
        check(machine.state());
        known.consider(machine.state());
      }
      proposals.applied(entry.index(), entry.term(), outcome);
    }

    @Override
    public void installed(long index) {
      // The log is opened with what it held at its last end; the start looks at that.
      if (started) {
        check(machine.state());
        known.consider(machine.state());
        proposals.installed(index);
      }
    }

    private void check(TopologyState state) {
      if (known.state().cluster().known() && !known.state().cluster().equals(state.cluster())) {
        group.fail(
            new IllegalStateException(
                "the log is that of cluster %s, this node belongs to %s"
                    .formatted(state.cluster(), known.state().cluster())));
      }
    }

    @Override
    public void unreadable(DecodeException why) {
      group.fail(why);
    }
  }

  private final class Member implements RaftGroup.Listener {
    @Override
    public void send(int to, RaftMessage message) {
      if (trusts(to)) {
        TopologyLog.this.send(to, new TopologyMessage.Raft(message));
      }
    }

    @Override
    public void readReady(long context) {
      throw new IllegalStateException("nobody reads the topology log this way");
    }

    @Override
    public void readRefused(long context) {
      throw new IllegalStateException("nobody reads the topology log this way");
    }

    @Override
    public void roleChanged(Raft.Role role, long term, int leader) {
      governor.roleChanged();
      reports.leads(term, leader);
      publish();
    }

    @Override
    public void failed(Throwable why) {
      failed =
          reports.failed(
              "this node's part of the topology log has stopped: %s; mend its disk and restart it"
                  .formatted(why.getMessage()));
      publish();
    }
  }

  private final class Wire implements Proposals.Surroundings {
    @Override
    public boolean send(int to, TopologyMessage message) {
      return trusts(to) && TopologyLog.this.send(to, message);
    }

    @Override
    public int leader() {
      int leader = TopologyLog.this.leader.leader(ticks);
      List<Integer> voters = new ArrayList<>(known.state().voters());
      voters.removeIf(voter -> voter == self);
      boolean askable = leader == self || leader != 0 && trusts(leader);
      if (askable || voters.isEmpty()) {
        return leader;
      }
      return voters.get(nextAsked++ % voters.size());
    }

    @Override
    public long knownEpoch() {
      return known.epoch();
    }

    @Override
    public boolean founded() {
      return machine.state().founded();
    }

    @Override
    public TopologyOutcome foretell(Proposed proposed) {
      return machine.state().apply(proposed).outcome();
    }
  }
}
