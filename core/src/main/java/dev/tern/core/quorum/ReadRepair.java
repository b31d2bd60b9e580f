package dev.tern.core.quorum;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Ballots;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import java.util.ArrayList;
import java.util.List;

/// Brings a record to replicas that lack it, until so many hold it that a read may answer with it.
///
/// It waits for all that it was sent to, or *hurries*: then it ends as soon as enough hold it. A
/// replica that cannot take the record (its disk is full, its connection broke) is passed over, and
/// the next live one of the list is offered the record in its place.
///
/// Threads: the shard's loop. Its owner passes on the answers and the time.
final class ReadRepair {
  /// Takes the outcome: one call, perhaps before [ReadRepair#begin] returns.
  interface Done {
    /// Enough replicas hold the record.
    void held();

    /// A replica has promised a higher ballot to another leader.
    void outvoted(long by);

    /// Too few hold it: a later read might see less.
    void failed(Unanswered.Refused why);
  }

  private final Coordinator coordinator;
  private final Request request;
  private final Operation<?> owner;
  private final Siblings record;

  /// The ballot under which replicas take the record, 0 for none.
  private final long ballot;

  /// The replicas that must hold it.
  private final Quorum holders;

  private final Done done;

  /// The places that may still be offered the record, a bit for each.
  ///
  /// Invariant: a place is in at most one of `unsent`, `sent` and `holding`; those in none are
  /// passed over.
  private long unsent;

  /// The places that were sent it and have not answered.
  private long sent;

  /// The places that hold it, or something newer.
  private long holding;

  private Refusals refusals;
  private long outvotedBy;
  private long hedgeAtNanos;

  /// It does not wait for all that it was sent to.
  private boolean hurries;

  /// What is told of it waits for the end of the step that counts it.
  private boolean settling;

  private boolean over;

  /// @param owner of whose messages these are
  /// @param confirmed whether the record goes under its own ballot
  /// @param holders that must hold it
  /// @param hedgeAtNanos when it begins to hurry
  ReadRepair(
      Coordinator coordinator,
      Request request,
      Operation<?> owner,
      Siblings record,
      boolean confirmed,
      Quorum holders,
      long hedgeAtNanos,
      Done done) {
    this.coordinator = coordinator;
    this.request = request;
    this.owner = owner;
    this.record = record;
    this.ballot = confirmed ? Ballots.of(record.newest()) : 0;
    this.holders = holders;
    this.hedgeAtNanos = hedgeAtNanos;
    this.done = done;
    this.refusals = Refusals.NONE;
  }

  /// Says what was heard while the record was read.
  ReadRepair after(Refusals heard, long outvoted) {
    refusals = heard;
    outvotedBy = outvoted;
    return this;
  }

  ReadRepair hurrying() {
    hurries = true;
    return this;
  }

  /// Sends the record.
  ///
  /// @param alreadyHolding the places that hold it, a bit for each
  /// @param lacking those that it is sent to at once
  /// @param others those that it may be sent to later
  void begin(long alreadyHolding, long lacking, long others) {
    holding = alreadyHolding;
    unsent = lacking | others;
    assert (holding & unsent) == 0 : "a replica that holds the record is sent it";
    settling = true;
    for (int place = 0; place < request.replicas().size() && !over; place++) {
      if ((lacking & Quorum.bit(place)) != 0) {
        send(place);
      }
    }
    settle();
  }

  /// Ends if enough replicas hold the record and it does not wait for others; offers the record to
  /// other replicas if those that it was sent to cannot take it, or are slow.
  private void settle() {
    assert (sent & unsent) == 0 && (sent & holding) == 0 && (holding & unsent) == 0
        : "a place is counted twice";
    settling = true;
    boolean more = true;
    while (more && !over) {
      boolean waits = !hurries && sent != 0;
      if (!waits && holders.outcome(holding, sent, 0) == Quorum.Outcome.MET) {
        end();
        done.held();
        return;
      }
      more = !waits && sendToAnother();
    }
    settling = false;
    if (!over && sent == 0) {
      fail();
    }
  }

