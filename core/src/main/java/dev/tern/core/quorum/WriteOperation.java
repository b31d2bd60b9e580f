package dev.tern.core.quorum;

import dev.tern.core.PlantedBug;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Draft;
import dev.tern.core.replica.Mutation;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import java.util.ArrayList;
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
final class WriteOperation extends Operation implements Mutation {
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

  private enum State {
    UNSENT,
    SENT,
    STORED,
    SUPERSEDED,
    LOST
  }

  private final Coordinator coordinator;
  private final Request request;
  private final boolean blind;
  private final Function<@Nullable Siblings, @Nullable Draft> draft;
  private final Done done;
  private final State[] states;

  /// By place: who holds the write for the replica there, 0 for nobody.
  private final int[] holders;

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
    super(request.deadlineNanos());
    this.coordinator = coordinator;
    this.request = request;
    this.blind = blind;
    this.draft = draft;
    this.done = done;
    this.states = new State[request.replicas().length];
    this.holders = new int[request.replicas().length];
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
    int live = 0;
    int near = 0;
    List<Integer> missing = new ArrayList<>(0);
    for (int node : request.replicas()) {
      if (coordinator.live(node)) {
        live++;
        near += coordinator.near(node) ? 1 : 0;
      } else {
        missing.add(node);
      }
    }
    int others = request.sloppy() ? coordinator.holders(request, missing.size()) : 0;
    if (live + others < request.w() || live < request.pw() || near < request.nearW()) {
      finished = true;
      done.failed(
          new Unanswered.Refused(
              Reason.UNAVAILABLE,
              "%d of %d replicas are alive, the write needs %d; nodes %s are not"
                  .formatted(live, request.replicas().length, request.w(), missing),
              0,
              new Unanswered.Shortfall(request.w(), live, missing)));
      return;
    }
    if (!coordinator.inFlight().add(this)) {
      finished = true;
      done.failed(coordinator.full());
      return;
    }
    mint();
  }

  private void mint() {
    java.util.Arrays.fill(states, State.UNSENT);
    mints++;
    mintedNanos = coordinator.nowNanos();
    java.util.Arrays.fill(holders, 0);
    Mutation mutation = mints == 1 ? this : new Again(this, mints);
    if (away) {
      coordinator.replica().mintAway(request.keyspace(), request.slot(), request.key(), mutation);
    } else {
      coordinator.replica().mutate(request.keyspace(), request.slot(), request.key(), mutation);
    }
  }

  /// A later mint of the same write: what an earlier one still has to say no longer counts.
  private record Again(WriteOperation operation, int mint) implements Mutation {
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
    record = minted;
    int[] replicas = request.replicas();
    if (ballot > 0) {
      coordinator.replica().led(request.keyspace().id(), request.slot(), ballot);
    }
    for (int place = 0; place < replicas.length; place++) {
      if (replicas[place] == coordinator.self()) {
        states[place] = State.SENT;
      } else if (request.sloppy() && !coordinator.live(replicas[place])) {
        hold(place);
      } else {
        Message.Write write = new Message.Write(id, request.epoch(), request.at(), minted, ballot);
        boolean sent = coordinator.send(replicas[place], request.slot(), write);
        noteAway(sent, replicas[place]);
        states[place] = sent ? State.SENT : State.LOST;
      }
    }
    if (coordinator.planted() == PlantedBug.EARLY_ACK) {
      finish();
      done.written(java.util.Objects.requireNonNull(record));
    }
  }

  /// Lets the next healthy node hold the write for a replica.
  private void hold(int place) {
    int holder = coordinator.holder(request, holders);
    holders[place] = holder;
    states[place] = holder == 0 ? State.LOST : State.SENT;
    if (holder == 0) {
      return;
    }
    coordinator.count(Statistics.Counter.HINTS_ASKED);
    int target = request.replicas()[place];
    Siblings held = java.util.Objects.requireNonNull(record);
    if (holder == coordinator.self()) {
      coordinator
          .replica()
          .hold(request.keyspace(), request.slot(), request.key(), held, target, new Own(place));
      return;
    }
    Message.Hold message = new Message.Hold(id, request.epoch(), request.at(), held, target);
    boolean sent = coordinator.send(holder, request.slot(), message);
    noteAway(sent, holder);
    states[place] = sent ? State.SENT : State.LOST;
  }

  private void noteAway(boolean sent, int node) {
    if (away && sent) {
      coordinator.sentAway(id, request.slot(), node);
    }
  }

  /// What becomes of a hint that this node holds itself.
  private final class Own implements Applied {
    private final int place;
    private final int mint = mints;

    Own(int place) {
      this.place = place;
    }

    private void end(State state) {
      if (mint == mints) {
        set(place, state);
      }
    }

    @Override
    public void durable() {
      end(State.STORED);
    }

    @Override
    public void superseded(Version by) {
      end(State.STORED);
    }

    @Override
    public void refused(Unanswered.Refused why) {
      coordinator.count(Statistics.Counter.HINTS_REFUSED);
      end(State.LOST);
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
      set(request.place(coordinator.self()), State.STORED);
    }
  }

  @Override
  public void refused(Unanswered.Refused why) {
    if (!finished) {
      finish();
      done.failed(mints == 1 ? why : unknown("a version was written, its successor was refused"));
    }
  }

  @Override
  void reply(int node, Message.Reply reply) {
    int place = placeOf(node);
    if (place < 0 || finished || record == null) {
      return;
    }
    switch (reply) {
      case Message.Written written -> set(place, State.STORED);
      case Message.Superseded superseded -> superseded(place, superseded.by());
      case Message.Refused refused -> {
        coordinator.peers().refused(node, refused.why());
        refusal = "; node %d: %s".formatted(node, refused.why().message());
        set(place, State.LOST);
      }
      case Message.Value m -> {}
      case Message.Digest m -> {}
      case Message.Outvoted by -> {
        outvoted = true;
        coordinator.count(Statistics.Counter.CONFLICTING_UPDATES);
        coordinator.replica().ballots().outvoted(request.keyspace().id(), request.slot(), by.by());
        set(place, State.LOST);
      }
      case Message.Updated m -> {}
      case Message.Scanned m -> {}
      case Message.Counted m -> {}
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
      set(place, counts || byMyself ? State.STORED : State.SUPERSEDED);
      return;
    }
    if (byMyself) {
      set(place, State.STORED);
      return;
    }
    coordinator.count(Statistics.Counter.SUPERSEDED_UPDATES);
    if (mine.forks(by)) {
      coordinator.count(Statistics.Counter.CONFLICTING_UPDATES);
      finish();
      done.failed(unknown("another replica led an update of the same version at the same time"));
    } else if (mine.stamp().sharesPut(by.stamp()) && !by.stamp().expired()) {
      // Another leader's: nothing tells whether it was computed from this one.
      set(place, State.LOST);
    } else {
      set(place, State.STORED);
    }
  }

  private void set(int place, State state) {
    if (finished || states[place] != State.SENT) {
      return;
    }
    states[place] = state;
    if (state == State.LOST && request.sloppy() && holders[place] == 0 && !outvoted) {
      hold(place);
    }
    int stored = count(State.STORED);
    if (enough(stored, own(State.STORED), near(State.STORED))) {
      finish();
      done.written(java.util.Objects.requireNonNull(record));
    } else if (!enough(
        stored + count(State.SENT),
        own(State.STORED) + own(State.SENT),
        near(State.STORED) + near(State.SENT))) {
      if (count(State.SUPERSEDED) > 0) {
        overtaken();
      } else {
        finish();
        done.failed(unknown(stored + " of " + request.w() + " replicas hold the write" + refusal));
      }
    }
  }

  private void overtaken() {
    boolean late = silence || coordinator.nowNanos() - mintedNanos > MINTED_ANEW_NANOS;
    if (mints > 1 || late && coordinator.planted() != PlantedBug.PUT_MINTED_ANEW_AFTER_SILENCE) {
      finish();
      done.failed(unknown("a write of this key won that may be older or concurrent"));
      return;
    }
    coordinator.count(Statistics.Counter.RESTAMPED_WRITES);
    int answered = own(State.STORED) + own(State.SUPERSEDED);
    settled = answered > request.replicas().length - request.w();
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

  private boolean enough(int all, int own, int near) {
    return all >= request.w() && own >= request.pw() && near >= request.nearW();
  }

  /// Replicas of the list in a state that are in this node's datacenter.
  private int near(State state) {
    int count = 0;
    for (int place = 0; request.nearW() > 0 && place < states.length; place++) {
      boolean own = states[place] == state && holders[place] == 0;
      count += own && coordinator.near(request.replicas()[place]) ? 1 : 0;
    }
    return count;
  }

  /// Replicas of the list in a state.
  private int own(State state) {
    int count = 0;
    for (int place = 0; place < states.length; place++) {
      count += states[place] == state && holders[place] == 0 ? 1 : 0;
    }
    return count;
  }

  private int count(State state) {
    int count = 0;
    for (State one : states) {
      count += one == state ? 1 : 0;
    }
    return count;
  }

  @Override
  void lost(int node) {
    int place = placeOf(node);
    if (place >= 0 && record != null) {
      silence |= states[place] == State.SENT;
      set(place, State.LOST);
    }
  }

  @Override
  void tick(long nowNanos) {
    if (nowNanos >= deadlineNanos && !finished) {
      finish();
      done.failed(
          unknown(
              "%d of %d replicas held the write in time%s"
                  .formatted(record == null ? 0 : count(State.STORED), request.w(), refusal)));
    }
  }

  private static Unanswered.Unknown unknown(String why) {
    return new Unanswered.Unknown(why);
  }

  private void finish() {
    finished = true;
    coordinator.inFlight().remove(this);
  }
}
