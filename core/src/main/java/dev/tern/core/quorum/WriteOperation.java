package dev.tern.core.quorum;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Draft;
import dev.tern.core.replica.Mutation;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.env.CoverageMarks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A write minted by this replica: sent to all others, done when `w` replicas hold it durably.
///
/// A replica that holds a version of higher rank answers *superseded*. If `w` replicas took a blind
/// put, whatever superseded it elsewhere was concurrent (two sets of `w` replicas meet where `2w >
/// n`). If fewer did, some earlier acknowledged write may be what superseded it: the put is minted
/// anew above all that answered, once and at once. What supersedes the second mint is concurrent,
/// if enough answered the first to meet every write acknowledged before it, and counts. After a
/// silence a put is never minted anew: it is *unknown*, as others may have read it, replaced it and
/// been acknowledged meanwhile, and it would come back above them.
///
/// The result of a read-modify-write is not minted again: its read met all writes acknowledged
/// before, so what supersedes it is concurrent and comes after it. But for what another leader made
/// of the same version: which of the two was lost is for the order to say, and the client is told
/// *unknown*.
///
/// A sloppy write has other nodes hold it for replicas that are away; what they say counts towards
/// `w`, not towards `pw`. If no replica at all is there this node mints the version though it is
/// none itself (*away*).
final class WriteOperation extends Operation<Message.WriteReply> implements Mutation {
  /// So soon after its mint a superseded put may be minted anew, nanoseconds: answers take no
  /// longer where no replica is silent.
  private static final long MINTED_ANEW_NANOS = 1_000_000_000;

  /// Takes the outcome.
  interface Done {
    /// @param record the key's, as this replica has it, filled
    void written(Siblings record);

    /// Nothing was written, as the draft said.
    void nothing();

    void failed(Unanswered why);
  }

  /// What a replica, or who holds the write for it, says of the write.
  private enum Vote {
    STORED,
    SUPERSEDED,
    /// It refuses, or cannot be heard.
    NO
  }

  private static final int[] NOBODY = {};

  private final Coordinator coordinator;

  /// By what held of the partition when the write was sent last.
  private Request request;

  private final boolean blind;
  private final Function<@Nullable Siblings, @Nullable Draft> draft;
  private final Done done;

  /// What must have stored the write before it is acknowledged.
  private Quorum quorum;

  /// The places of those that the write was sent to and that have not answered, a bit for each.
  ///
  /// Invariant: a place is in at most one of `sent`, `again`, `stored` and `superseded`.
  private long sent;

  /// The places of those that have stored it, or something that contains it.
  private long stored;

  /// The places of those that have something above it, of a blind put.
  private long superseded;

  /// The places of those that refused the write by the epoch it carried: they did nothing and are
  /// sent it again.
  private long again;

  private long againNanos;

  /// The places of which [#holders] names somebody.
  private long standIns;

  /// By place: who holds the write for the replica there, 0 for nobody; empty while nobody does.
  private int[] holders = NOBODY;

  private boolean away;

  /// Of an update the ballot under which it was computed; 0 for a blind put.
  private long ballot;

  /// Whether a replica has promised a higher one to another leader.
  private boolean outvoted;

  private @Nullable Siblings record;
  private int mints;
  private long mintedNanos;

  /// Whether a replica was lost that had been sent the write.
  private boolean silence;

  /// Whether the version lies above every write that was acknowledged before: then what supersedes
  /// it is concurrent and comes after it.
  private boolean settled;

  private boolean finished;

  /// What the last replica said that refused the write; empty for none.
  private String refusal = "";

  WriteOperation(
      Coordinator coordinator,
      Request request,
      boolean blind,
      Function<@Nullable Siblings, @Nullable Draft> draft,
      Done done) {
    super(Message.WriteReply.class, request.deadlineNanos());
    this.coordinator = coordinator;
    this.request = request;
    this.blind = blind;
    this.draft = draft;
    this.done = done;
    this.quorum = needed();
  }

