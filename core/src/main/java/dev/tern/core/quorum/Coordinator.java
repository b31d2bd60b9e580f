package dev.tern.core.quorum;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.liveness.Sightings;
import dev.tern.core.replica.Draft;
import dev.tern.core.replica.Replica;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.traffic.Admission;
import dev.tern.core.traffic.LargeWrites;
import dev.tern.core.traffic.Peers;
import dev.tern.core.version.Siblings;
import dev.tern.core.wire.Message;
import dev.tern.env.CoverageMarks;
import java.util.BitSet;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// Takes the requests for keys of one shard's partitions, from doors here and from other nodes, and
/// sees each to its outcome.
public final class Coordinator {
  /// How often [#beat] wants to be called, nanoseconds.
  public static final long BEAT_NANOS = Peers.BEAT_NANOS;

  /// Keys that one step of a scan returns at most, but for large slots.
  public static final int MAX_SCAN_LIMIT = 10_000;

  /// A request that was refused by the lists it went by is tried again by later ones after this.
  static final long AGAIN_NANOS = 10_000_000;

  private final ShardContext context;
  private final int self;
  private final Replica replica;
  private final Peers peers;
  private final PreferenceLists lists;
  private final Requests requests;
  private final Transport transport;
  private final InFlight inFlight;
  private final Updates updates;
  private final Departure departure = new Departure();
  private final HintReplay hintReplay;
  private final Expiry expiry;
  private final AwayWrites awayWrites = new AwayWrites();
  private final Counts counts;
  private final Reads reads;
  private final Admission admission;
  private final LargeWrites<Request> largeWrites;

  /// Counts what this node stores, over all its shards.
  public interface Counts {
    /// @param partitions by number; others than this node holds count nothing
    /// @return null while replicas here are behind
    CountOutcome.@Nullable Count of(int keyspace, BitSet partitions);
  }

  /// Joins the parts of a shard.
  ///
  /// @param firstId where request ids begin: random for each start
  /// @param sightings of the members, shared by this node's shards
  /// @param counts of this node
  public Coordinator(
      ShardContext context,
      ClusterView view,
      Replica replica,
      long firstId,
      Sightings sightings,
      Counts counts) {
    this.context = context;
    this.self = context.self();
    this.replica = replica;
    this.counts = counts;
    long costBytes = context.limits().costBytes();
    this.admission = new Admission(costBytes, context.nowNanos());
    this.inFlight =
        new InFlight(
            context.loop(),
            context.clock(),
            context.foreground(),
            firstId,
            context.limits().inFlight());
    this.peers = new Peers(context, view.members(), sightings, () -> inFlight.size() > 0);
    this.lists = new PreferenceLists(context, view, peers, departure);
    this.requests = new Requests(context, lists);
    this.transport = new Transport(context, lists, peers);
    this.largeWrites =
        new LargeWrites<>(
            context.clock(),
            costBytes,
            request ->
                peers.fullness(request.replicas().members(), request.w(), replica.pressure()),
            () -> replica.pressure() / (double) Replica.MOST_PRESSURE,
            () -> count(Statistics.Counter.LARGE_REFUSED));
    this.reads = new Reads(this, admission, context.limits().hotReads());
    this.updates = new Updates(this);
    this.expiry = new Expiry(this);
    this.hintReplay = new HintReplay(this);
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
    return ToldVersions.of(record, expiryMillis(), requests.scope(keyspace, key));
  }

