package dev.tern.core.quorum;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.Evaluation;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.replica.Ballots;
import dev.tern.core.replica.Draft;
import dev.tern.core.traffic.KeyName;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import dev.tern.core.version.Version;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Read-modify-writes of the keys whose first live replica this is, in rounds.
///
/// A round reads a quorum, applies all updates that came before that read began one after the
/// other, and writes the last result; each update is answered when that write is done. While it is
/// being written the next round already reads: its base is the newest of what the quorum says and
/// what is pending here. So a hot key costs one read and one write for all that wait, not for each.
/// Only updates that ask for the same share a round; others wait for one of their own.
///
/// Where the last write wins the result takes the stamp of what it was computed from, counted one
/// up ([Stamp#updated]); what is absent counts as deleted at the floor of its partition.
final class Updates {
  /// Updates that may wait for a round, all keys together; more are refused.
  static final int MAX_WAITING = 65_536;

  private final Coordinator coordinator;

  /// Keys with a read under way, and the updates that came since.
  private final Map<KeyName, List<Waiting>> reading = new LinkedHashMap<>();

  private int waiting;

  /// A round that another leader has outvoted twice waits so long, times what tells them apart.
  private static final long RIVAL_NANOS = 7_000_000;

  private static final int RIVALS = 5;

  /// Reads of one round before it gives up.
  private static final int MAX_READS = 8;

  /// @param patience log2 of the milliseconds that were left when it came
  private record Waiting(
      Request request, Update update, int patience, Completion<? super UpdateOutcome> completion) {

    /// Whether both may share a round.
    boolean alike(Waiting other) {
      return patience == other.patience && request.alike(other.request);
    }
  }

  private record Answer(Waiting entry, UpdateOutcome outcome) {
    void tell(Coordinator coordinator, @Nullable Siblings record) {
      boolean stored = outcome instanceof UpdateOutcome.Stored done && done.applied();
      boolean wanted = entry.update() instanceof Update.Store store && store.returnVersions();
      entry
          .completion()
          .complete(
              stored && wanted && record != null
                  ? new UpdateOutcome.Stored(
                      true, coordinator.told(entry.request.keyspace(), entry.request.key(), record))
                  : outcome);
    }
  }

  Updates(Coordinator coordinator) {
    this.coordinator = coordinator;
  }

  int waiting() {
    return waiting;
  }

  /// Refuses what has waited for a round until its deadline: the read before it may be more
  /// patient. A few times a second.
  void beat(long nowNanos) {
    if (waiting == 0) {
      return;
    }
    List<Waiting> late = new ArrayList<>();
    for (List<Waiting> next : reading.values()) {
      next.removeIf(entry -> nowNanos >= entry.request().deadlineNanos() && late.add(entry));
    }
    waiting -= late.size();
    Unanswered.Refused why =
        new Unanswered.Refused(Reason.TRY_AGAIN, "an earlier update of the key takes long", 20);
    for (Waiting entry : late) {
      entry.completion().complete(why);
    }
  }

  void submit(Request request, Update update, Completion<? super UpdateOutcome> completion) {
    if (waiting >= MAX_WAITING) {
      completion.complete(new Unanswered.Refused(Reason.OVERLOADED, "too many updates wait", 20));
      return;
    }
    waiting++;
    long left = (request.deadlineNanos() - coordinator.nowNanos()) / 1_000_000;
    int patience = Long.SIZE - Long.numberOfLeadingZeros(Math.max(left, 0));
    Waiting entry = new Waiting(request.forUpdate(), update, patience, completion);
    KeyName name = new KeyName(request.keyspace().id(), request.key());
    List<Waiting> next = reading.get(name);
    if (next != null) {
      next.add(entry);
      return;
    }
    List<Waiting> round = new ArrayList<>(1);
    round.add(entry);
    read(name, round, new ArrayList<>(0));
  }

  /// @param left for rounds after it
  private void read(KeyName name, List<Waiting> round, List<Waiting> left) {
    coordinator.count(Statistics.Counter.UPDATE_ROUNDS);
    reading.put(name, left);
    Request request = shared(round);
    if (coordinator.planted() == PlantedBug.UPDATE_READS_LOCALLY) {
      request = request.at(1, request.w(), request.nearW(), request.deadlineNanos());
    }
    Round running = new Round(name, request, round);
    running.read();
  }

