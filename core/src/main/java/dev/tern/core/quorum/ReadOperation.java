package dev.tern.core.quorum;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.replica.Ballots;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.wire.Message;
import org.jspecify.annotations.Nullable;

/// A read of `r` replicas: the record from one, digests from the others. Where they differ, the
/// newest wins, or in a keyspace with siblings all records are fetched and merged; and those behind
/// are brought up to that. So are replicas of the list that is not read, while there are two: the
/// next read may ask that one. Where `2r > n` the answer waits until so many replicas hold it that
/// no later read of `r` replicas, or of most, sees less (monotonic reads). A replica that cannot
/// take it (its disk is full, its connection broke) is passed over, and the next of the list is
/// offered the record in its place.
///
/// Where a sloppy read has too few replicas of the list, the next healthy nodes answer with what
/// they hold for those that are away. That they hold nothing counts only beside a replica of the
/// list.
///
/// Replicas are asked in the order: this one, then the live ones of the list; a read of a hot key
/// may be *spread*: then this one is one of them. One that is lost, or slower than the hedge delay,
/// is helped out by the next.
final class ReadOperation extends Operation<Message.ReadReply> {
  /// Takes the outcome.
  interface Done {
    /// @param uniform whether the `r` replicas agreed
    void read(@Nullable Siblings record, boolean uniform);

    void failed(Unanswered why);

    /// A replica has promised a higher ballot to another leader.
    default void outvoted(long by) {
      failed(outvotedRefusal());
    }

    /// A replica has told a higher floor than that of [#under], which this node knows by now.
    default void belowFloor() {
      throw new IllegalStateException("a read without a floor");
    }
  }

  /// Nothing was done.
  static Unanswered.Refused outvotedRefusal() {
    return new Unanswered.Refused(
        Reason.TRY_AGAIN, "another replica leads updates of the key; try again", 20);
  }

  /// A replica that had to be helped out is taken for so many times slower than it was until then.
  private static final int HEDGED_TIMES = 4;

  /// What it takes to bring a record to the other list, about.
  private static final long BRINGING_NANOS = 4_000_000;

  /// What a read is for.
  enum Purpose {
    /// To answer a client.
    ANSWER,
    /// As the base of an update: this replica's pending version counts, and repair is left to the
    /// write that follows.
    UPDATE,
    /// That this node's clock stands above the stamps of all that answer; no record is fetched.
    STAMP
  }

  private enum Phase {
    /// Replicas are asked until so many as the read needs have answered.
    ASKING,
    /// They have, and some of the records that the answer is made of are asked for.
    FETCHING,
    /// The record is brought to replicas that lack it.
    REPAIRING,
    /// It has its outcome.
    DONE
  }

  private final Coordinator coordinator;
  private final Request request;
  private final Done done;
  private final Purpose purpose;

  /// The answers that it needs.
  private final Quorum quorum;

  private final Answers answers;
  private Phase phase = Phase.ASKING;

  /// Invariant: there is one in the phase REPAIRING.
  private @Nullable ReadRepair repair;

  /// Of the round of updates that it begins; 0 for none.
  private long ballot;

  /// Of this node's replica when that round began.
  private Stamp floor = Stamp.NONE;

  /// See [#confirmed].
  private boolean confirmed;

  /// The highest ballot that a replica of a confirmed read has promised, where that is above what
  /// it holds; 0 for none.
  private long outvotedBy;

  private long hedgeAtNanos;

  /// Where in the list to begin if the read is spread; negative if it is not.
  private int turn = -1;

  private Refusals refusals = Refusals.NONE;

  ReadOperation(Coordinator coordinator, Request request, Purpose purpose, Done done) {
    super(Message.ReadReply.class, request.deadlineNanos());
    this.coordinator = coordinator;
    this.request = request;
    this.purpose = purpose;
    this.done = done;
    this.quorum = request.reads();
    this.answers = new Answers(request.replicas());
  }

  /// Says under which ballot it begins a round of updates, and on which floor. All replicas that
  /// answer know that floor.
  ReadOperation under(long round, Stamp below) {
    ballot = round;
    floor = below;
    return this;
  }

