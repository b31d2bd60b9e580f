package dev.tern.core.quorum;

import dev.tern.core.Limits;
import dev.tern.core.PlantedBug;
import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.replica.Draft;
import dev.tern.core.replica.Replica;
import dev.tern.core.replica.RoutedKey;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.ClusterTime;
import dev.tern.core.version.Siblings;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.EventLoop;
import dev.tern.env.Network;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Takes the requests for keys of one shard's partitions, from doors here and from other nodes, and
/// sees each to its outcome.
public final class Coordinator {
  /// How often [#beat] wants to be called, nanoseconds.
  public static final long BEAT_NANOS = Peers.BEAT_NANOS;

  /// Keys that one step of a scan returns at most, but for large slots.
  public static final int MAX_SCAN_LIMIT = 10_000;

  private final int shard;
  private final int self;
  private ClusterView view;

  /// By member number: whether it is in this node's datacenter.
  private boolean[] near = {};

  private final Network network;
  private final ClusterTime clock;
  private final Replica replica;
  private final Peers peers;
  private final InFlight inFlight;
  private final Updates updates;
  private final Departure departure = new Departure();
  private final HintReplay hintReplay;
  private final Expiry expiry;
  private final UnsentAnswers unsentAnswers;
  private final AwayWrites awayWrites = new AwayWrites();
  private final Statistics statistics = new Statistics();
  private final ByteWriter frame = new ByteWriter(1024);
  private final PlantedBug planted;
  private final ToLongFunction<Integer> ledRecords;
  private final Reads reads;
  private final Admission admission;
  private final LargeWrites largeWrites;

  /// Joins the parts of a shard.
  ///
  /// @param firstId where request ids begin: random for each start
  /// @param sightings of the members, shared by this node's shards
  /// @param ledRecords how many records of a keyspace this node leads, over all its shards; -1
  ///   while replicas here are behind
  public Coordinator(
      int shard,
      int self,
      ClusterView view,
      Network network,
      EventLoop loop,
      ClusterTime clock,
      Replica replica,
      long firstId,
      PlantedBug planted,
      Sightings sightings,
      ToLongFunction<Integer> ledRecords,
      Limits limits) {
    this.shard = shard;
    this.self = self;
    this.view = view;
    this.network = network;
    this.clock = clock;
    this.replica = replica;
    this.planted = planted;
    this.ledRecords = ledRecords;
    this.admission = new Admission(limits.costBytes(), clock.monotonicNanos());
    this.inFlight = new InFlight(loop, clock, firstId, limits.inFlight());
    this.peers =
        new Peers(
            shard, self, view.members(), network, clock, sightings, () -> inFlight.size() > 0);
    this.largeWrites =
        new LargeWrites(
            clock,
            limits.costBytes(),
            request -> peers.fullness(request, replica.pressure()),
            () -> replica.pressure() / (double) Replica.MOST_PRESSURE,
            () -> count(Statistics.Counter.LARGE_REFUSED));
    this.unsentAnswers = new UnsentAnswers((to, at, answer) -> send(to, at, answer, shard));
    this.reads = new Reads(this, admission, limits.hotReads());
    this.updates = new Updates(this);
    this.expiry = new Expiry(this);
    this.hintReplay = new HintReplay(this);
    this.near = near(view);
  }

  private boolean[] near(ClusterView of) {
    boolean[] near = new boolean[of.state().nextMember()];
    MemberEntry own = of.state().member(self);
    for (Member member : of.members()) {
      near[member.number()] = own != null && member.datacenter().equals(own.member().datacenter());
    }
    return near;
  }

  /// Reads a key of this shard.
  public void read(
      KeyspaceConfig keyspace,
      byte[] key,
      Level level,
      Completion<? super ReadOutcome> completion) {
    reads.read(keyspace, key, level, completion);
  }

  /// Reads all that a key of this shard holds.
  public void fetch(
      KeyspaceConfig keyspace,
      byte[] key,
      Level level,
      Completion<? super FetchOutcome> completion) {
    reads.fetch(keyspace, key, level, completion);
  }

  /// What clients are told of a record.
  Versions told(KeyspaceConfig keyspace, byte[] key, @Nullable Siblings record) {
    return ToldVersions.of(record, expiryMillis(), scope(keyspace, key));
  }

  /// Whether a context of this key has seen all siblings.
  public boolean seen(KeyspaceConfig keyspace, byte[] key, byte[] context, Versions versions) {
    return ToldVersions.seen(context, versions, scope(keyspace, key));
  }