  /// What all of a round ask for, with the last of their deadlines.
  private static Request shared(List<Waiting> round) {
    Request first = round.getFirst().request();
    long deadline = first.deadlineNanos();
    for (Waiting entry : round) {
      deadline = Math.max(deadline, entry.request().deadlineNanos());
    }
    return first.at(first.r(), first.w(), first.nearW(), deadline);
  }

  /// Begins a round of the one that has waited longest and of all that ask for the same.
  private void nextRound(KeyName name) {
    List<Waiting> next = reading.remove(name);
    if (next == null || next.isEmpty()) {
      return;
    }
    List<Waiting> round = new ArrayList<>(next.size());
    List<Waiting> left = new ArrayList<>(0);
    boolean any = coordinator.planted() == PlantedBug.ROUND_MERGES_OPTIONS;
    for (Waiting entry : next) {
      (any || entry.alike(next.getFirst()) ? round : left).add(entry);
    }
    read(name, round, left);
  }

  /// One read, the updates applied to what it found, one write.
  private final class Round implements ReadOperation.Done, WriteOperation.Done {
    private final KeyName name;
    private final Request request;
    private final List<Waiting> updates;
    private final List<Answer> answers;
    private @Nullable Siblings quorumBase;

    /// The latest that the quorum and this replica have; null for nothing at all.
    private @Nullable Siblings seen;

    private boolean uniform;

    /// Whether updates that come from now on have a round of their own.
    private boolean handedOver;

    /// Of the key's partition when the read began.
    private long stripsBefore;

    private boolean outrun;
    private int reads;

    /// What absent counts as for this round: every replica that its read asks learns it, so that
    /// later leaders stand as high. Where the last write does not win it is none.
    private Stamp floor = Stamp.NONE;

    /// Under which this round reads and writes, and whether another leader's is higher.
    private long ballot;

    private boolean outvoted;

    /// That higher ballot, 0 if only this replica knows it.
    private long outvotedBy;

    /// Whether what it writes is what it found, see [#identity].
    private boolean unchanged;

    /// Whether all who wait have their answer.
    private boolean over;

    Round(KeyName name, Request request, List<Waiting> updates) {
      this.name = name;
      this.request = request;
      this.updates = updates;
      this.answers = new ArrayList<>(updates.size());
    }

    void read() {
      reads++;
      outrun = false;
      outvoted = false;
      stripsBefore = strips();
      if (request.keyspace().resolution() == Resolution.LWW) {
        floor = coordinator.replica().store().floor(request.keyspace().id(), request.slot());
      }
      ballot =
          ballots()
              .lead(request.keyspace().id(), request.slot(), request.key(), coordinator.self());
      new ReadOperation(coordinator, request, ReadOperation.Purpose.UPDATE, this)
          .under(ballot, floor)
          .start();
    }

    @Override
    public void belowFloor() {
      outrun();
    }

    private void outrun() {
      if (reads < MAX_READS) {
        read();
      } else {
        failed(
            new Unanswered.Refused(
                Reason.TRY_AGAIN, "newer records outran the reads of the update", 10));
      }
    }

    private Ballots ballots() {
      return coordinator.replica().ballots();
    }

    @Override
    public void outvoted(long by) {
      ballots().outvoted(request.keyspace().id(), request.slot(), by);
      if (reads >= MAX_READS) {
        failed(ReadOperation.outvotedRefusal());
      } else if (reads == 1) {
        read();
      } else {
        // Another one leads as well: each waits for another time.
        long turns = reads + coordinator.self() % RIVALS;
        coordinator.inFlight().later(turns * RIVAL_NANOS, this::read);
      }
    }

    @Override
    public void read(@Nullable Siblings record, boolean agreed) {
      quorumBase = record;
      uniform = agreed;
      if (quorumBase != null && !quorumBase.isEmpty()) {
        // The version must lie above what the quorum holds, not only above what lies here.
        coordinator.replica().store().follow(quorumBase.newest().stamp().time());
      }
      new WriteOperation(coordinator, request, false, this::overBase, this).under(ballot).start();
      handOver();
    }

    private long strips() {
      return coordinator.replica().store().strips(request.keyspace().id(), request.slot());
    }

    private void handOver() {
      if (!handedOver) {
        handedOver = true;
        nextRound(name);
      }
    }