  /// Whether a context of this key has seen all siblings.
  public boolean seen(KeyspaceConfig keyspace, byte[] key, byte[] seen, Versions versions) {
    return ToldVersions.seen(seen, versions, requests.scope(keyspace, key));
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
    Request request = requests.of(keyspace, slot, key, blind ? level : level.ofAll());
    if (request == null) {
      completion.complete(requests.refuse(keyspace, level));
      return;
    }
    Unanswered.Refused unfit = requests.unfit(keyspace, key, update, level);
    if (unfit != null) {
      count(Statistics.Counter.REFUSED_OTHER);
      completion.complete(unfit);
      return;
    }
    boolean held = !blind && departure.holdsBack();
    if (held && (forwarded || lists.leads(request.replicas()))) {
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
          IntConsumer again =
              left -> update(keyspace, slot, key, update, level.within(left), false, completion);
          if (!forwarded && triedAgain(outcome, request.deadlineNanos(), again)) {
            return;
          }
          written(keyspace.id(), key);
          if (outcome instanceof Unanswered why) {
            context.statistics().failed(why);
          }
          completion.complete(outcome);
        };
    long bytes = Admission.bytes(update);
    if (bytes < LargeWrites.LARGE_BYTES) {
      lead(request, update, forwarded, counted);
    } else {
      largeWrites.submit(
          request,
          request.deadlineNanos(),
          bytes,
          ended -> lead(request, update, forwarded, ended),
          counted);
    }
  }

  /// Carries out an update here or sends it to a replica that does.
  private void lead(
      Request request, Update update, boolean forwarded, Completion<UpdateOutcome> counted) {
    boolean blind = update.blind();
    boolean here = request.replicas().mints(self);
    boolean first = lists.leads(request.replicas());
    boolean local = here && (forwarded || first || blind);
    if (local && !vouches(request)) {
      // Who knows what the others have leads; blind puts of the only one that lives are its own.
      local = !forwarded && blind && lists.isAlone(request.replicas());
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
    } else if (!local && blind && request.sloppy() && lists.firstLive(request.replicas()) == 0) {
      write(request, update, /* away= */ true, counted);
    } else if (!local) {
      new ForwardOperation(this, request, update, counted).start();
    } else if (forwarded) {
      carryOut(request, update, counted);
    } else {
      carryOut(
          request,
          update,
          outcome -> {
            if (outcome instanceof Unanswered.Refused why && why.reason() == Reason.UNREADABLE) {
              new ForwardOperation(this, request, update, counted).startElsewhere();
            } else {
              counted.complete(outcome);
            }
          });
    }
  }

  /// Carries out an update as a replica.
  void carryOut(Request request, Update update, Completion<? super UpdateOutcome> completion) {
    long spared = request.sloppy() ? 0 : peers.spared(request.replicas().members(), request.w());
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

  /// Tries a request again by later lists, if the lists that it went by refused it, so that nothing
  /// was done, and if its deadline leaves time. Each try has what the one before left of that time.
  ///
  /// @param again takes the milliseconds that are left
  /// @return whether it is tried again; if not, the outcome is the request's
  boolean triedAgain(Object outcome, long deadlineNanos, IntConsumer again) {
    boolean moving =
        outcome instanceof Unanswered.Refused refused && refused.reason() == Reason.MOVING;
    long left = (deadlineNanos - nowNanos() - AGAIN_NANOS) / 1_000_000;
    if (!moving || left <= 0) {
      return false;
    }
    assert CoverageMarks.reach(CoreMark.TRIED_AGAIN_BY_LATER_LISTS);
    int millis = (int) Math.min(left, Integer.MAX_VALUE);
    inFlight.later(AGAIN_NANOS, () -> again.accept(millis));
    return true;
  }

  /// One step of a scan from a cursor in a slot of this shard.
  public void scan(
      KeyspaceConfig keyspace,
      long cursor,
      int limit,
      boolean ledOnly,
      Completion<? super ScanOutcome> completion) {
    scan(keyspace, cursor, limit, ledOnly, keyspace.timeoutMillis(), completion);
  }

  private void scan(
      KeyspaceConfig keyspace,
      long cursor,
      int limit,
      boolean ledOnly,
      int timeoutMillis,
      Completion<? super ScanOutcome> completion) {
    long deadline = nowNanos() + timeoutMillis * 1_000_000L;
    Topology topology = view().topology(keyspace.id());
    if (topology == null) {
      completion.complete(requests.dropped(keyspace));
      return;
    }
    long cost = Admission.scanCost(Math.min(limit, MAX_SCAN_LIMIT));
    if (!admission.admits(cost)) {
      completion.complete(tooCostly());
      return;
    }
    IntConsumer again = left -> scan(keyspace, cursor, limit, ledOnly, left, completion);
    Completion<ScanOutcome> finished =
        outcome -> {
          admission.finished(cost);
          if (!triedAgain(outcome, deadline, again)) {
            completion.complete(outcome);
          }
        };
    new ScanOperation(this, keyspace, topology, cursor, limit, ledOnly, deadline, finished).start();
  }

  /// Counts over all members.
  public void count(KeyspaceConfig keyspace, Completion<? super CountOutcome> completion) {
    count(keyspace, keyspace.timeoutMillis(), completion);
  }

  private void count(
      KeyspaceConfig keyspace, int timeoutMillis, Completion<? super CountOutcome> completion) {
    long deadline = nowNanos() + timeoutMillis * 1_000_000L;
    Completion<CountOutcome> finished =
        outcome -> {
          if (!triedAgain(outcome, deadline, left -> count(keyspace, left, completion))) {
            completion.complete(outcome);
          }
        };
    new CountOperation(this, keyspace.id(), deadline, finished).start();
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
    awayWrites.sent(request, view().partitionOf(slot), node, nowNanos());
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
      transport.opened(node);
    } else {
      inFlight.lost(node);
    }
  }