  private ContextScope scope(KeyspaceConfig keyspace, byte[] key) {
    return new ContextScope(view.state().cluster(), keyspace.id(), key);
  }

  /// A replica here has a write of a key, or one that was coordinated here came to its end.
  void written(int keyspace, byte[] key) {
    reads.written(keyspace, key);
  }

  Unanswered.Refused tooCostly() {
    count(Statistics.Counter.COST_REFUSED);
    count(Statistics.Counter.REFUSED_OVERLOADED);
    return admission.refusal("the requests under way are too large together", nowNanos());
  }

  /// Updates a key of this shard.
  ///
  /// @param forwarded whether another node chose this one: then it is carried out here or refused,
  ///   never sent on
  public void update(
      KeyspaceConfig keyspace,
      byte[] key,
      Update update,
      Level level,
      boolean forwarded,
      Completion<? super UpdateOutcome> completion) {
    update(keyspace, Slots.of(key), key, update, level, forwarded, completion);
  }

  /// As the other, of a key whose slot is known.
  void update(
      KeyspaceConfig keyspace,
      int slot,
      byte[] key,
      Update update,
      Level level,
      boolean forwarded,
      Completion<? super UpdateOutcome> completion) {
    boolean blind = update.blind();
    count(blind ? Statistics.Counter.WRITES : Statistics.Counter.UPDATES);
    Request request = request(keyspace, slot, key, blind ? level : level.ofAll());
    if (request == null) {
      completion.complete(refuse(keyspace, level));
      return;
    }
    boolean apart = level.atomic() && keyspace.resolution() == Resolution.SIBLINGS;
    Unanswered.Refused unfit = apart ? notAtomic(keyspace) : unfit(keyspace, key, update);
    if (unfit != null) {
      count(Statistics.Counter.REFUSED_OTHER);
      completion.complete(unfit);
      return;
    }
    boolean held = !blind && departure.holdsBack();
    if (held && (forwarded || firstLive(request.replicas().members()) == self)) {
      inFlight.later(
          Departure.HELD_NANOS,
          () -> update(keyspace, slot, key, update, level, forwarded, completion));
      return;
    }
    long cost = admission.updateCost(key, update);
    if (!admission.admits(cost)) {
      completion.complete(tooCostly());
      return;
    }
    Completion<UpdateOutcome> counted =
        outcome -> {
          admission.finished(cost);
          written(keyspace.id(), key);
          if (outcome instanceof Unanswered why) {
            statistics.failed(why);
          }
          completion.complete(outcome);
        };
    long bytes = Admission.bytes(update);
    if (bytes < LargeWrites.LARGE_BYTES) {
      lead(request, update, forwarded, counted);
    } else {
      largeWrites.submit(request, bytes, ended -> lead(request, update, forwarded, ended), counted);
    }
  }

  /// Carries out an update here or sends it to a replica that does.
  private void lead(
      Request request, Update update, boolean forwarded, Completion<UpdateOutcome> counted) {
    boolean blind = update.blind();
    boolean here = request.place(self) >= 0;
    boolean first = firstLive(request.replicas().members()) == self;
    boolean local = here && (forwarded || first || blind);
    if (local && !vouches(request)) {
      // Who knows what the others have leads; blind puts of the only one that lives are its own.
      local = !forwarded && blind && isAlone(request);
      if (local) {
        replica.store().distrustId();
      } else if (forwarded) {
        counted.complete(Behind.refusal());
        return;
      }
    }
    if (forwarded && !blind && departure.leaves()) {
      counted.complete(Departure.refusal());
    } else if (!local && forwarded) {
      counted.complete(
          new Unanswered.Refused(Reason.TRY_AGAIN, "this node is no replica of the key", 0));
    } else if (!local
        && blind
        && request.sloppy()
        && firstLive(request.replicas().members()) == 0) {
      write(request, update, /* away= */ true, counted);
    } else if (!local) {
      new ForwardOperation(this, request, update, counted).start();
    } else {
      carryOut(request, update, counted);
    }
  }

  /// Carries out an update as a replica.
  void carryOut(Request request, Update update, Completion<? super UpdateOutcome> completion) {
    long spared = peers.spared(request);
    if (spared > 0) {
      count(Statistics.Counter.REPLICAS_OVERLOADED);
      completion.complete(peers.sparing(request.replicas().members(), spared));
    } else if (update.blind()) {
      write(request, update, /* away= */ false, completion);
    } else {
      updates.submit(request, update, completion);
    }
  }

  /// Whether this replica's word counts beside those of others, see [Behind].
  boolean vouches(Request request) {
    return replica.store().vouches(request.keyspace().id(), request.slot());
  }