  private Quorum needed() {
    if (coordinator.planted() == PlantedBug.ACKS_OF_ONE_LIST) {
      long places = request.replicas().oldPlaces();
      return Quorum.joint(places, places, request.w(), request.pw(), 0, 0);
    }
    return request.nearW() == 0 ? request.writes() : request.writes(coordinator.lists()::near);
  }

  /// Says under which ballot an update was computed.
  WriteOperation under(long round) {
    ballot = round;
    return this;
  }

  /// As [#start], once `r` replicas have said what stands there: the version is minted above that,
  /// once.
  void startAboveOthers() {
    settled = true;
    if (coordinator.planted() == PlantedBug.LINEARIZABLE_PUT_ASKS_NO_STAMPS) {
      start();
      return;
    }
    ReadOperation.Done known =
        new ReadOperation.Done() {
          @Override
          public void read(@Nullable Siblings unused, boolean uniform) {
            start();
          }

          @Override
          public void failed(Unanswered why) {
            finished = true;
            done.failed(why);
          }
        };
    new ReadOperation(coordinator, request, ReadOperation.Purpose.STAMP, known).start();
  }

  /// As [#start], at a node that is no replica.
  void startAway() {
    away = true;
    start();
  }

  void start() {
    long live = coordinator.lists().livePlaces(request.replicas());
    if (quorum.outcome(0, live | holdable(live), ~live) == Quorum.Outcome.LOST) {
      finished = true;
      done.failed(unavailable(live));
      return;
    }
    if (!coordinator.inFlight().add(this)) {
      finished = true;
      done.failed(coordinator.full());
      return;
    }
    mint();
  }

  /// The places of replicas that are away and for which another node may hold the write.
  private long holdable(long live) {
    int places = request.replicas().size();
    int left =
        request.sloppy() ? coordinator.lists().holders(request, places - Long.bitCount(live)) : 0;
    long holdable = 0;
    for (int place = 0; left > 0; place++) {
      if ((live & Quorum.bit(place)) == 0) {
        boolean pending = request.replicas().isPending(request.replicas().member(place));
        holdable |= pending ? 0 : Quorum.bit(place);
        left--;
      }
    }
    return holdable;
  }

  private Unanswered.Refused unavailable(long live) {
    List<Integer> missing = new ArrayList<>();
    int places = request.replicas().size();
    for (int place = 0; place < places; place++) {
      if ((live & Quorum.bit(place)) == 0) {
        missing.add(request.replicas().member(place));
      }
    }
    int alive = Long.bitCount(live);
    return new Unanswered.Refused(
        Reason.UNAVAILABLE,
        "%d of %d replicas are alive, the write needs %d; nodes %s are not"
            .formatted(alive, places, request.w(), missing),
        0,
        new Unanswered.Shortfall(request.w(), alive, missing));
  }

  private void mint() {
    sent = 0;
    again = 0;
    stored = 0;
    superseded = 0;
    standIns = 0;
    mints++;
    assert mints <= 2 : "a write is minted anew more than once";
    assert record == null : "a write is minted beside itself";
    mintedNanos = coordinator.nowNanos();
    holders = NOBODY;
    Mutation mutation = mints == 1 ? this : new Again(this, mints);
    if (away) {
      coordinator
          .replica()
          .minting()
          .mintAway(request.keyspace(), request.slot(), request.key(), mutation);
    } else {
      coordinator
          .replica()
          .minting()
          .mutate(request.keyspace(), request.slot(), request.key(), mutation);
    }
  }

  /// A later mint of the same write: what an earlier one still has to say no longer counts.
  private record Again(WriteOperation operation, int mint) implements Mutation {
    @Override
    public long epoch() {
      return operation.epoch();
    }

    @Override
    public @Nullable Draft over(@Nullable Siblings base) {
      return operation.over(base);
    }

    @Override
    public void minted(Siblings record, long dot) {
      operation.minted(record, dot);
    }

    @Override
    public void durable() {
      operation.durable(mint);
    }

    @Override
    public void refused(Unanswered.Refused why) {
      operation.refused(why);
    }
  }

