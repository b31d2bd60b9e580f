package dev.tern.core.quorum;

import dev.tern.core.PlantedBug;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Ballots;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.Version;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A read of `r` replicas: the record from one, digests from the others. Where they differ, the
/// newest wins, or in a keyspace with siblings all records are fetched and merged; and those behind
/// are brought up to that. Where `2r > n` the answer waits until so many replicas hold it that no
/// later read of `r` replicas, or of most, sees less (monotonic reads). A replica that cannot take
/// it (its disk is full, its connection broke) is passed over, and the next of the list is offered
/// the record in its place.
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

  private static final int[] NOBODY = {};

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

  private enum State {
    IDLE,
    ASKED,
    ANSWERED,
    /// The record that won was sent to it.
    REPAIRING,
    /// It holds the record that won, or something newer.
    HOLDING,
    LOST
  }

  private final Coordinator coordinator;
  private final Request request;
  private final Done done;

  private final Purpose purpose;

  /// What the last replica said that cannot read what it has; null for none.
  private @Nullable String unreadable;

  private final State[] states;
  private final long[] askedNanos;

  /// By place: who answers for the replica there, 0 for itself.
  private final int[] standIns;

  /// By place: what the replica there said that it has.
  private final Rank[] ranks;

  private final @Nullable Siblings[] records;

  /// The record that won while it is brought to replicas that are behind; null before.
  private @Nullable Siblings repaired;

  /// It was begun by [#writeBack].
  private boolean writesBack;

  /// What is told of repairs waits for the end of the step that counts them.
  private boolean settling;

  /// Repairs that are outstanding are not waited for any more.
  private boolean hurries;

  /// Of the round of updates that it begins; 0 for none.
  private long ballot;

  /// Of this node's replica when that round began.
  private Stamp floor = Stamp.NONE;

  /// See [#confirmed].
  private boolean confirmed;

  /// The highest ballot that a replica of a confirmed read has promised, where that is above what
  /// it holds; 0 for none.
  private long outvotedBy;

  private int answered;
  private boolean finished;
  private long hedgeAtNanos;

  /// Where in the list to begin if the read is spread; negative if it is not.
  private int turn = -1;

  /// What a replica said that is behind.
  private Unanswered.@Nullable Refused catchingUp;

  /// What a replica said that is overloaded or has no room.
  private Unanswered.@Nullable Refused overloaded;

  ReadOperation(Coordinator coordinator, Request request, Purpose purpose, Done done) {
    super(Message.ReadReply.class, request.deadlineNanos());
    this.coordinator = coordinator;
    this.request = request;
    this.purpose = purpose;
    this.done = done;
    int n = request.replicas().size();
    this.states = new State[n];
    java.util.Arrays.fill(states, State.IDLE);
    this.askedNanos = new long[n];
    this.standIns = request.sloppy() ? new int[n] : NOBODY;
    this.ranks = new Rank[n];
    this.records = new Siblings[n];
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
    int self = request.place(coordinator.self());
    if (self >= 0 && !alone() && !coordinator.vouches(request)) {
      states[self] = State.LOST;
      catchingUp = Behind.refusal();
    }
    for (int asked = 0; asked < request.r() && !finished; asked++) {
      if (!askNext(asked > 0 || purpose == Purpose.STAMP)) {
        unavailable();
        return;
      }
    }
  }

  /// Asks nobody: brings a record that this node has heard of to so many replicas that every later
  /// read of `r` replicas meets it, and then is done.
  void writeBack(Siblings record) {
    if (!coordinator.inFlight().add(this)) {
      done.failed(coordinator.full());
      return;
    }
    coordinator.count(Statistics.Counter.READ_REPAIRS);
    repaired = record;
    writesBack = true;
    hurries = true;
    settling = true;
    for (int i = 0; i < states.length; i++) {
      if (coordinator.live(request.replicas().member(i)) && !finished) {
        repairAt(i);
      }
    }
    settle();
  }

  /// Whether the word of one replica is enough.
  private boolean alone() {
    return request.r() == 1 && purpose == Purpose.ANSWER;
  }

  /// Asks the best replica not yet asked; false if there is none.
  private boolean askNext(boolean digest) {
    int self = request.place(coordinator.self());
    if (self >= 0 && states[self] == State.IDLE && turn < 0) {
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

  private boolean isStoodInFor(int place) {
    return standIns.length > 0 && standIns[place] != 0;
  }

  /// Asks the next healthy node what it holds for a replica that is away; false if there is none.
  private boolean askStandIn() {
    int left = request.r() - request.pr();
    for (int place = 0; place < standIns.length && purpose != Purpose.UPDATE; place++) {
      if (standIns[place] != 0) {
        left--;
      } else if (left > 0 && (states[place] == State.IDLE || states[place] == State.LOST)) {
        int holder = coordinator.holder(request, standIns);
        if (holder == 0) {
          return false;
        }
        left--;
        standIns[place] = holder;
        if (askHolder(place, holder)) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean askHolder(int place, int holder) {
    int target = request.replicas().member(place);
    states[place] = State.ASKED;
    askedNanos[place] = coordinator.nowNanos();
    if (holder == coordinator.self()) {
      coordinator
          .replica()
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
    boolean sent = coordinator.send(holder, request.slot(), held);
    states[place] = sent ? State.ASKED : State.LOST;
    return sent;
  }

  /// The place that a node answers for, -1 if none.
  private int placeOf(int node) {
    int place = request.place(node);
    for (int i = 0; place < 0 && i < standIns.length; i++) {
      place = standIns[i] == node ? i : -1;
    }
    return place;
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
      if (states[place] == State.IDLE && coordinator.live(node)) {
        long likely = coordinator.peers().likelyNanos(node);
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
    askedNanos[place] = coordinator.nowNanos();
    boolean sent = coordinator.send(request.replicas().member(place), request.slot(), read);
    states[place] = sent ? State.ASKED : State.LOST;
    return sent;
  }

  private void askSelf(int place) {
    states[place] = State.ASKED;
    dev.tern.core.replica.Found found =
        (record, failure) -> {
          if (failure != null) {
            unreadable = "node " + coordinator.self() + " cannot read it: " + failure.getMessage();
            lostAt(place);
          } else {
            answerSelf(place, record);
          }
        };
    if (purpose == Purpose.UPDATE) {
      coordinator.replica().readBase(request.keyspace(), request.slot(), request.key(), found);
    } else {
      coordinator.replica().read(request.keyspace(), request.slot(), request.key(), found);
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
    outvotedBy = Math.max(outvotedBy, by);
    if (repaired == null) {
      lostAt(place);
    } else if (!finished) {
      finish();
      done.outvoted(outvotedBy);
    }
  }

  private void answer(int place, @Nullable Siblings record) {
    if (finished || repaired != null || states[place] == State.ANSWERED) {
      // A request that came twice was answered twice, and perhaps not alike: the first one counts.
      return;
    }
    records[place] = record;
    answer(place, Message.Digest.of(record, request.keyspace().resolution()));
  }

  private void answer(int place, Rank rank) {
    if (finished || repaired != null || states[place] == State.ANSWERED) {
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
    states[place] = State.ANSWERED;
    answered++;
    ranks[place] = rank;
    if (answered >= request.r()) {
      resolve();
    }
  }

  private void resolve() {
    int newest = newest();
    if (ranks[newest].isAbsent() && !isKnownHere()) {
      unavailable();
      return;
    }
    if (purpose == Purpose.STAMP) {
      coordinator.replica().store().follow(ranks[newest].stamp().time());
      finish();
      done.read(null, false);
      return;
    }
    boolean uniform = true;
    for (int i = 0; i < states.length; i++) {
      uniform &= states[i] != State.ANSWERED || ranks[i].sameAs(ranks[newest]);
    }
    if (coordinator.planted() == PlantedBug.DIGEST_MISMATCH_IGNORED && records[0] != null) {
      newest = 0;
      uniform = true;
    }
    boolean merges = !uniform && request.keyspace().resolution() == Resolution.SIBLINGS;
    for (int i = 0; i < states.length; i++) {
      boolean wanted = merges ? states[i] == State.ANSWERED : i == newest && !ranks[i].isAbsent();
      if (wanted && records[i] == null && !isStoodInFor(i)) {
        fetch(i);
        if (finished || repaired != null) {
          // Another answered at once in the place of one that is lost.
          return;
        }
      }
    }
    if (answered < request.r()) {
      return;
    }
    Siblings record = merges ? merged() : records[newest];
    boolean repairs = purpose == Purpose.ANSWER && !uniform;
    if (!repairs || coordinator.planted() == PlantedBug.NO_READ_REPAIR) {
      finish();
      done.read(record, uniform);
      return;
    }
    repair(java.util.Objects.requireNonNull(record));
  }

  /// Whether a replica of the list is among those that answered.
  private boolean isKnownHere() {
    boolean known = standIns.length == 0;
    for (int i = 0; i < standIns.length; i++) {
      known |= states[i] == State.ANSWERED && standIns[i] == 0;
    }
    return known;
  }

  /// Of those that answered the one whose version wins; of several, one whose record is known.
  private int newest() {
    int newest = -1;
    for (int i = 0; i < states.length; i++) {
      if (states[i] == State.ANSWERED) {
        int order = newest < 0 ? 1 : ranks[i].compareTo(ranks[newest]);
        if (order > 0 || order == 0 && records[i] != null) {
          newest = i;
        }
      }
    }
    return newest;
  }

  /// Only its digest is known, and it differs.
  private void fetch(int place) {
    answered--;
    if (!ask(place, false)) {
      states[place] = State.ASKED;
      lostAt(place);
    }
  }

  private Siblings merged() {
    Siblings merged = null;
    for (int i = 0; i < states.length; i++) {
      Siblings record = states[i] == State.ANSWERED ? records[i] : null;
      if (record != null) {
        merged = merged == null ? record : Siblings.merged(merged, record);
      }
    }
    return java.util.Objects.requireNonNull(merged);
  }

  private void repair(Siblings record) {
    coordinator.count(Statistics.Counter.READ_REPAIRS);
    repaired = record;
    hedgeAtNanos = coordinator.nowNanos() + coordinator.hedgeNanos();
    Rank rank = Message.Digest.of(record, request.keyspace().resolution());
    settling = true;
    for (int i = 0; i < states.length; i++) {
      if (states[i] == State.ANSWERED && !isStoodInFor(i)) {
        boolean lacks = !ranks[i].sameAs(rank);
        states[i] = lacks ? State.IDLE : State.HOLDING;
        if (lacks && !finished) {
          repairAt(i);
        }
      }
    }
    settling = false;
    hurries = 2 * request.r() <= request.replicas().size();
    settle();
  }

  /// Answers if enough replicas hold the record and no repair is outstanding, or it hurries; offers
  /// the record to other replicas if those that were asked cannot take it, or are slow.
  private void settle() {
    settling = true;
    boolean more = true;
    while (more && !finished) {
      boolean waits = !hurries && count(State.REPAIRING) > 0;
      if (!waits && count(State.HOLDING) >= holdersNeeded()) {
        finish();
        done.read(repaired, false);
        return;
      }
      more = !waits && repairAnother();
    }
    settling = false;
    if (!finished && count(State.REPAIRING) == 0) {
      unrepaired();
    }
  }

  /// So many that every later read of `r` replicas, or of most, meets one; none where two reads
  /// need not meet: few are asked, or others answer for replicas.
  private int holdersNeeded() {
    int n = request.replicas().size();
    boolean meet = 2 * request.r() > n || writesBack;
    for (int standIn : standIns) {
      meet &= standIn == 0;
    }
    return meet ? Quorum.holders(n, request.r()) : 0;
  }

  /// Sends the record to a live replica of the list that was not sent it yet; false if there is
  /// none.
  private boolean repairAnother() {
    for (int i = 0; i < states.length; i++) {
      boolean unsent = states[i] == State.IDLE || states[i] == State.ASKED;
      if (unsent && coordinator.live(request.replicas().member(i))) {
        repairAt(i);
        return true;
      }
    }
    return false;
  }

  private void repairAt(int place) {
    states[place] = State.REPAIRING;
    Siblings record = java.util.Objects.requireNonNull(repaired);
    long under = confirmed ? Ballots.of(record.newest()) : 0;
    int node = request.replicas().member(place);
    if (node != coordinator.self()) {
      Message.Write write = new Message.Write(id, request.epoch(), request.at(), record, under);
      if (!coordinator.send(node, request.slot(), write)) {
        states[place] = State.LOST;
      }
      return;
    }
    coordinator
        .replica()
        .apply(request.keyspace(), request.slot(), request.key(), record, under, new Own(place));
  }

  /// What becomes of the record at this node's own replica.
  private final class Own implements Applied {
    private final int place;

    Own(int place) {
      this.place = place;
    }

    @Override
    public void durable() {
      repairEnded(place, State.HOLDING);
    }

    @Override
    public void superseded(Version by) {
      repairEnded(place, State.HOLDING);
    }

    @Override
    public void outvoted(long by) {
      outvotedAt(place, by);
    }

    @Override
    public void refused(Unanswered.Refused why) {
      refusal(why);
      repairEnded(place, State.LOST);
    }
  }

  private void refusal(Unanswered.Refused why) {
    if (why.isOfStore()) {
      overloaded = why;
    } else if (Behind.is(why)) {
      catchingUp = why;
    } else if (why.reason() == Reason.UNAVAILABLE) {
      unreadable = why.message();
    }
  }

  private void repairEnded(int place, State state) {
    if (!finished && states[place] == State.REPAIRING) {
      states[place] = state;
      if (!settling) {
        settle();
      }
    }
  }

  /// Too few replicas could be brought up to what one of them holds: a later read might see less.
  private void unrepaired() {
    if (outvotedBy > 0) {
      finish();
      done.outvoted(outvotedBy);
      return;
    }
    List<Integer> lacking = new ArrayList<>();
    for (int i = 0; i < states.length; i++) {
      if (states[i] != State.HOLDING) {
        lacking.add(request.replicas().member(i));
      }
    }
    int holding = count(State.HOLDING);
    String why = overloaded == null ? "" : "; " + overloaded.message();
    finish();
    done.failed(
        new Unanswered.Refused(
            Reason.UNAVAILABLE,
            "the newest version is on %d of the %d replicas that make a read sure, nodes %s lack it%s"
                .formatted(holding, holdersNeeded(), lacking, why),
            overloaded == null ? 0 : overloaded.retryAfterMillis(),
            new Unanswered.Shortfall(request.r(), holding, lacking)));
  }

  @Override
  void reply(int node, Message.ReadReply reply) {
    int place = placeOf(node);
    if (place < 0) {
      return;
    }
    if (reply instanceof Message.Value || reply instanceof Message.Digest) {
      coordinator.peers().took(node, coordinator.nowNanos() - askedNanos[place]);
    }
    if (finished) {
      return;
    }
    boolean tells = reply instanceof Message.Value || reply instanceof Message.Digest;
    if (tells
        && isStoodInFor(place)
        && node == request.replicas().member(place)
        && repaired == null) {
      // It is there after all: what another node held for it counts no more.
      standIns[place] = 0;
      answered -= states[place] == State.ANSWERED ? 1 : 0;
      states[place] = State.ASKED;
      records[place] = null;
    }
    switch (reply) {
      case Message.Value value -> answer(place, value.record());
      case Message.Digest digest -> answer(place, digest.rank());
      case Message.Written written -> repairEnded(place, State.HOLDING);
      case Message.Superseded superseded -> repairEnded(place, State.HOLDING);
      case Message.Refused refused -> {
        coordinator.peers().refused(node, refused.why());
        refusal(refused.why());
        lostAt(place);
      }
      case Message.Outvoted outvoted -> {
        if (confirmed) {
          outvotedAt(place, outvoted.by());
        } else {
          finish();
          done.outvoted(outvoted.by());
        }
      }
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
    if (finished) {
      return;
    }
    if (repaired != null) {
      repairEnded(place, State.LOST);
    } else if (states[place] == State.ASKED) {
      states[place] = State.LOST;
      if (!askNext(false) && count(State.ASKED) + answered < request.r()) {
        unavailable();
      }
    }
  }

  private int count(State wanted) {
    int count = 0;
    for (State state : states) {
      count += state == wanted ? 1 : 0;
    }
    return count;
  }

  @Override
  void tick(long nowNanos) {
    if (repaired != null) {
      if (nowNanos >= deadlineNanos) {
        unrepaired();
      } else if (nowNanos >= hedgeAtNanos) {
        hedgeAtNanos = Long.MAX_VALUE;
        hurries = true;
        settle();
      }
    } else if (nowNanos >= deadlineNanos) {
      unavailable();
    } else if (nowNanos >= hedgeAtNanos) {
      hedgeAtNanos = Long.MAX_VALUE;
      for (int i = 0; i < states.length; i++) {
        boolean asked = states[i] == State.ASKED && !isStoodInFor(i);
        if (asked && request.replicas().member(i) != coordinator.self()) {
          // Its answer may come when nobody waits for it any more.
          coordinator
              .peers()
              .took(request.replicas().member(i), HEDGED_TIMES * (nowNanos - askedNanos[i]));
        }
      }
      if (askNext(false)) {
        coordinator.count(Statistics.Counter.HEDGED_READS);
      }
    }
  }

  private void unavailable() {
    if (!finished && outvotedBy > 0) {
      finish();
      done.outvoted(outvotedBy);
    } else if (!finished && overloaded != null) {
      finish();
      done.failed(overloaded);
    } else if (!finished) {
      finish();
      List<Integer> missing = new ArrayList<>();
      for (int i = 0; i < states.length; i++) {
        if (states[i] != State.ANSWERED) {
          missing.add(request.replicas().member(i));
        }
      }
      String why =
          "%d of %d replicas answered, the read needs %d; no answer of nodes %s"
              .formatted(answered, states.length, request.r(), missing);
      why = unreadable == null ? why : why + "; " + unreadable;
      done.failed(
          new Unanswered.Refused(
              catchingUp == null ? Reason.UNAVAILABLE : catchingUp.reason(),
              catchingUp == null ? why : why + "; " + catchingUp.message(),
              catchingUp == null ? 0 : catchingUp.retryAfterMillis(),
              new Unanswered.Shortfall(request.r(), answered, missing)));
    }
  }

  private void finish() {
    finished = true;
    coordinator.inFlight().remove(this);
  }
}