    /// Where a delete was stripped since the read began, what the read found may have been older
    /// than that delete, and nothing here tells of it any more: then the round reads again.
    private @Nullable Draft overBase(@Nullable Siblings local) {
      outrun = local == null && strips() != stripsBefore;
      Siblings base = base(local);
      long term = termBelow(base);
      outvotedBy = term > ballot ? term : 0;
      outvoted =
          outvotedBy > 0
              || !ballots().promise(request.keyspace().id(), request.slot(), request.key(), ballot);
      return outrun || outvoted ? null : evaluate(base);
    }

    /// The ballot of what the updates would stand on: it may have been led above this round's by
    /// one that never asked for a promise of this key. Two rounds above it would be of one term.
    private long termBelow(@Nullable Siblings base) {
      boolean ranks = request.keyspace().resolution() == Resolution.LWW;
      return ranks ? stampBelow(base == null ? null : base.newest()).term() : 0;
    }

    /// Applies the updates in order; the version to write, or null if none changed anything.
    private @Nullable Draft evaluate(@Nullable Siblings base) {
      answers.clear();
      Version newest = base == null ? null : base.newest();
      long wall = coordinator.wallMillis();
      long judged = coordinator.expiryMillis();
      boolean live = newest != null && newest.liveAt(judged);
      ValueType type = live ? java.util.Objects.requireNonNull(newest).type() : ValueType.NONE;
      byte[] value = live ? java.util.Objects.requireNonNull(newest).value() : null;
      long expiry = live ? java.util.Objects.requireNonNull(newest).expiryMillis() : 0;
      DotSet replaced = null;
      boolean changed = false;
      for (Waiting entry : updates) {
        if (entry.update() instanceof Update.Store store) {
          DotSet context = ToldVersions.context(store);
          boolean holds = holds(store, context, base, judged, changed);
          if (holds) {
            changed = true;
            type = store.type();
            value = store.value();
            expiry = value == null ? 0 : request.keyspace().expiry(store.expiryMillis(), wall);
            replaced = context;
            if (store.overwrites() && base != null) {
              replaced.addAll(base.dots());
            }
          }
          answers.add(new Answer(entry, new UpdateOutcome.Stored(holds, null)));
          continue;
        }
        Evaluation evaluation = Evaluation.of(entry.update(), type, value, expiry, judged);
        answers.add(new Answer(entry, evaluation.outcome()));
        if (evaluation.changed()) {
          changed = true;
          type = evaluation.type();
          value = evaluation.value();
          expiry = value == null ? 0 : request.keyspace().expiry(evaluation.expiryMillis(), wall);
        }
      }
      if (!changed) {
        return identity(newest);
      }
      if (request.keyspace().resolution() == Resolution.LWW) {
        return new Draft(type, value, expiry, stampOver(newest), null, false);
      }
      if (base != null && !live) {
        // Nothing with a value was there: what says so goes.
        java.util.Objects.requireNonNull(replaced).addAll(base.seen());
      }
      return new Draft(type, value, expiry, null, replaced, false);
    }

    /// The version to write where no update changed anything: what was found, if another leader led
    /// it, under this round's ballot. An update of a leader before this one might outrank it
    /// otherwise, and be found later at the one replica that took it. Null if nothing need be
    /// written: what is minted above a blind put contains it.
    private @Nullable Draft identity(@Nullable Version newest) {
      boolean stays =
          newest == null
              || request.keyspace().resolution() == Resolution.SIBLINGS
              || newest.stamp().count() == 0
              || newest.stamp().term() == ballot
              || coordinator.planted() == PlantedBug.READ_SHOWS_OUTVOTED;
      if (stays) {
        return null;
      }
      Version found = java.util.Objects.requireNonNull(newest);
      unchanged = true;
      return new Draft(
          found.type(), found.value(), found.expiryMillis(), stampOver(found), null, false);
    }

    private Stamp stampOver(@Nullable Version newest) {
      Stamp below = stampBelow(newest);
      assert below.term() <= ballot : "a round stands on a later leader's version";
      return below.updated(ballot);
    }

    private Stamp stampBelow(@Nullable Version newest) {
      return Ballots.below(newest, ballot, floor);
    }