  @Override
  public long epoch() {
    return request.epoch();
  }

  @Override
  public @Nullable Draft over(@Nullable Siblings base) {
    if (finished) {
      return null;
    }
    Draft wanted = draft.apply(base);
    if (wanted == null) {
      finish();
      done.nothing();
    }
    return wanted;
  }

  @Override
  public void minted(Siblings minted, long dot) {
    assert !finished && record == null : "a write that nobody waits for is minted";
    record = minted;
    if (ballot > 0) {
      coordinator.replica().writes().led(request.keyspace().id(), request.slot(), ballot);
    }
    int places = request.replicas().size();
    for (int place = 0; place < places; place++) {
      if (request.replicas().member(place) == coordinator.self()) {
        sent |= Quorum.bit(place);
      } else {
        send(place, minted);
      }
    }
    if (coordinator.planted() == PlantedBug.EARLY_ACK && !finished) {
      finish();
      done.written(java.util.Objects.requireNonNull(record));
    }
  }

  /// Sends the version to another replica, or has it held for that one if it is away.
  private void send(int place, Siblings minted) {
    int node = request.replicas().member(place);
    if (request.sloppy() && !coordinator.lists().live(node)) {
      hold(place);
      return;
    }
    Message.Write write = new Message.Write(id, request.epoch(), request.at(), minted, ballot);
    if (coordinator.transport().send(node, request.slot(), write)) {
      noteAway(node);
      sent |= Quorum.bit(place);
    }
  }

  /// Lets the next healthy node hold the write for a replica; the place stays silent if there is
  /// none. Nothing is held for a replica that waits to be filled: it gets all by that.
  private void hold(int place) {
    if (request.replicas().isPending(request.replicas().member(place))) {
      return;
    }
    int holder = coordinator.lists().holder(request, holders);
    if (holder == 0) {
      return;
    }
    if (holders.length == 0) {
      holders = new int[request.replicas().size()];
    }
    holders[place] = holder;
    coordinator.count(Statistics.Counter.HINTS_ASKED);
    standIns |= Quorum.bit(place);
    int target = request.replicas().member(place);
    Siblings held = java.util.Objects.requireNonNull(record);
    if (holder == coordinator.self()) {
      sent |= Quorum.bit(place);
      coordinator
          .replica()
          .writes()
          .hold(request.keyspace(), request.slot(), request.key(), held, target, new Own(target));
      return;
    }
    Message.Hold message = new Message.Hold(id, request.epoch(), request.at(), held, target);
    if (coordinator.transport().send(holder, request.slot(), message)) {
      noteAway(holder);
      sent |= Quorum.bit(place);
    }
  }

  private void noteAway(int node) {
    if (away) {
      coordinator.sentAway(id, request.slot(), node);
    }
  }

  /// What becomes of a hint that this node holds itself.
  private final class Own implements Applied {
    private final int target;
    private final int mint = mints;

    /// @param target for which member it holds it
    Own(int target) {
      this.target = target;
    }

    private void end(Vote vote) {
      if (mint == mints) {
        vote(request.place(target), vote);
      }
    }

    @Override
    public void durable() {
      end(Vote.STORED);
    }

    @Override
    public void superseded(Version by) {
      end(Vote.STORED);
    }

    @Override
    public void refused(Unanswered.Refused why) {
      coordinator.count(Statistics.Counter.HINTS_REFUSED);
      end(Vote.NO);
    }
  }

  /// The place that a node answers for, -1 if none.
  private int placeOf(int node) {
    int place = request.place(node);
    for (int i = 0; place < 0 && i < holders.length; i++) {
      place = holders[i] == node ? i : -1;
    }
    return place;
  }

  @Override
  public void durable() {
    durable(1);
  }

  private void durable(int mint) {
    // Perhaps after the write came to its end without this replica: only now it can be read here.
    coordinator.written(request.keyspace().id(), request.key());
    if (mint == mints) {
      vote(request.place(coordinator.self()), Vote.STORED);
    }
  }

