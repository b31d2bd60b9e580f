package dev.tern.core.node;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics;
import dev.tern.core.gossip.Load;
import dev.tern.core.keyspace.Caller;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.liveness.Liveness;
import dev.tern.core.liveness.Sightings;
import dev.tern.core.repair.LeftState;
import dev.tern.core.repair.MoveState;
import dev.tern.core.repair.Repairs;
import dev.tern.core.replica.Inspection;
import dev.tern.core.replica.Partition;
import dev.tern.core.store.DiskReserve;
import dev.tern.core.store.StoreLabel;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.Decision;
import dev.tern.core.topology.log.KnownTopology;
import dev.tern.core.topology.log.LeftReport;
import dev.tern.core.topology.log.Levels;
import dev.tern.core.topology.log.MoveReport;
import dev.tern.core.topology.log.RefusedException;
import dev.tern.core.topology.log.TopologyLog;
import dev.tern.core.version.ClusterTime;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.DiskFull;
import dev.tern.env.Environment;
import dev.tern.env.FileLives;
import dev.tern.env.Network;
import dev.tern.lsm.LogLoss;
import dev.tern.lsm.LsmStatistics;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.raft.log.RaftLogException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A node of the cluster, the same in production and in simulation.
///
/// [#create] opens, [#start] joins, [#close] ends; a closed node is not started again.
public final class Node {
  /// A member gets more replicas while one part of so many of its disk is free.
  private static final int ROOM_PARTS = 8;

  private final Environment environment;
  private final NodeConfig config;
  private final List<Shard> shards;
  private final Member self;
  private final ClusterTime time;
  private final DiskReserve reserve;
  private volatile ClusterView view;

  /// This node's part in the topology log; set once, before [#start].
  private @Nullable TopologyLog log;

  /// Gossip and the clocks of the members; set once, before [#start].
  private @Nullable Liveness liveness;

  /// For each shard, by member number: whether that shard last believed the member alive.
  private final AtomicReferenceArray<boolean[]> live;

  private Node(
      Environment environment, NodeConfig config, TopologyState known, List<Shard> shards) {
    this.environment = environment;
    this.config = config;
    this.view = ClusterView.of(known);
    this.self = Objects.requireNonNull(known.member(config.self())).member();
    this.shards = shards;
    int[] numbers = view.members().stream().mapToInt(Member::number).toArray();
    boolean ownClock = config.planted() == PlantedBug.EXPIRY_BY_OWN_CLOCK;
    this.reserve = new DiskReserve(config.diskReserveBytes());
    this.time = new ClusterTime(environment.clock(), config.self(), numbers, ownClock);
    this.live = new AtomicReferenceArray<>(environment.loops().size());
    for (int i = 0; i < live.length(); i++) {
      live.set(i, new boolean[0]);
    }
  }