  private boolean isAlone(Request request) {
    for (int node : request.replicas().members()) {
      if (node != self && live(node)) {
        return false;
      }
    }
    return true;
  }

  /// Why a keyspace does not take an update, null if it does.
  private Unanswered.@Nullable Refused unfit(KeyspaceConfig keyspace, byte[] key, Update update) {
    if (update instanceof Update.Store store) {
      if (planted == PlantedBug.CONTEXT_NOT_SEALED) {
        return null;
      }
      try {
        scope(keyspace, key).unseal(store.context());
        return null;
      } catch (DecodeException e) {
        return new Unanswered.Refused(
            Reason.INVALID, "the context is not one of this key: " + e.getMessage(), 0);
      }
    }
    return keyspace.resolution() == Resolution.LWW
        ? null
        : new Unanswered.Refused(
            Reason.INVALID,
            "keyspace %s keeps siblings: it takes writes with a context only"
                .formatted(keyspace.name()),
            0);
  }

  static Unanswered.Refused notAtomic(KeyspaceConfig keyspace) {
    return new Unanswered.Refused(
        Reason.INVALID,
        "keyspace %s keeps siblings: LINEARIZABLE is for keyspaces where the last write wins"
            .formatted(keyspace.name()),
        0);
  }

  private void write(
      Request request, Update update, boolean away, Completion<? super UpdateOutcome> completion) {
    Draft draft = BlindDraft.of(request.keyspace(), update, wallMillis());
    WriteOperation.Done done =
        new WriteOperation.Done() {
          @Override
          public void written(Siblings record) {
            boolean wanted = update instanceof Update.Store store && store.returnVersions();
            completion.complete(
                update instanceof Update.Store
                    ? new UpdateOutcome.Stored(
                        true, wanted ? told(request.keyspace(), request.key(), record) : null)
                    : UpdateOutcome.Done.WRITTEN);
          }

          @Override
          public void nothing() {
            throw new IllegalStateException("a blind write always writes");
          }

          @Override
          public void failed(Unanswered why) {
            completion.complete((UpdateOutcome) why);
          }
        };
    WriteOperation write = new WriteOperation(this, request, true, base -> draft, done);
    if (request.stampsFirst()) {
      write.startAboveOthers();
    } else if (away) {
      write.startAway();
    } else {
      write.start();
    }
  }

  /// The next healthy node, after the key's replicas in the order of the ring, that may hold a
  /// write for one of them; 0 if there is none.
  ///
  /// @param taken who holds it for others
  int holder(Request request, int[] taken) {
    Topology topology = view.topology(request.keyspace().id());
    if (topology == null) {
      return 0;
    }
    int partitions = topology.partitions();
    int home = topology.partitionOf(request.slot());
    for (int i = 1; i < partitions; i++) {
      for (int node : topology.replicas((home + i) % partitions)) {
        if (request.place(node) < 0 && place(taken, node) < 0 && live(node)) {
          return node;
        }
      }
    }
    return 0;
  }

  /// How many nodes may hold a write, at most as many as are wanted.
  int holders(Request request, int wanted) {
    int[] taken = new int[wanted];
    int found = 0;
    while (found < wanted && (taken[found] = holder(request, taken)) != 0) {
      found++;
    }
    return found;
  }

  /// One step of a scan from a cursor in a slot of this shard.
  public void scan(
      KeyspaceConfig keyspace,
      long cursor,
      int limit,
      boolean ledOnly,
      Completion<? super ScanOutcome> completion) {
    long deadline = nowNanos() + keyspace.timeoutMillis() * 1_000_000L;
    Topology topology = view.topology(keyspace.id());
    if (topology == null) {
      completion.complete(dropped(keyspace));
      return;
    }
    long cost = Admission.scanCost(Math.min(limit, MAX_SCAN_LIMIT));
    if (!admission.admits(cost)) {
      completion.complete(tooCostly());
      return;
    }
    Completion<ScanOutcome> finished =
        outcome -> {
          admission.finished(cost);
          completion.complete(outcome);
        };
    new ScanOperation(this, keyspace, topology, cursor, limit, ledOnly, deadline, finished).start();
  }

  /// Counts over all members.
  public void count(KeyspaceConfig keyspace, Completion<? super CountOutcome> completion) {
    long deadline = nowNanos() + keyspace.timeoutMillis() * 1_000_000L;
    new CountOperation(this, keyspace.id(), deadline, completion).start();
  }