  @Override
  public void refused(Unanswered.Refused why) {
    if (record != null) {
      throw new IllegalStateException("a write was refused that other replicas may have");
    }
    if (finished) {
      return;
    }
    finish();
    done.failed(mints == 1 ? why : unknown("a version was written, its successor was refused"));
  }

  @Override
  void reply(int node, Message.WriteReply reply) {
    int place = placeOf(node);
    if (place < 0 || finished || record == null) {
      return;
    }
    switch (reply) {
      case Message.Written written -> vote(place, Vote.STORED);
      case Message.Superseded superseded -> superseded(place, superseded.by());
      case Message.Refused refused -> {
        if (refused.why().reason() == Reason.MOVING) {
          sendAgain(place);
          return;
        }
        coordinator.peers().refused(node, refused.why());
        refusal = "; node %d: %s".formatted(node, refused.why().message());
        vote(place, Vote.NO);
      }
      case Message.Outvoted by -> {
        outvoted = true;
        coordinator.count(Statistics.Counter.CONFLICTING_UPDATES);
        coordinator.replica().ballots().outvoted(request.keyspace().id(), request.slot(), by.by());
        vote(place, Vote.NO);
      }
    }
  }

  private void superseded(int place, Rank by) {
    coordinator.replica().store().follow(by.stamp().time());
    Rank mine = java.util.Objects.requireNonNull(record).newest().rank();
    boolean byMyself = by.replica() == mine.replica() && by.counter() > mine.counter();
    if (blind) {
      // What stands above may be an update of this very put, which its replica has held, then.
      boolean built =
          mine.stamp().sharesPut(by.stamp())
              && coordinator.planted() != PlantedBug.OWN_UPDATES_TAKEN_FOR_RIVALS;
      boolean counts = settled || built || coordinator.planted() == PlantedBug.SUPERSEDED_IS_ACK;
      vote(place, counts || byMyself ? Vote.STORED : Vote.SUPERSEDED);
      return;
    }
    if (byMyself) {
      vote(place, Vote.STORED);
      return;
    }
    coordinator.count(Statistics.Counter.SUPERSEDED_UPDATES);
    if (mine.forks(by)) {
      coordinator.count(Statistics.Counter.CONFLICTING_UPDATES);
      finish();
      done.failed(unknown("another replica led an update of the same version at the same time"));
    } else if (mine.stamp().sharesPut(by.stamp()) && !by.stamp().expired()) {
      // Another leader's: nothing tells whether it was computed from this one.
      vote(place, Vote.NO);
    } else {
      vote(place, Vote.STORED);
    }
  }

  private void vote(int place, Vote vote) {
    long bit = Quorum.bit(place);
    if (place < 0 || finished || (sent & bit) == 0) {
      return;
    }
    assert (stored & bit) == 0 && (superseded & bit) == 0 : "a replica votes twice";
    sent &= ~bit;
    switch (vote) {
      case STORED -> stored |= bit;
      case SUPERSEDED -> superseded |= bit;
      case NO -> {
        if (request.sloppy() && (standIns & bit) == 0 && !outvoted) {
          hold(place);
          if (finished) {
            // This node holds it for that replica, or cannot, and that decided.
            return;
          }
        }
      }
    }
    conclude();
  }

  /// A replica goes by other lists than the write, and did nothing.
  private void sendAgain(int place) {
    long bit = Quorum.bit(place);
    if ((sent & bit) != 0) {
      sent &= ~bit;
      again |= bit;
      againNanos = coordinator.nowNanos() + Coordinator.AGAIN_NANOS;
    }
  }

  /// Sends the version to whom the lists name that hold now, and to those that refused it by its
  /// epoch. Who has stored it counts on, whatever list named it then. An update whose leader is no
  /// longer one ends: another may lead above what its replicas know.
  private void follow(long nowNanos) {
    Siblings minted = record;
    Request later = coordinator.requests().now(request);
    if (minted == null || later == null) {
      return;
    }
    if (later != request) {
      int[] leaders = later.replicas().leaders().members();
      if (!blind && !Arrays.equals(leaders, request.replicas().leaders().members())) {
        finish();
        done.failed(unknown("the replicas of the key changed meanwhile"));
        return;
      }
      goBy(later);
    } else if (again == 0 || nowNanos < againNanos) {
      return;
    }
    long unsent = again;
    again = 0;
    for (int place = 0; place < request.replicas().size() && !finished; place++) {
      if ((unsent & Quorum.bit(place)) != 0) {
        send(place, minted);
      }
    }
    if (!finished) {
      conclude();
    }
  }

