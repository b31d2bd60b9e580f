package dev.tern.core.topology.log;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Command;
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
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
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
  public record Options(
      long tickNanos,
      long timeoutNanos,
      long graceNanos,
      long replaceNanos,
      long compactBytes,
      long segmentBytes,
      Levels levels,
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
            TopologyBug.NONE);

    /// The same options of a node of another version.
    public Options speaking(Levels spoken) {
      return new Options(
          tickNanos,
          timeoutNanos,
          graceNanos,
          replaceNanos,
          compactBytes,
          segmentBytes,
          spoken,
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
  public record Status(
      Raft.Role role,
      long term,
      int leader,
      @Nullable String failed,
      boolean forgetful,
      Map<Integer, String> strangers) {
    public Status {
      strangers = Collections.unmodifiableMap(new TreeMap<>(strangers));
    }
  }

  /// The log's group in the shared log of consensus groups.
  private static final int GROUP = 1;

  private static final int GREETING_TICKS = 4;
  private static final int BEAT_TICKS = 20;

  /// Beats for which this node believes in a leader that another member named.
  private static final int LEADER_BEATS = 5;

  private final Environment environment;
  private final FileLives lives;
  private final EventLoop loop;
  private final int self;
  private final IntPredicate live;
  private final Options options;
  private final Consumer<TopologyState> changed;
  private final Randomness random;
  private final Acquaintances acquaintances;
  private final TopologyMachine machine;
  private final SharedLog shared;
  private final RaftGroup group;
  private final Proposals proposals;
  private final Amnesia amnesia;
  private final BooleanSupplier empty;
  private final ByteWriter frame = new ByteWriter(256);

  /// The topology that this node uses; it is on the disk.
  private TopologyState known;

  /// The state to be written next, newer than [#known]; null for none.
  private @Nullable TopologyState pending;

  /// The state that a job writes now, newer than [#known]; null for none.
  private @Nullable TopologyState writing;

  private @Nullable String failed;

  /// Why [#known] could not be written, null if it was; each beat tries again.
  private @Nullable String unsaved;

  /// By member number: the last epoch that the member told.
  private final TreeMap<Integer, Long> epochs = new TreeMap<>();

  /// By number of a member that is not live: since when, on this leader's clock.
  private final TreeMap<Integer, Long> absentSince = new TreeMap<>();

  /// By member number: the protocol levels that the member speaks.
  private final TreeMap<Integer, Levels> levels = new TreeMap<>();

  private boolean started;
  private long startedNanos;
  private long ticks;

  /// The leader that other members named, for a node without a part in the log; 0 for none.
  private int heardLeader;

  private long heardTerm;
  private long heardTick;
  private int nextAsked;
  private volatile Status status;
  private final LogEvents reports;

  private TopologyLog(
      Environment environment,
      int self,
      TopologyState known,
      IntPredicate live,
      BooleanSupplier empty,
      Options options,
      Consumer<TopologyState> changed)
      throws IOException {
    this.empty = empty;
    this.environment = environment;
    this.reports = new LogEvents(environment.events());
    this.loop = environment.loops().getFirst();
    this.self = self;
    this.known = known;
    this.live = live;
    this.options = options;
    this.changed = changed;
    this.random = environment.randomness().child("topology");
    this.acquaintances = new Acquaintances(options.levels(), options.bug(), environment.events());
    this.machine = new TopologyMachine(new Machine(), options.bug());
    this.status = new Status(Raft.Role.FOLLOWER, 0, 0, null, false, new TreeMap<>());
    FileSystem files = environment.files();
    String directory = KnownFile.DIRECTORY;
    this.lives = FileLives.of(random, environment.clock(), directory);
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
              founding(known),
              random.child("raft"),
              machine,
              new Member());
    } catch (IOException | RuntimeException e) {
      shared.close();
      throw e;
    }
    boolean named = known.cluster().known();
    this.amnesia =
        options.bug() == TopologyBug.FORGETFUL_VOTE
            ? Amnesia.none(self, files, lives, loop)
            : Amnesia.open(self, files, lives, loop, random.child("amnesia"), !begun(), named);
    this.proposals = new Proposals(self, group, new Wire(), random.nextLong() >>> 1, options.bug());
  }

  /// The voters that founded the log, for a founder; nobody for a member that came later.
  private Membership founding(TopologyState state) {
    Founding founding = state.founding();
    boolean founder = founding.founders().stream().anyMatch(f -> f.number() == self);
    return founder ? Membership.of(founding.state().voters(), List.of()) : Membership.NOBODY;
  }

  /// Whether this member's part of the log holds anything.
  private boolean begun() {
    return group.raft().term() > 0 || group.raft().lastIndex() > 0;
  }

  // ---- before the start; may block

  /// The state in a node's directory, null if the directory belongs to no cluster. A state that
  /// cannot be read is an error.
  public static @Nullable TopologyState lastKnown(FileSystem files) throws IOException {
    return KnownFile.load(files);
  }

  /// Makes a new node a member of a cluster that has let it in.
  public static void join(FileSystem files, FileLives lives, TopologyState told)
      throws IOException {
    KnownFile.save(files, lives, told);
  }

  /// What a node starts from: what it last knew, or what it was told of the founding.
  ///
  /// @param told [Founding#NOTHING] if nothing; ignored once the directory knows its cluster
  /// @throws IOException if this node cannot begin, with the reason
  /// @throws RefusedException if it is no member of the cluster that the directory belongs to
  public static TopologyState initial(FileSystem files, FileLives lives, int self, Founding told)
      throws IOException {
    TopologyState known = KnownFile.load(files);
    boolean something = !told.equals(Founding.NOTHING);
    if (known == null) {
      String problem = something ? told.problem() : "it was told of no founders";
      if (problem != null) {
        throw new IOException("this node belongs to no cluster and cannot found one: " + problem);
      }
      known = told.state();
      KnownFile.save(files, lives, known);
    } else if (!known.cluster().known() && something && !told.equals(known.founding())) {
      throw new IOException(
          "founders disagree: this node is now told of %s; start it as before, or with an empty data directory"
              .formatted(told.differenceFrom(known.founding())));
    }
    if (known.member(self) == null) {
      throw new RefusedException(
          "node %d is no member, or was removed from, cluster %s, which this data directory belongs to"
              .formatted(self, known.cluster()));
    }
    return known;
  }

  /// Opens this node's part of the log, without yet taking part. Blocks.
  ///
  /// @param known from [#initial]
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

  /// Begins to take part in the log.
  public void start() {
    started = true;
    startedNanos = now();
    consider(machine.state());
    greetMembers();
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
      amnesia.goesBy(known);
      amnesia.applied(machine.state(), this::greetAll);
      greetMembers();
      govern();
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
    String problem = failed != null ? failed : late == null ? unsaved : "not written yet: " + late;
    status =
        new Status(
            raft.role(),
            raft.term(),
            leader(),
            problem,
            amnesia.forgetful(),
            acquaintances.strangers());
  }

  /// As this member's part says, unless it has heard of a later term: it may have no part any more.
  private int leader() {
    Raft raft = group.raft();
    boolean recent = ticks - heardTick <= (long) LEADER_BEATS * BEAT_TICKS;
    boolean votes = raft.membership().isVoter(self) && !amnesia.forgetful();
    if (raft.leader() == 0 && votes || raft.leader() != 0 && heardTerm <= raft.term()) {
      return raft.leader();
    }
    return recent ? heardLeader : raft.leader();
  }

  private void beat() {
    int other = someFriend();
    if (other != 0) {
      send(other, beatMessage());
    }
    save();
    alone();
  }

  private TopologyMessage beatMessage() {
    return new TopologyMessage.Beat(known.epoch(), group.raft().term(), leader());
  }

  private int someFriend() {
    List<MemberEntry> members = known.members();
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
    String why = acquaintances.onlyStrangers(known);
    if (why != null && now() - startedNanos >= options.graceNanos()) {
      throw new RefusedException("this node is refused: " + why);
    }
  }

  // ---- frames

  private boolean send(int to, TopologyMessage message) {
    if (to == self || !environment.network().connected(0, to)) {
      return false;
    }
    TopologyMessageCodec.encode(message, frame.clear());
    return environment.network().send(0, to, 0, frame);
  }

  /// The connection to a node is open: that node, or another in its place, has to greet.
  public void connected(int node) {
    acquaintances.forget(node);
    amnesia.forget(node);
    greet(node, true);
  }

  /// Another node uses an older state than this one.
  public void behind(int node) {
    if (trusts(node)) {
      send(node, new TopologyMessage.State(known));
    }
  }

  private void greetMembers() {
    for (MemberEntry member : known.members()) {
      boolean asks =
          amnesia.forgetful()
              || departs()
              || !trusts(member.number())
              || leads() && !amnesia.remembers(member.number());
      if (member.number() != self && asks) {
        greet(member.number(), true);
      }
    }
  }

  /// Whether this member is leaving and holds no hints for others any more.
  private boolean departs() {
    MemberEntry own = known.member(self);
    return own != null && own.leaving() && empty.getAsBoolean();
  }

  private void greetAll() {
    known.members().forEach(member -> greet(member.number(), false));
  }

  private void greet(int node, boolean answer) {
    send(
        node,
        new TopologyMessage.Greeting(
            answer,
            options.levels(),
            known.level(),
            known.cluster(),
            known.epoch(),
            known.founding(),
            amnesia.life(),
            !leads() && !amnesia.forgetful() && Amnesia.pair(group.raft().membership(), self, node),
            departs()));
  }

  /// A frame about the topology or of its Raft group.
  ///
  /// @throws DecodeException if it cannot be read
  public void frame(int from, ByteReader payload) {
    TopologyMessage message = TopologyMessageCodec.decode(payload);
    if (message instanceof TopologyMessage.Greeting || trusts(from)) {
      take(from, message);
    } else if (message instanceof TopologyMessage.Beat && known.member(from) == null) {
      // It missed that it was removed.
      send(from, new TopologyMessage.State(known));
    }
  }

  private void greeted(int from, TopologyMessage.Greeting greeting) {
    Acquaintances.Verdict verdict = acquaintances.greeted(from, greeting, known);
    boolean friend = verdict == Acquaintances.Verdict.FRIEND;
    if (friend && amnesia.greeted(from, greeting, begun())) {
      greetAll();
    }
    if (greeting.answer()) {
      greet(from, false);
    }
    boolean same = greeting.cluster().equals(known.cluster());
    if (friend) {
      levels.put(from, greeting.levels());
      compare(from, greeting.epoch());
    } else if (same && greeting.epoch() < known.epoch()) {
      // It was removed, and shall know.
      send(from, new TopologyMessage.State(known));
    }
    publish();
  }

  private void take(int from, TopologyMessage message) {
    switch (message) {
      case TopologyMessage.Greeting m -> greeted(from, m);
      case TopologyMessage.Raft m -> {
        if (amnesia.hears(from, m.message())) {
          group.step(from, m.message());
        }
      }
      case TopologyMessage.State m -> told(from, m.state());
      case TopologyMessage.Beat m -> {
        if (m.leader() != 0 && m.term() >= heardTerm) {
          heardLeader = m.leader();
          heardTerm = m.term();
          heardTick = ticks;
        }
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
          send(from, new TopologyMessage.NotLeader(m.id(), leader()));
        }
      }
      case TopologyMessage.Answer m -> proposals.decided(m.id(), m.decision());
      case TopologyMessage.NotLeader m -> proposals.notTaken(m.id());
    }
  }

  private void compare(int from, long epoch) {
    epochs.put(from, epoch);
    if (epoch < known.epoch()) {
      send(from, new TopologyMessage.State(known));
    }
  }

  private void told(int from, TopologyState state) {
    boolean same =
        known.cluster().known()
            ? state.cluster().equals(known.cluster())
            : state.founding().equals(known.founding());
    if (same) {
      epochs.put(from, state.epoch());
      consider(state);
    }
  }

  // ---- what is known

  private boolean newer(TopologyState state, TopologyState than) {
    boolean named = state.cluster().known() && !than.cluster().known();
    return state.epoch() > than.epoch()
        || state.epoch() == than.epoch() && named
        || options.bug() == TopologyBug.OLDER_STATE_ADOPTED && state.epoch() != than.epoch();
  }

  /// Takes a committed state. A newer one is written and then used.
  private void consider(TopologyState state) {
    TopologyState latest = pending != null ? pending : writing != null ? writing : known;
    if (!newer(state, latest)) {
      return;
    }
    pending = state;
    if (options.bug() == TopologyBug.ADOPTED_BEFORE_DURABLE) {
      adopt(state);
    }
    save();
  }

  private void save() {
    TopologyState next = pending;
    if (writing != null || next == null) {
      return;
    }
    writing = next;
    pending = null;
    loop.offload(
        () -> {
          KnownFile.save(environment.files(), lives, next);
          return null;
        },
        (nothing, failure) -> {
          writing = null;
          if (failure != null) {
            unsaved = "the topology cannot be written: " + failure.getMessage();
            pending = pending == null ? next : pending;
            return;
          }
          unsaved = null;
          adopt(next);
          save();
        });
  }

  private void adopt(TopologyState state) {
    if (!newer(state, known)) {
      return;
    }
    tellRemoved(state);
    known = state;
    amnesia.goesBy(state);
    acquaintances.members(state);
    changed.accept(state);
    proposals.known();
    if (leads()) {
      tellOthers();
    }
    publish();
  }

  /// Tells members that were removed that they were.
  private void tellRemoved(TopologyState state) {
    for (MemberEntry member : known.members()) {
      if (state.member(member.number()) == null) {
        send(member.number(), new TopologyMessage.State(state));
      }
    }
  }

  private boolean leads() {
    return group.raft().role() == Raft.Role.LEADER;
  }

  /// The leader tells its state to members without a part in the log.
  private void tellOthers() {
    for (MemberEntry member : known.members()) {
      int number = member.number();
      boolean part = group.raft().membership().contains(number);
      if (!part && trusts(number) && epochs.getOrDefault(number, 0L) < known.epoch()) {
        send(number, new TopologyMessage.State(known));
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

  /// What a leader does by itself: it founds the cluster, replaces absent voters, removes members
  /// that have left, and raises the level when all members speak a higher one.
  private void govern() {
    TopologyState state = machine.state();
    Raft raft = group.raft();
    if (!leads() || raft.commitIndex() == 0 || raft.termAt(raft.commitIndex()) != raft.term()) {
      return;
    }
    if (!state.founded()) {
      ClusterId minted = ClusterId.mint(random);
      order(new Proposed(0, known.founding().command(minted)));
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
    IntPredicate stays = member -> live.test(member) && !acquaintances.departs(member);
    Command.RemoveMember removal = Voting.removal(state, raft.membership(), stays);
    if (removal != null) {
      order(new Proposed(state.epoch(), removal));
      return;
    }
    Command.Readmit readmission = amnesia.readmission(state, raft.membership());
    if (readmission != null) {
      order(new Proposed(state.epoch(), readmission));
      return;
    }
    int level = options.levels().common(state, self, levels);
    if (level > state.level()) {
      order(new Proposed(state.epoch(), new Command.RaiseLevel(level)));
    }
  }

  private void order(Proposed proposed) {
    proposals.take(proposed, decision -> {});
  }

  private boolean reliable(int member) {
    if (member == self || live.test(member)) {
      absentSince.remove(member);
      return true;
    }
    long since = absentSince.computeIfAbsent(member, first -> now());
    return now() - since < options.replaceNanos();
  }

  // ---- the parts' views

  private final class Machine implements TopologyMachine.Watcher {
    @Override
    public void applied(Entry entry, @Nullable TopologyOutcome outcome) {
      if (outcome instanceof TopologyOutcome.Changed) {
        check(machine.state());
        consider(machine.state());
      }
      proposals.applied(entry.index(), entry.term(), outcome);
    }

    @Override
    public void installed(long index) {
      // The log is opened with what it held at its last end; the start looks at that.
      if (started) {
        check(machine.state());
        consider(machine.state());
        proposals.installed(index);
      }
    }

    private void check(TopologyState state) {
      if (known.cluster().known() && !known.cluster().equals(state.cluster())) {
        group.fail(
            new IllegalStateException(
                "the log is that of cluster %s, this node belongs to %s"
                    .formatted(state.cluster(), known.cluster())));
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
      absentSince.clear();
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
      int leader = TopologyLog.this.leader();
      List<Integer> voters = new ArrayList<>(known.voters());
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
    public TopologyOutcome foretell(Proposed proposed) {
      return machine.state().apply(proposed).outcome();
    }
  }
}