  /// Shows no update that a later leader's may replace. Replicas that have promised more than the
  /// ballot of the update that they hold do not count, and those that lack it are brought it under
  /// its own ballot, so that whoever has promised more refuses it.
  ReadOperation confirmed() {
    confirmed = true;
    return this;
  }

  /// Asks the live replicas in turn from a place of the list on, this one among them.
  void startSpread(int place) {
    turn = place;
    start();
  }

  void start() {
    if (!coordinator.inFlight().add(this)) {
      done.failed(coordinator.full());
      return;
    }
    hedgeAtNanos = coordinator.nowNanos() + coordinator.hedgeNanos();
    int self = readable(request.place(coordinator.self()));
    if (self >= 0 && !alone() && !coordinator.vouches(request)) {
      answers.at(self).state = Ask.State.LOST;
      refusals = refusals.with(Behind.refusal());
    }
    for (int asked = 0; asked < request.r() && phase != Phase.DONE; asked++) {
      if (!askNext(asked > 0 || purpose == Purpose.STAMP)) {
        unavailable();
        return;
      }
    }
  }

  /// Whether it still takes answers.
  private boolean asks() {
    return phase == Phase.ASKING || phase == Phase.FETCHING;
  }

  /// Whether the word of one replica is enough.
  private boolean alone() {
    return request.r() == 1 && purpose == Purpose.ANSWER;
  }

  /// A place, if reads ask the replica there; else -1.
  private int readable(int place) {
    return place >= 0 && (request.replicas().readPlaces() & Quorum.bit(place)) != 0 ? place : -1;
  }

  /// Asks the best replica not yet asked; false if there is none.
  private boolean askNext(boolean digest) {
    int self = readable(request.place(coordinator.self()));
    if (self >= 0 && answers.ask(self) == null && turn < 0) {
      askSelf(self);
      return true;
    }
    int place;
    while ((place = quickest()) >= 0) {
      if (place == self) {
        askSelf(self);
        return true;
      }
      if (ask(place, digest)) {
        return true;
      }
    }
    return askStandIn();
  }