  /// Counts by the places of other lists; those that only they name are to be sent the version.
  private void goBy(Request later) {
    assert CoverageMarks.reach(CoreMark.WRITE_FOLLOWED_MOVE);
    long[] before = {sent, stored, superseded, standIns};
    long[] after = new long[before.length];
    int[] held = new int[later.replicas().size()];
    again = 0;
    for (int place = 0; place < held.length; place++) {
      int member = later.replicas().member(place);
      int was = request.place(member);
      boolean taken = false;
      for (int i = 0; i < before.length && was >= 0; i++) {
        boolean in = (before[i] & Quorum.bit(was)) != 0;
        after[i] |= in ? Quorum.bit(place) : 0;
        taken |= in;
      }
      held[place] = was >= 0 && was < holders.length ? holders[was] : 0;
      again |= taken || member == coordinator.self() ? 0 : Quorum.bit(place);
    }
    sent = after[0];
    stored = after[1];
    superseded = after[2];
    standIns = after[3];
    holders = standIns == 0 ? NOBODY : held;
    request = later;
    quorum = needed();
  }

  private void conclude() {
    switch (quorum.outcome(stored, sent | again, standIns)) {
      case MET -> {
        finish();
        done.written(java.util.Objects.requireNonNull(record));
      }
      case OPEN -> {}
      case LOST -> {
        if (superseded != 0) {
          overtaken();
        } else {
          finish();
          done.failed(
              unknown(held() + " of " + request.w() + " replicas hold the write" + refusal));
        }
      }
    }
  }

  private int held() {
    return Long.bitCount(stored);
  }

  private void overtaken() {
    boolean late = silence || coordinator.nowNanos() - mintedNanos > MINTED_ANEW_NANOS;
    if (mints > 1 || late && coordinator.planted() != PlantedBug.PUT_MINTED_ANEW_AFTER_SILENCE) {
      finish();
      done.failed(unknown("a write of this key won that may be older or concurrent"));
      return;
    }
    assert blind : "an update is minted anew, whose read did not see what is there";
    coordinator.count(Statistics.Counter.RESTAMPED_WRITES);
    long list = request.replicas().oldPlaces();
    int answered = Long.bitCount((stored | superseded) & ~standIns & list);
    settled = answered > Long.bitCount(list) - request.w();
    // A new id, so that answers to the mint before are not taken for answers to this one.
    coordinator.inFlight().remove(this);
    record = null;
    if (coordinator.inFlight().add(this)) {
      mint();
    } else {
      finish();
      done.failed(unknown("a concurrent write won, and this node is overloaded"));
    }
  }

  @Override
  void lost(int node) {
    int place = placeOf(node);
    if (place >= 0 && record != null) {
      silence |= (sent & Quorum.bit(place)) != 0;
      vote(place, Vote.NO);
    }
  }

  @Override
  void tick(long nowNanos) {
    if (nowNanos >= deadlineNanos && !finished) {
      finish();
      done.failed(
          unknown(
              "%d of %d replicas held the write in time%s"
                  .formatted(held(), request.w(), refusal)));
    } else if (!finished) {
      follow(nowNanos);
    }
  }

  private static Unanswered.Unknown unknown(String why) {
    return new Unanswered.Unknown(why);
  }

  private void finish() {
    if (finished) {
      throw new IllegalStateException("a write has two outcomes");
    }
    assert (sent & stored) == 0 && (sent & superseded) == 0 && (stored & superseded) == 0
        : "a place has voted twice";
    finished = true;
    coordinator.inFlight().remove(this);
  }
}