  /// Looks who is silent and adjusts how far stamps may run ahead; every [#BEAT_NANOS].
  public void beat() {
    peers.beat();
    peers.forEachSilent(inFlight::silent);
    transport.beat();
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
    return context.statistics();
  }

  /// Whether a member is believed alive by this shard.
  public boolean live(int member) {
    return lists.live(member);
  }

  Unanswered.Refused full() {
    count(Statistics.Counter.IN_FLIGHT_FULL);
    return admission.refusal("too many requests in flight", nowNanos());
  }

  /// Sends to a shard elsewhere, named by itself or by a partition that it has. An answer that
  /// cannot be sent is kept for a while; one that never fits a frame is refused instead.
  public void answer(int node, int toShard, Message message) {
    transport.answer(node, toShard, message);
  }

  void count(Statistics.Counter counter) {
    context.count(counter);
  }

  /// Whether this node is the first live replica of a slot.
  public boolean leads(Topology topology, int slot) {
    return lists.leads(topology.replicaSet(topology.partitionOf(slot)));
  }

  long hedgeNanos() {
    return reads.hedgeNanos();
  }

  /// Who keeps keys, and who stands in.
  PreferenceLists lists() {
    return lists;
  }

  /// What is asked of keys.
  Requests requests() {
    return requests;
  }

  /// The way to other nodes.
  Transport transport() {
    return transport;
  }

  /// Of members that answer reads, whom to ask first, see [Peers].
  Peers peers() {
    return peers;
  }

  CountOutcome.@Nullable Count counted(int keyspace, BitSet partitions) {
    return counts.of(keyspace, partitions);
  }

  int self() {
    return self;
  }

  /// Another topology holds from now on; operations under way go on with the lists they have.
  public void adopt(ClusterView later) {
    lists.adopt(later);
    reads.adopted();
  }

  /// What this shard goes by.
  public ClusterView view() {
    return lists.view();
  }

  Replica replica() {
    return replica;
  }

  InFlight inFlight() {
    return inFlight;
  }

  PlantedBug planted() {
    return context.planted();
  }

  long nowNanos() {
    return context.nowNanos();
  }

  /// The time from which times to live count, see [dev.tern.core.version.ClusterTime].
  long wallMillis() {
    return context.clock().wallMillis();
  }

  /// The time that says what has expired, see [dev.tern.core.version.ClusterTime#expiryMillis].
  long expiryMillis() {
    return context.clock().expiryMillis();
  }
}