  /// Asks the next healthy node what it holds for a replica that is away; false if there is none,
  /// or others answer for as many replicas as may be.
  private boolean askStandIn() {
    int left = request.r() - request.pr() - Long.bitCount(answers.standIns());
    if (!request.sloppy() || purpose == Purpose.UPDATE) {
      return false;
    }
    for (int place = 0; place < answers.size() && left > 0; place++) {
      boolean away = answers.ask(place) == null || answers.is(place, Ask.State.LOST);
      if (away && readable(place) >= 0 && !answers.isStoodIn(place)) {
        int holder = coordinator.lists().holder(request, answers.standInNodes());
        if (holder == 0) {
          return false;
        }
        left--;
        if (askHolder(place, holder)) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean askHolder(int place, int holder) {
    int target = request.replicas().member(place);
    Ask ask = answers.at(place);
    ask.standIn = holder;
    ask.state = Ask.State.ASKED;
    ask.askedNanos = coordinator.nowNanos();
    if (holder == coordinator.self()) {
      coordinator
          .replica()
          .reads()
          .readHeld(
              request.keyspace(),
              request.slot(),
              request.key(),
              target,
              (record, failure) -> {
                if (failure != null) {
                  lostAt(place);
                } else {
                  answer(place, record);
                }
              });
      return true;
    }
    Message.ReadHeld held = new Message.ReadHeld(id, request.epoch(), request.at(), target);
    boolean sent = coordinator.transport().send(holder, request.slot(), held);
    ask.state = sent ? Ask.State.ASKED : Ask.State.LOST;
    return sent;
  }

  /// The place that a node answers for, -1 if none.
  private int placeOf(int node) {
    int place = request.place(node);
    return place >= 0 || !request.sloppy() ? place : answers.placeOfStandIn(node);
  }

  /// Of the live replicas not yet asked the one that is likely to answer first, each in turn where
  /// they are alike; -1 if there is none.
  private int quickest() {
    int n = request.replicas().size();
    int start = turn < 0 ? (int) (id % n) : turn % n;
    int quickest = -1;
    long least = Long.MAX_VALUE;
    for (int i = 0; i < n; i++) {
      int place = (start + i) % n;
      int node = request.replicas().member(place);
      boolean may = readable(place) >= 0 && answers.ask(place) == null;
      if (may && coordinator.lists().live(node)) {
        // What both lists have need not be brought to one of them.
        boolean both = (request.replicas().commonPlaces() & Quorum.bit(place)) != 0;
        long likely = coordinator.peers().likelyNanos(node) + (both ? 0 : BRINGING_NANOS);
        if (likely < least) {
          least = likely;
          quickest = place;
        }
      }
    }
    return quickest;
  }

  private boolean ask(int place, boolean digest) {
    Message.Read read =
        new Message.Read(
            id, request.epoch(), request.at(), digest, alone(), confirmed, ballot, floor);
    Ask ask = answers.at(place);
    ask.askedNanos = coordinator.nowNanos();
    boolean sent =
        coordinator.transport().send(request.replicas().member(place), request.slot(), read);
    ask.state = sent ? Ask.State.ASKED : Ask.State.LOST;
    return sent;
  }

  private void askSelf(int place) {
    answers.at(place).state = Ask.State.ASKED;
    dev.tern.core.replica.Found found =
        (record, failure) -> {
          if (failure != null) {
            refusals =
                refusals.withUnreadable(
                    "node " + coordinator.self() + " cannot read it: " + failure.getMessage());
            lostAt(place);
          } else {
            answerSelf(place, record);
          }
        };
    if (purpose == Purpose.UPDATE) {
      coordinator
          .replica()
          .reads()
          .readBase(request.keyspace(), request.slot(), request.key(), found);
    } else {
      coordinator.replica().reads().read(request.keyspace(), request.slot(), request.key(), found);
    }
  }

  private void answerSelf(int place, @Nullable Siblings record) {
    int keyspace = request.keyspace().id();
    Ballots ballots = coordinator.replica().ballots();
    long by = confirmed ? ballots.above(keyspace, request.slot(), request.key(), record) : 0;
    if (by > 0) {
      outvotedAt(place, by);
    } else {
      answer(place, record);
    }
  }

  /// Another replica is asked in its place. Where that one was offered the record the read ends: as
  /// a rule others refuse it too.
  private void outvotedAt(int place, long by) {
    if (repair != null) {
      repair.outvoted(by);
    } else {
      outvotedBy = Math.max(outvotedBy, by);
      lostAt(place);
    }
  }

  private void answer(int place, @Nullable Siblings record) {
    if (!asks() || answers.is(place, Ask.State.ANSWERED)) {
      // A request that came twice was answered twice, and perhaps not alike: the first one counts.
      return;
    }
    answers.at(place).record = record;
    answer(place, Message.Digest.of(record, request.keyspace().resolution()));
  }

  private void answer(int place, Rank rank) {
    if (!asks() || answers.is(place, Ask.State.ANSWERED)) {
      return;
    }
    if (ballot > 0 && rank.isAbsent() && rank.stamp().compareTo(floor) > 0) {
      coordinator
          .replica()
          .store()
          .learnFloor(request.keyspace().id(), request.slot(), rank.stamp());
      finish();
      done.belowFloor();
      return;
    }
    Ask ask = answers.at(place);
    ask.state = Ask.State.ANSWERED;
    ask.rank = rank;
    if (isAnswered()) {
      resolve();
    }
  }

  private Quorum.Outcome outcome() {
    assert Long.bitCount(answers.standIns()) <= request.r() - request.pr()
        : "others answer for more replicas than may be";
    return quorum.outcome(
        answers.places(Ask.State.ANSWERED), answers.places(Ask.State.ASKED), answers.standIns());
  }

  private boolean isAnswered() {
    return outcome() == Quorum.Outcome.MET;
  }

  /// Enough have answered: answers, or fetches the records that it lacks, or repairs.
  private void resolve() {
    assert asks() : "a read that has ended looks at its answers";
    int newest = answers.newest();
    Rank rank = java.util.Objects.requireNonNull(answers.at(newest).rank);
    if (rank.isAbsent() && !isKnownHere()) {
      unavailable();
      return;
    }
    if (purpose == Purpose.STAMP) {
      coordinator.replica().store().follow(rank.stamp().time());
      finish();
      done.read(null, false);
      return;
    }
    boolean uniform = answers.areAll(newest);
    if (coordinator.planted() == PlantedBug.DIGEST_MISMATCH_IGNORED
        && answers.ask(0) != null
        && answers.at(0).record != null) {
      newest = 0;
      uniform = true;
    }
    boolean merges = !uniform && request.keyspace().resolution() == Resolution.SIBLINGS;
    if (!fetches(newest, merges) || !isAnswered()) {
      return;
    }
    Siblings record = merges ? answers.merged() : answers.at(newest).record;
    // Siblings that fit no frame together stay apart until somebody who was shown them merges them.
    boolean fits =
        !merges || coordinator.transport().takes(java.util.Objects.requireNonNull(record));
    boolean lasts = uniform && (record == null || isHeld());
    if (purpose != Purpose.ANSWER
        || lasts
        || !fits
        || coordinator.planted() == PlantedBug.NO_READ_REPAIR) {
      finish();
      done.read(record, uniform);
      return;
    }
    repair(java.util.Objects.requireNonNull(record));
  }

  /// Fetches the records of which only digests are known: of all that answered to merge them, else
  /// of the newest. False if that had the read go on meanwhile: another replica answered at once in
  /// the place of one that is lost.
  private boolean fetches(int newest, boolean merges) {
    for (int place = 0; place < answers.size(); place++) {
      Ask ask = answers.ask(place);
      boolean answered = answers.is(place, Ask.State.ANSWERED);
      boolean wanted = merges ? answered : place == newest;
      if (ask != null && wanted && ask.record == null && !ask.isStoodIn()) {
        boolean absent = ask.rank == null || ask.rank.isAbsent();
        if (merges || !absent) {
          fetch(place);
        }
        if (!asks()) {
          return false;
        }
      }
    }
    return true;
  }

  /// Whether a replica of the list is among those that answered.
  private boolean isKnownHere() {
    return !request.sloppy() || (answers.places(Ask.State.ANSWERED) & ~answers.standIns()) != 0;
  }

  /// Only its digest is known, and it differs.
  private void fetch(int place) {
    phase = Phase.FETCHING;
    if (!ask(place, false)) {
      answers.at(place).state = Ask.State.ASKED;
      lostAt(place);
    }
  }

  private void repair(Siblings record) {
    coordinator.count(Statistics.Counter.READ_REPAIRS);
    assert purpose == Purpose.ANSWER : "a read for a write leaves repair to that";
    phase = Phase.REPAIRING;
    Rank rank = Message.Digest.of(record, request.keyspace().resolution());
    long answered = answers.places(Ask.State.ANSWERED);
    long lacking = answers.lacking(rank);
    long lost = answers.places(Ask.State.LOST);
    long all = request.replicas().places();
    ReadRepair begun =
        new ReadRepair(
                coordinator,
                request,
                this,
                record,
                confirmed,
                holders(),
                coordinator.nowNanos() + coordinator.hedgeNanos(),
                new Repaired(record))
            .after(refusals, outvotedBy);
    repair = 2 * request.r() <= request.replicas().readSize() ? begun.hurrying() : begun;
    begun.begin(answered & ~lacking & ~answers.standIns(), lacking, all & ~answered & ~lost);
  }

  /// Whether replicas that agree are enough of both lists while there are two.
  private boolean isHeld() {
    return request.replicas().isStable()
        || coordinator.planted() == PlantedBug.UNIFORM_READ_OF_ONE_LIST
        || holders().outcome(answers.places(Ask.State.ANSWERED), 0, 0) == Quorum.Outcome.MET;
  }

  /// So many that every later read of `r` replicas, or of most, meets one; none where two reads
  /// need not meet: few are asked, or others answer for replicas.
  private Quorum holders() {
    boolean meet = 2 * request.r() > request.replicas().readSize() && answers.standIns() == 0;
    return meet
        ? Quorum.meetingReads(request.replicas(), request.r())
        : Quorum.of(request.replicas(), 0);
  }

  /// What becomes of the record that is brought to replicas that lack it.
  private final class Repaired implements ReadRepair.Done {
    private final Siblings record;

    Repaired(Siblings record) {
      this.record = record;
    }

    @Override
    public void held() {
      finish();
      done.read(record, false);
    }

    @Override
    public void outvoted(long by) {
      finish();
      done.outvoted(by);
    }

    @Override
    public void failed(Unanswered.Refused why) {
      finish();
      done.failed(why);
    }
  }

  @Override
  void reply(int node, Message.ReadReply reply) {
    int place = placeOf(node);
    Ask ask = place < 0 ? null : answers.ask(place);
    boolean tells = reply instanceof Message.Value || reply instanceof Message.Digest;
    if (tells && ask != null) {
      coordinator.peers().took(node, coordinator.nowNanos() - ask.askedNanos);
    }
    if (place < 0 || phase == Phase.DONE || tells && ask == null) {
      return;
    }
    if (tells && ask != null && ask.isStoodIn() && node == request.replicas().member(place)) {
      backAt(ask);
    }
    switch (reply) {
      case Message.Value value -> answer(place, value.record());
      case Message.Digest digest -> answer(place, digest.rank());
      case Message.Written written -> held(place);
      case Message.Superseded superseded -> held(place);
      case Message.Refused refused -> {
        coordinator.peers().refused(node, refused.why());
        refusedAt(place, refused.why());
      }
      case Message.Outvoted outvoted -> {
        if (confirmed || repair != null) {
          outvotedAt(place, outvoted.by());
        } else {
          finish();
          done.outvoted(outvoted.by());
        }
      }
    }
  }

  /// A replica is there after all: what another node held for it counts no more.
  private void backAt(Ask ask) {
    if (asks()) {
      ask.standIn = 0;
      ask.state = Ask.State.ASKED;
      ask.record = null;
    }
  }

  private void held(int place) {
    if (repair != null) {
      repair.holds(place);
    }
  }

  private void refusedAt(int place, Unanswered.Refused why) {
    if (why.reason() == Reason.MOVING) {
      if (repair != null) {
        repair.abandon();
      }
      finish();
      done.failed(why);
    } else if (repair != null) {
      repair.refused(place, why);
    } else {
      refusals = refusals.with(why);
      lostAt(place);
    }
  }

  @Override
  void lost(int node) {
    int place = placeOf(node);
    if (place >= 0) {
      lostAt(place);
    }
  }

  private void lostAt(int place) {
    if (repair != null) {
      repair.lost(place);
    } else if (phase != Phase.DONE && answers.is(place, Ask.State.ASKED)) {
      answers.at(place).state = Ask.State.LOST;
      if (!askNext(false) && asks() && outcome() == Quorum.Outcome.LOST) {
        unavailable();
      }
    }
  }

  @Override
  void tick(long nowNanos) {
    assert phase != Phase.DONE : "a read that has ended is in flight";
    assert (repair != null) == (phase == Phase.REPAIRING) : phase;
    if (repair != null) {
      repair.tick(nowNanos);
    } else if (nowNanos >= deadlineNanos) {
      unavailable();
    } else if (nowNanos >= hedgeAtNanos) {
      hedgeAtNanos = Long.MAX_VALUE;
      hedge(nowNanos);
    }
  }

  /// Asks one replica more than the read needs.
  private void hedge(long nowNanos) {
    for (int place = 0; place < answers.size(); place++) {
      Ask ask = answers.ask(place);
      int node = request.replicas().member(place);
      boolean asked = ask != null && ask.state == Ask.State.ASKED && !ask.isStoodIn();
      if (asked && node != coordinator.self()) {
        // Its answer may come when nobody waits for it any more.
        long waited = nowNanos - java.util.Objects.requireNonNull(ask).askedNanos;
        coordinator.peers().took(node, HEDGED_TIMES * waited);
      }
    }
    if (askNext(false)) {
      coordinator.count(Statistics.Counter.HEDGED_READS);
    }
  }

  private void unavailable() {
    if (phase == Phase.DONE) {
      return;
    }
    finish();
    if (outvotedBy > 0) {
      done.outvoted(outvotedBy);
    } else {
      done.failed(answers.tooFew(request, refusals));
    }
  }

  private void finish() {
    if (phase == Phase.DONE) {
      throw new IllegalStateException("a read has two outcomes");
    }
    phase = Phase.DONE;
    coordinator.inFlight().remove(this);
  }
}