  /// Opens the stores, one a loop, without yet answering anybody. The caller may be on any thread.
  ///
  /// @throws IOException if the data directory cannot be used, with the reason
  public static Node create(Environment environment, NodeConfig config) throws IOException {
    FileLives lives = FileLives.of(environment.randomness(), environment.clock(), "node");
    TopologyState known =
        KnownTopology.initial(environment.files(), lives, config.self(), config.founding());
    Levels.OURS.expect(known);
    List<Shard> shards = new ArrayList<>();
    Node node = new Node(environment, config, known, shards);
    List<Member> members = node.view.members();
    Sightings sightings = new Sightings(members.getLast().number());
    int lost = StoreLabel.lost(environment.files(), environment.loops().size());
    try {
      for (int i = 0; i < environment.loops().size(); i++) {
        if (i == lost) {
          throw StoreLabel.refusal(lost);
        }
        shards.add(
            Shard.open(
                environment,
                config,
                node.view,
                i,
                sightings,
                node.reserve,
                node.time,
                (keyspace, partitions) -> count(shards, keyspace, partitions),
                node::behind,
                node::ahead));
      }
      node.log =
          TopologyLog.open(
              environment,
              config.self(),
              known,
              node::live,
              node::isEmpty,
              TopologyLog.Options.DEFAULT.moving(config.moves()),
              node::changed);
      node.liveness =
          new Liveness(
              environment,
              config.self(),
              members,
              Liveness.nextGeneration(environment.files(), lives),
              node.log()::trusts,
              node::storedBytes,
              node::incomplete,
              node::setBack,
              node::measured,
              sightings,
              node.time);
      node.log().givesReplicasTo(node::hasRoom);
      return node;
    } catch (IOException | RuntimeException e) {
      try {
        node.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      if (e instanceof CorruptionException || e instanceof RaftLogException) {
        throw new IOException(e.getMessage() + WHAT_TO_DO, e);
      }
      throw e;
    }
  }

  private static final String WHAT_TO_DO =
      "; if this node's directory is damaged: move it away and start with an empty one, the other nodes fill it (a node that is alone needs a backup)";

  /// Whether this node takes frames from another one.
  private boolean greeted(int node) {
    return node == self.number() || log().trusts(node);
  }

  private EarlyFrames early(Shard shard) {
    return new EarlyFrames(
        shard.loop(), environment.clock(), this::greeted, shard::frame, shard::refuse);
  }

  /// What this node says to the leader of the topology log of moves that it has a part in.
  private List<MoveReport> moveReports() {
    return moving().stream()
        .map(
            state ->
                new MoveReport(
                    state.set(),
                    state.partition(),
                    state.entryEpoch(),
                    MoveReport.ADOPTED
                        | (state.filled() ? MoveReport.FILLED : 0)
                        | (state.drained() ? MoveReport.DRAINED : 0)))
        .toList();
  }

  /// Starts to receive and to answer. Called once, before requests.
  public void start() {
    log().reportsMoves(this::moveReports, this::left);
    Network network = environment.network();
    List<EarlyFrames> early = shards.stream().map(this::early).toList();
    // Known before the first greeting of theirs is read.
    connect(List.of());
    network.start(
        new Network.Receiver() {
          @Override
          public void frame(int fromNode, int fromShard, int toShard, ByteReader payload) {
            FrameKind kind = kind(toShard, payload);
            if (kind == FrameKind.DATA) {
              early.get(toShard).frame(fromNode, fromShard, payload);
            } else if (toShard == 0) {
              ofNode(fromNode, kind, payload);
            }
          }

          @Override
          public void connection(int shard, int node, boolean open) {
            shards.get(shard).connection(node, open);
            if (shard == 0 && open) {
              log().connected(node);
            }
          }
        });
    shards.getFirst().loop().execute(log()::start);
    shards.getFirst().loop().execute(liveness()::start);
    for (Shard shard : shards) {
      shard.start();
    }
    for (int i = 0; i < shards.size(); i++) {
      int number = i;
      shards.get(i).loop().execute(() -> watch(number));
    }
  }

  private FrameKind kind(int toShard, ByteReader frame) {
    try {
      return FrameKind.of(frame);
    } catch (DecodeException e) {
      shards.get(toShard).malformed();
      throw e;
    }
  }

  /// A frame for the node, not for one of its shards; on the first shard's loop.
  private void ofNode(int from, FrameKind kind, ByteReader frame) {
    try {
      switch (kind) {
        case TOPOLOGY, RAFT -> log().frame(from, frame);
        case GOSSIP -> {
          if (greeted(from)) {
            liveness().frame(from, frame);
          }
        }
        case DATA, STREAM, AUTHENTICATION ->
            throw new DecodeException("a frame of kind " + kind + " for the node");
      }
    } catch (DecodeException e) {
      shards.getFirst().malformed();
      throw e;
    }
  }

  private TopologyLog log() {
    return Objects.requireNonNull(log);
  }

  private Liveness liveness() {
    return Objects.requireNonNull(liveness);
  }

  /// Bytes of tables and memtables; any thread.
  public long storedBytes() {
    long bytes = 0;
    for (int shard = 0; shard < shards.size(); shard++) {
      bytes += storage(shard).tableBytes() + storage(shard).memtableBytes();
    }
    return bytes;
  }

  /// What a member last said of its load and disk, as far as it came here; any thread.
  public Load load(int member) {
    return liveness().load(member);
  }

  /// Opens connections to the members that are not among `reached`, or have moved.
  private void connect(List<Member> reached) {
    for (Member member : view.members()) {
      int port = member.ports().internode();
      boolean known =
          reached.stream()
              .anyMatch(
                  other ->
                      other.number() == member.number()
                          && other.host().equals(member.host())
                          && other.ports().internode() == port);
      if (!known && member.number() != self.number()) {
        environment.network().connect(member.number(), member.host(), port);
      }
    }
  }

  /// Other nodes know of a life of this one that its directory does not; on the first shard's loop.
  private void setBack() {
    for (Shard shard : shards) {
      shard.loop().execute(shard::setBack);
    }
  }

  /// Another node uses an older topology than this one; on any shard's loop.
  private void behind(int node) {
    shards.getFirst().loop().execute(() -> log().behind(node));
  }

  /// Another node uses a later topology than this one; on any shard's loop.
  private void ahead(int node) {
    shards.getFirst().loop().execute(() -> log().ahead(node));
  }

  /// Adopts a later topology; on the first shard's loop.
  private void changed(TopologyState known) {
    MemberEntry own = known.member(self.number());
    if (own == null) {
      throw new RefusedException(
          "node %d was removed from cluster %s".formatted(self.number(), known.cluster()));
    }
    // A founder that lost its directory knows the founding alone, and goes by whatever it is told.
    boolean named = view.state().cluster().known();
    if (named && !own.member().name().equals(self().name())) {
      throw new RefusedException(
          "member %d of cluster %s has begun anew with another directory, so this one is no member's"
                  .formatted(self.number(), known.cluster())
              + " any more: start with an empty one");
    }
    ClusterView before = view;
    ClusterView after = ClusterView.of(known);
    view = after;
    connect(before.members());
    liveness().members(after.members());
    for (Shard shard : shards) {
      shard.loop().execute(() -> shard.adopt(after));
    }
  }

  /// Publishes a shard's view of the members for callers on other threads.
  private void watch(int number) {
    Shard shard = shards.get(number);
    List<Member> members = shard.coordinator().view().members();
    boolean[] seen = new boolean[members.getLast().number() + 1];
    for (Member member : members) {
      seen[member.number()] = shard.coordinator().live(member.number());
    }
    live.set(number, seen);
    shard.loop().schedule(WATCH_NANOS, () -> watch(number));
  }

  private static final long WATCH_NANOS = 100_000_000;

  /// Hands the logs to the disk and closes the stores. No loop may run tasks of this node any more:
  /// production stops its loops first.
  ///
  /// @throws IOException if a store cannot be closed cleanly; the others are closed all the same
  public void close() throws IOException {
    IOException first = null;
    for (Shard shard : shards) {
      try {
        shard.close();
      } catch (IOException e) {
        first = first == null ? e : first;
      }
    }
    if (log != null) {
      try {
        log.close();
      } catch (IOException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }

  /// The topology as this node knows it; any thread.
  public ClusterView view() {
    return view;
  }

  /// The time that this node goes by, for all that depends on time; any thread.
  public ClusterTime time() {
    return time;
  }

  /// The state of the topology log, as this node sees it; any thread.
  public TopologyLog.Status topologyLog() {
    return log().status();
  }

  /// Proposes a change of the topology; any thread.
  ///
  /// @param done told once, within some seconds, on a loop of this node
  public void propose(Proposed proposed, Consumer<Decision> done) {
    shards.getFirst().loop().execute(() -> log().propose(proposed, done));
  }

  /// This node as a member; any thread.
  public Member self() {
    MemberEntry entry = view.state().member(self.number());
    return entry == null ? self : entry.member();
  }

  /// Whether all shards believe a member alive, this node included; any thread, up to a tenth of a
  /// second old.
  public boolean live(int member) {
    if (member == config.self()) {
      return true;
    }
    for (int shard = 0; shard < live.length(); shard++) {
      boolean[] seen = live.get(shard);
      if (member < 1 || member >= seen.length || !seen[member]) {
        return false;
      }
    }
    return true;
  }

  /// How many shards (event loops) there are.
  public int shards() {
    return shards.size();
  }

  /// The handle of a keyspace for the node itself, see [#keyspace(int, String, Caller)].
  public Keyspace keyspace(int shard, String name) {
    return keyspace(shard, name, Caller.NODE);
  }

  /// The handle of a keyspace, to be used on the loop of `shard`.
  ///
  /// @param caller on whose behalf the handle is used
  /// @throws IllegalArgumentException if there is no keyspace of that name
  public Keyspace keyspace(int shard, String name, Caller caller) {
    KeyspaceConfig keyspace = view.keyspace(name);
    if (keyspace == null) {
      throw new IllegalArgumentException("there is no keyspace " + name);
    }
    return new LocalKeyspace(shards, shard, keyspace, caller);
  }

  /// One counter of the coordinators, over all shards; any thread.
  public long statistic(Statistics.Counter counter) {
    return shards.stream().mapToLong(s -> s.coordinator().statistics().value(counter)).sum();
  }

  /// Bytes of large values that every shard of this node would begin to write now; 0 for none. Any
  /// thread, approximate.
  public long largeRoom() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < shards.size(); i++) {
      least = Math.min(least, shards.get(i).coordinator().largeRoom());
    }
    return least;
  }

  /// The number of updates that this node leads and that have not ended; any thread, approximate.
  public int updating() {
    return shards.stream().mapToInt(shard -> shard.coordinator().updating()).sum();
  }

  /// This node is about to stop: it leads no update that begins from now on. Any thread; [#leave]
  /// follows when [#updating] is 0, or after a while.
  public void settle() {
    for (Shard shard : shards) {
      shard.loop().execute(shard.coordinator().departure()::settle);
    }
  }

  /// Tells the others that this node is about to stop, and has them lead what it led. What is under
  /// way goes on until [#close]. Any thread.
  public void leave() {
    shards.getFirst().loop().execute(liveness()::leave);
    for (Shard shard : shards) {
      shard.loop().execute(shard.coordinator().departure()::leave);
    }
  }

  /// Requests that wait in any queue of a shard; any thread, approximate.
  public int waiting(int shard) {
    return shards.get(shard).coordinator().waiting();
  }

  /// Whether this node knows of no record that a replica of its partitions lacks. For tests, on the
  /// loop of a node that has one loop.
  public boolean converged() {
    return unconverged() == null;
  }

  /// Names a partition whose replicas differ; null for none. For tests, as [#converged].
  public @Nullable String unconverged() {
    for (Shard shard : shards) {
      if (shard.store().hints().count() > 0) {
        return "%d writes are held for nodes %s"
            .formatted(shard.store().hints().count(), shard.store().hints().targets());
      }
      String partition = shard.antiEntropy().unconverged();
      if (partition != null) {
        return partition;
      }
    }
    return null;
  }

  /// Whether this node may hold tombstones that are not stripped. For tests, as [#converged].
  public boolean mayHaveGraves() {
    return shards.stream().anyMatch(shard -> shard.antiEntropy().mayHaveGraves());
  }

  /// What is stored of a partition in the groups of a keyspace, see [Inspection#contents]; as
  /// [#converged].
  ///
  /// @param deletes whether to tell of deletes
  /// @throws IOException if it cannot be read
  public String contents(int keyspace, int partition, boolean deletes) throws IOException {
    Shard shard = shards.get(partition % shards.size());
    Partition found = partition(shard, keyspace, partition);
    return found == null ? "" : new Inspection(shard.store()).contents(found, deletes);
  }

  /// What is stored of a key, see [Inspection#record]; as [#converged].
  ///
  /// @throws IOException if it cannot be read
  public DotSet record(int keyspace, byte[] key) throws IOException {
    int slot = Slots.of(key);
    int partition = Objects.requireNonNull(view.topology(keyspace)).partitionOf(slot);
    Shard shard = shards.get(partition % shards.size());
    return new Inspection(shard.store()).record(keyspace, slot, key);
  }

  /// The dots that this node has of a partition in the groups of a keyspace, on disk or not; as
  /// [#converged].
  public DotView dots(int keyspace, int partition) {
    Partition found = partition(shards.get(partition % shards.size()), keyspace, partition);
    return found == null ? new DotSet() : found.clock();
  }

  /// Bytes of a partition's records that are neither key nor value, see [Inspection#metadataBytes];
  /// as [#converged].
  ///
  /// @throws IOException if the records cannot be read
  public long metadataBytes(int keyspace, int partition) throws IOException {
    Shard shard = shards.get(partition % shards.size());
    Partition found = partition(shard, keyspace, partition);
    return found == null ? 0 : new Inspection(shard.store()).metadataBytes(found);
  }

  /// See [Inspection#wrongSegment]; as [#converged].
  ///
  /// @throws IOException if the records cannot be read
  public int wrongSegment(int keyspace, int partition) throws IOException {
    Shard shard = shards.get(partition % shards.size());
    Partition found = partition(shard, keyspace, partition);
    return found == null ? -1 : new Inspection(shard.store()).wrongSegment(found);
  }

  /// See [Inspection#wrongCount]; as [#converged].
  ///
  /// @throws IOException if the records cannot be read
  public @Nullable String wrongCount(int keyspace, int partition) throws IOException {
    Shard shard = shards.get(partition % shards.size());
    Partition found = partition(shard, keyspace, partition);
    return found == null ? null : new Inspection(shard.store()).wrongCount(found);
  }

  private @Nullable Partition partition(Shard shard, int keyspace, int number) {
    int group = Objects.requireNonNull(view.groups(keyspace)).number();
    return shard.store().partitionOfGroup(group, number);
  }

  /// Numbers of the replica groups that a shard keeps; as [#converged].
  public int[] groups(int shard) {
    return shards.get(shard).store().records().sets();
  }

  /// Figures of a shard's storage engine; any thread.
  public LsmStatistics storage(int shard) {
    return shards.get(shard).store().lsm().statistics();
  }

  /// What the opening of a shard's store dropped behind the ends of its logs; any thread.
  public List<LogLoss> logLosses(int shard) {
    return shards.get(shard).store().lsm().recovery();
  }

  /// What this node has to catch up with; any thread.
  public Repairs repairs() {
    return shards.stream()
        .map(shard -> shard.antiEntropy().repairs())
        .reduce(Repairs.NONE, Repairs::plus);
  }

  /// How many bytes a second of other replicas' records this node takes and gives at most, at
  /// present; any thread.
  public long fillRate() {
    return shards.stream().mapToLong(shard -> shard.antiEntropy().fillRate()).sum();
  }

  /// The replicas here of partitions that move, and how far they have come; any thread.
  public List<MoveState> moving() {
    return shards.stream().flatMap(shard -> shard.antiEntropy().moving().stream()).toList();
  }

  /// Partitions of which this node holds something though it is no replica of them: it goes when
  /// the replicas have it. Any thread.
  public LeftReport left() {
    long epoch = Long.MAX_VALUE;
    BitSet partitions = new BitSet();
    BitSet unreadable = new BitSet();
    for (Shard shard : shards) {
      LeftState state = shard.antiEntropy().left();
      epoch = Math.min(epoch, state.epoch());
      state.partitions().forEach(partitions::set);
      state.unreadable().forEach(unreadable::set);
    }
    return config.planted() == PlantedBug.LEFT_NOT_TOLD
        ? LeftReport.nothing(Long.MAX_VALUE)
        : new LeftReport(epoch, partitions, unreadable);
  }

  /// Whether this node holds nothing that other nodes wait for, as far as it can read it.
  private boolean isEmpty() {
    LeftReport left = left();
    return heldHints() == 0 && left.isHandedOn() && left.epoch() >= view.epoch();
  }

  /// Partitions whose replicas here do not know yet, since the start, what the others have, and
  /// neither answer reads of more than one replica nor lead updates; any thread.
  public int partitionsBehind() {
    return shards.stream().mapToInt(shard -> shard.antiEntropy().behind()).sum();
  }

  /// Partitions whose replica here may lack what another replica has; any thread.
  private int incomplete() {
    int incomplete = 0;
    for (Shard shard : shards) {
      Repairs repairs = shard.antiEntropy().repairs();
      incomplete += Math.max(repairs.lacking(), shard.antiEntropy().behind());
    }
    return incomplete;
  }

  /// How often a stored record was met that cannot be decoded; any thread.
  public long unreadableRecords() {
    return shards.stream().mapToLong(shard -> shard.store().decoder().unreadable()).sum();
  }

  /// The error of one of the last unreadable records, null if there was none; any thread.
  public @Nullable String lastUnreadable() {
    return shards.stream()
        .map(shard -> shard.store().decoder().last())
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  private void measured(long usableBytes) {
    reserve.measured(usableBytes, storedBytes());
  }

  /// Whether a member's disk has room for more replicas, as far as is known.
  private boolean hasRoom(int member) {
    Load load = load(member);
    long free = load.diskMebibytes() - load.diskUsedMebibytes();
    return load.diskMebibytes() == 0 || free >= load.diskMebibytes() / ROOM_PARTS;
  }

  /// What the disk said if it is full, so that writes or changes of the topology are refused; null
  /// if it is not. Any thread.
  public @Nullable String fullDisk() {
    String topology = log().status().failed();
    return shards.stream()
        .map(shard -> shard.replica().blockage().full())
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(DiskFull.says(topology) ? topology : null);
  }

  /// The number of hints that this node holds for other nodes; any thread.
  public long heldHints() {
    return shards.stream().mapToLong(shard -> shard.store().hints().count()).sum();
  }

  /// Records with a value that this node stores of a keyspace; any thread.
  public long records(int keyspace) {
    return count(keyspace).keys();
  }

  /// What this node stores of a keyspace, its replicas of all partitions together; any thread.
  public CountOutcome.Count count(int keyspace) {
    CountOutcome.Count total = CountOutcome.Count.NONE;
    for (int p = 0; p < view.partitions(); p++) {
      total = total.plus(shards.get(p % shards.size()).store().records().count(keyspace, p));
    }
    return total;
  }

  /// Counts each keyspace over all members, as far as they answer; any thread.
  ///
  /// @param done told once, within the longest deadline of a keyspace, by keyspace id, on a loop of
  ///   this node
  public void counts(Consumer<SortedMap<Integer, CountOutcome>> done) {
    shards
        .getFirst()
        .loop()
        .execute(
            () -> {
              SortedMap<Integer, CountOutcome> counts = new TreeMap<>();
              List<KeyspaceConfig> keyspaces = view.keyspaces();
              for (KeyspaceConfig each : keyspaces) {
                new LocalKeyspace(shards, 0, each, Caller.NODE)
                    .count(
                        Scope.CLUSTER,
                        outcome -> {
                          counts.put(each.id(), outcome);
                          if (counts.size() == keyspaces.size()) {
                            done.accept(counts);
                          }
                        });
              }
              if (keyspaces.isEmpty()) {
                done.accept(counts);
              }
            });
  }

  /// What is counted in the partitions whose first live replica is this node, from any shard's
  /// loop; null while replicas here are behind.
  static CountOutcome.@Nullable Count ledCount(List<Shard> shards, Shard seenFrom, int keyspace) {
    BitSet led = new BitSet();
    Topology topology = seenFrom.coordinator().view().topology(keyspace);
    for (int p = 0; topology != null && p < topology.partitions(); p++) {
      led.set(p, seenFrom.coordinator().leads(topology, topology.firstSlot(p)));
    }
    return count(shards, keyspace, led);
  }

  /// What is counted in some partitions, from any shard's loop; null while replicas here are
  /// behind.
  private static CountOutcome.@Nullable Count count(
      List<Shard> shards, int keyspace, BitSet partitions) {
    if (shards.stream().anyMatch(shard -> shard.antiEntropy().behind() > 0)) {
      return null;
    }
    CountOutcome.Count total = CountOutcome.Count.NONE;
    for (int p = partitions.nextSetBit(0); p >= 0; p = partitions.nextSetBit(p + 1)) {
      total = total.plus(shards.get(p % shards.size()).store().records().count(keyspace, p));
    }
    return total;
  }
}