  /// An answer to an operation of this shard.
  public void reply(int node, Message.Reply reply) {
    awayWrites.answered(node, reply.id());
    if (reply instanceof Message.Written written) {
      peers.presses(node, written.pressure());
    }
    Operation<?> operation = inFlight.find(reply.id());
    if (operation != null) {
      operation.receive(node, reply);
    }
  }

  /// A version that was minted here for a key of others is on its way.
  void sentAway(long request, int slot, int node) {
    awayWrites.sent(request, view.partitionOf(slot), node, nowNanos());
  }

  /// Whether such a version of a partition may be on its way.
  public boolean sendsAway(int partition) {
    return awayWrites.any(partition, nowNanos());
  }

  /// Something came from a node.
  public void heard(int node) {
    count(Statistics.Counter.MESSAGES_RECEIVED);
    peers.heard(node);
  }

  /// A connection opened or broke.
  public void connection(int node, boolean open) {
    if (open) {
      peers.heard(node);
      unsentAnswers.send(node);
    } else {
      inFlight.lost(node);
    }
  }

  /// Looks who is silent and adjusts how far stamps may run ahead; every [#BEAT_NANOS].
  public void beat() {
    peers.beat();
    peers.forEachSilent(inFlight::silent);
    unsentAnswers.beat(nowNanos());
    hintReplay.beat();
    expiry.beat();
    admission.beat(nowNanos());
    largeWrites.beginWaiting();
    updates.beat(nowNanos());
    reads.beat(nowNanos());
    replica.beat();
  }

  /// Operations and updates that wait, for figures; any thread may read it stale.
  public int waiting() {
    return inFlight.size() + updates.waiting() + replica.waiting();
  }

  /// Updates that this shard leads and that have not ended; any thread may read it stale.
  public int updating() {
    return updates.waiting();
  }

  /// Bytes of large values that this shard would begin to write at once, 0 for none; any thread.
  public long largeRoom() {
    return largeWrites.room();
  }

  /// How far this shard is on its way out.
  public Departure departure() {
    return departure;
  }

  /// What this shard has done.
  public Statistics statistics() {
    return statistics;
  }

  /// Whether a member is believed alive by this shard.
  public boolean live(int member) {
    return peers.live(member);
  }

  /// What a request of a level comes to; null if there are not so many replicas, or no keyspace.
  @Nullable Request request(KeyspaceConfig keyspace, byte[] key, Level wanted) {
    return request(keyspace, Slots.of(key), key, wanted);
  }

  /// As the other, of a key whose slot is known.
  @Nullable Request request(KeyspaceConfig keyspace, int slot, byte[] key, Level wanted) {
    Level level = wanted.atomic() ? wanted.strict() : wanted;
    Topology topology = view.topology(keyspace.id());
    if (topology == null) {
      return null;
    }
    int partition = topology.partitionOf(slot);
    ReplicaSet replicas = topology.replicaSet(partition);
    if (level.n() > 0) {
      replicas = replicas.first(level.n());
    }
    int n = replicas.size();
    int reading = level.readsLocally() ? near(replicas.members()) : n;
    int writing = level.writesLocally() ? near(replicas.members()) : n;
    int r = level.reads(keyspace.r(), reading);
    int w = level.writes(keyspace.w(), writing);
    if (level.atomic()) {
      r = Math.max(Math.max(r, n / 2 + 1), n - Math.min(keyspace.w(), n) + 1);
    }
    boolean stampsFirst = level.w() == Level.ATOMIC;
    if (stampsFirst) {
      w = Math.max(w, n - Math.min(keyspace.r(), n) + 1);
    }
    if (r > reading || w > writing) {
      return null;
    }
    int timeout = level.timeoutMillis() == 0 ? keyspace.timeoutMillis() : level.timeoutMillis();
    int set = java.util.Objects.requireNonNull(view.groups(keyspace.id())).number();
    return new Request(
        keyspace,
        new RoutedKey(set, slot, keyspace.id(), key),
        replicas,
        topology.epoch(partition),
        r,
        w,
        level.pw(),
        level.writesLocally() ? w : 0,
        level.sloppy(),
        level.pr(),
        stampsFirst,
        nowNanos() + timeout * 1_000_000L);
  }

  /// How many replicas are in this node's datacenter.
  private int near(int[] replicas) {
    int count = 0;
    for (int node : replicas) {
      count += near(node) ? 1 : 0;
    }
    return count;
  }

  boolean near(int node) {
    return node < near.length && near[node];
  }

  private Unanswered.Refused dropped(KeyspaceConfig keyspace) {
    count(Statistics.Counter.REFUSED_OTHER);
    return new Unanswered.Refused(
        Reason.INVALID, "there is no keyspace " + keyspace.name() + " any more", 0);
  }