    /// The latest of what the quorum said and what is here; null if the key holds nothing.
    private @Nullable Siblings base(@Nullable Siblings local) {
      Siblings latest = quorumBase;
      if (request.keyspace().resolution() == Resolution.SIBLINGS) {
        latest =
            coordinator.replica().reads().merged(request.keyspace(), request.slot(), local, latest);
        uniform &= latest.sameVersions(quorumBase);
      } else if (local != null && (latest == null || local.newest().newerThan(latest.newest()))) {
        latest = local;
        uniform = false;
      } else {
        uniform &= latest == null || local != null && local.newest().sameAs(latest.newest());
      }
      seen = latest;
      return latest == null || latest.isEmpty() ? null : latest;
    }

    private static boolean holds(
        Update.Store store, DotSet context, @Nullable Siblings base, long wall, boolean changed) {
      return switch (store.match()) {
        case NONE -> true;
        case ABSENT -> !changed && (base == null || !base.liveAt(wall));
        case UNMODIFIED -> !changed && base != null && context.covers(base.dots());
      };
    }

    @Override
    public void written(Siblings record) {
      answered(record);
    }

    /// Each update has one answer.
    private void end() {
      if (over) {
        throw new IllegalStateException("a round of updates has two outcomes");
      }
      over = true;
      waiting -= updates.size();
      assert waiting >= 0 : "more updates were answered than waited";
    }

    private void answered(@Nullable Siblings record) {
      assert answers.size() == updates.size() : "an update of the round has no answer";
      end();
      for (Answer answer : answers) {
        answer.tell(coordinator, record);
      }
    }

    @Override
    public void nothing() {
      if (outvoted) {
        outvoted(outvotedBy);
        return;
      }
      if (outrun) {
        outrun();
        return;
      }
      // What was seen may not be durable at a quorum yet, of both lists while there are two: make
      // it so before anybody hears of it.
      boolean oneList =
          request.replicas().isStable()
              || coordinator.planted() == PlantedBug.UNIFORM_READ_OF_ONE_LIST;
      boolean alike = uniform && oneList;
      int held = alike ? request.r() : 0;
      int needed = Quorum.holders(request.replicas().readSize(), request.r());
      if (seen == null || held >= needed) {
        answerWhenDurable();
      } else {
        writeBack(seen);
      }
    }

    /// A disk that is full or slow makes nobody wait for longer than its own patience.
    private void answerWhenDurable() {
      boolean[] over = {false};
      coordinator
          .replica()
          .writes()
          .whenDurable(
              request.keyspace().durability(),
              () -> {
                if (!over[0]) {
                  over[0] = true;
                  answered(null);
                }
              });
      if (!over[0]) {
        Unanswered.Refused why =
            new Unanswered.Refused(
                Reason.OVERLOADED, "what the update has read is not durable here yet", 100);
        coordinator
            .inFlight()
            .later(
                Math.max(0, request.deadlineNanos() - coordinator.nowNanos()),
                () -> {
                  if (!over[0]) {
                    over[0] = true;
                    failed(why);
                  }
                });
      }
    }

    private void writeBack(Siblings record) {
      WriteBack[] running = new WriteBack[1];
      ReadRepair.Done back =
          new ReadRepair.Done() {
            @Override
            public void held() {
              if (java.util.Objects.requireNonNull(running[0]).isBeaten()) {
                // A put that nobody acknowledged was here, and the quorum was asked before a later
                // one: what the round has seen was never the latest.
                outrun();
              } else {
                answered(null);
              }
            }

            @Override
            public void outvoted(long by) {
              Round.this.outvoted(by);
            }

            @Override
            public void failed(Unanswered.Refused why) {
              Round.this.failed(why);
            }
          };
      boolean ranks = request.keyspace().resolution() == Resolution.LWW;
      boolean balloted = ranks && coordinator.planted() != PlantedBug.READ_SHOWS_OUTVOTED;
      running[0] = new WriteBack(coordinator, request, record, balloted, back);
      running[0].start();
    }

    @Override
    public void failed(Unanswered why) {
      // Those who came meanwhile get a read of their own.
      handOver();
      end();
      Unanswered told = unchanged && why instanceof Unanswered.Unknown ? unsettled() : why;
      for (Waiting entry : updates) {
        entry.completion().complete((UpdateOutcome) told);
      }
    }

    private static Unanswered.Refused unsettled() {
      return new Unanswered.Refused(
          Reason.TRY_AGAIN,
          "nothing was changed, and too few replicas confirm what the update has read; try again",
          20);
    }
  }
}