  /// Sends the record to a live replica of the list that was not sent it yet; false if there is
  /// none.
  private boolean sendToAnother() {
    for (int place = 0; place < request.replicas().size(); place++) {
      boolean may = (unsent & Quorum.bit(place)) != 0;
      if (may && coordinator.lists().live(request.replicas().member(place))) {
        send(place);
        return true;
      }
    }
    return false;
  }

  private void send(int place) {
    assert (unsent & Quorum.bit(place)) != 0 : "a place is sent the record twice";
    unsent &= ~Quorum.bit(place);
    sent |= Quorum.bit(place);
    int node = request.replicas().member(place);
    if (node == coordinator.self()) {
      coordinator
          .replica()
          .writes()
          .apply(
              request.keyspace(),
              request.slot(),
              request.key(),
              record,
              ballot,
              request.epoch(),
              new Own(place));
      return;
    }
    Message.Write write =
        new Message.Write(owner.id, request.epoch(), request.at(), record, ballot);
    if (!coordinator.transport().send(node, request.slot(), write)) {
      sent &= ~Quorum.bit(place);
    }
  }

  /// What becomes of the record at this node's own replica.
  private final class Own implements Applied {
    private final int place;

    Own(int place) {
      this.place = place;
    }

    @Override
    public void durable() {
      holds(place);
    }

    @Override
    public void superseded(Version by) {
      holds(place);
    }

    @Override
    public void outvoted(long by) {
      ReadRepair.this.outvoted(by);
    }

    @Override
    public void refused(Unanswered.Refused why) {
      ReadRepair.this.refused(place, why);
    }
  }

  /// A replica holds the record, or something newer.
  void holds(int place) {
    if (!over && (sent & Quorum.bit(place)) != 0) {
      holding |= Quorum.bit(place);
      answered(place);
    }
  }

  /// A replica cannot take the record.
  void refused(int place, Unanswered.Refused why) {
    refusals = refusals.with(why);
    lost(place);
  }

  /// A replica cannot be heard.
  void lost(int place) {
    if (!over && (sent & Quorum.bit(place)) != 0) {
      answered(place);
    }
  }

  private void answered(int place) {
    sent &= ~Quorum.bit(place);
    if (!settling) {
      settle();
    }
  }

  /// A replica has promised a higher ballot: as a rule others have, too, so none is asked in its
  /// place.
  void outvoted(long by) {
    if (!over) {
      end();
      done.outvoted(Math.max(outvotedBy, by));
    }
  }

  /// Nobody waits for it any more.
  void abandon() {
    over = true;
  }

  void tick(long nowNanos) {
    if (over) {
      return;
    }
    if (nowNanos >= request.deadlineNanos()) {
      fail();
    } else if (nowNanos >= hedgeAtNanos) {
      hedgeAtNanos = Long.MAX_VALUE;
      hurries = true;
      settle();
    }
  }

  private void end() {
    if (over) {
      throw new IllegalStateException("a repair has two outcomes");
    }
    over = true;
  }

  private void fail() {
    end();
    if (outvotedBy > 0) {
      done.outvoted(outvotedBy);
      return;
    }
    List<Integer> lacking = new ArrayList<>();
    for (int place = 0; place < request.replicas().size(); place++) {
      if ((holding & Quorum.bit(place)) == 0) {
        lacking.add(request.replicas().member(place));
      }
    }
    Unanswered.Refused overloaded = refusals.overloaded();
    int held = Long.bitCount(holding);
    String why = overloaded == null ? "" : "; " + overloaded.message();
    String told =
        request.replicas().isStable()
            ? "the newest version is on %d of the %d replicas that make a read sure, nodes %s lack it%s"
                .formatted(held, holders.needed(), lacking, why)
            : "the key moves, and of one of its two lists of replicas too few have the newest version, nodes %s lack it%s"
                .formatted(lacking, why);
    done.failed(
        new Unanswered.Refused(
            Reason.UNAVAILABLE,
            told,
            overloaded == null ? 0 : overloaded.retryAfterMillis(),
            new Unanswered.Shortfall(request.r(), held, lacking)));
  }
}