  /// Why there is no [#request] of a level.
  Unanswered.Refused refuse(KeyspaceConfig keyspace, Level level) {
    Topology topology = view.topology(keyspace.id());
    if (topology == null) {
      return dropped(keyspace);
    }
    count(Statistics.Counter.REFUSED_OTHER);
    if (level.readsLocally() || level.writesLocally()) {
      return new Unanswered.Refused(
          Reason.UNAVAILABLE,
          "the datacenter of this node has too few replicas of the key for a local level",
          0);
    }
    return new Unanswered.Refused(Reason.INVALID, tooMany(topology.replicas(0).length, level), 0);
  }

  private static String tooMany(int held, Level level) {
    int asked = level.n() == 0 ? held : Math.min(level.n(), held);
    int read = Math.max(level.r(), level.pr());
    int most = Math.max(read, Math.max(level.w(), Math.max(level.pw(), level.dw())));
    String which =
        most == level.r() ? "R" : most == level.w() ? "W" : most == read ? "PR" : "PW or DW";
    return "%s=%d is more than the replicas of a key that are asked: %d"
        .formatted(which, most, asked);
  }

  Unanswered.Refused full() {
    count(Statistics.Counter.IN_FLIGHT_FULL);
    return admission.refusal("too many requests in flight", nowNanos());
  }

  /// Sends to the shard of `node` that owns `slot`.
  boolean send(int node, int slot, Message message) {
    return send(node, view.partitionOf(slot), message, shard);
  }

  private boolean send(int node, int toShard, Message message, int fromShard) {
    frame.clear();
    MessageCodec.encode(message, frame);
    boolean fits = frame.length() <= Network.MAX_PAYLOAD_BYTES;
    if (!fits) {
      count(Statistics.Counter.MESSAGES_TOO_LARGE);
    }
    boolean sent = fits && network.send(fromShard, node, toShard, frame);
    if (sent && message instanceof Message.Request) {
      peers.asks(node);
    }
    count(sent ? Statistics.Counter.MESSAGES_SENT : Statistics.Counter.MESSAGES_UNSENT);
    return sent;
  }

  /// Sends to a shard elsewhere, named by itself or by a partition that it has. An answer that
  /// cannot be sent is kept for a while; one that never fits a frame is refused instead.
  public void answer(int node, int toShard, Message message) {
    if (send(node, toShard, message, shard)) {
      return;
    }
    int length = frame.length();
    if (length > Network.MAX_PAYLOAD_BYTES) {
      Message instead =
          StandIn.of(
              message,
              "the answer has %d bytes, more than the %d that nodes send each other: ask for less"
                  .formatted(length, Network.MAX_PAYLOAD_BYTES));
      if (instead != null) {
        answer(node, toShard, instead);
      }
    } else if (message instanceof Message.Reply reply) {
      unsentAnswers.add(node, toShard, reply, length, nowNanos());
    }
  }

  void count(Statistics.Counter counter) {
    statistics.add(counter);
  }

  int place(int[] replicas, int node) {
    for (int i = 0; i < replicas.length; i++) {
      if (replicas[i] == node) {
        return i;
      }
    }
    return -1;
  }

  /// Whether this node is the first live replica of a slot.
  public boolean leads(Topology topology, int slot) {
    return firstLive(topology.replicas(topology.partitionOf(slot))) == self;
  }

  int firstLive(int[] replicas) {
    return peers.firstLive(replicas, /* butThis= */ departure.leaves());
  }

  long hedgeNanos() {
    return reads.hedgeNanos();
  }

  /// Of members that answer reads, whom to ask first, see [Peers].
  Peers peers() {
    return peers;
  }

  long ledRecords(int keyspace) {
    return ledRecords.applyAsLong(keyspace);
  }

  int self() {
    return self;
  }

  /// Another topology holds from now on; operations under way go on with the lists they have.
  public void adopt(ClusterView later) {
    view = later;
    near = near(later);
    peers.members(later.members());
  }

  /// What this shard goes by.
  public ClusterView view() {
    return view;
  }

  Replica replica() {
    return replica;
  }

  InFlight inFlight() {
    return inFlight;
  }

  PlantedBug planted() {
    return planted;
  }

  long nowNanos() {
    return clock.monotonicNanos();
  }

  /// The time from which times to live count, see [ClusterTime].
  long wallMillis() {
    return clock.wallMillis();
  }

  /// The time that says what has expired, see [ClusterTime#expiryMillis].
  long expiryMillis() {
    return clock.expiryMillis();
  }
}
