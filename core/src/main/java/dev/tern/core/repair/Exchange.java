package dev.tern.core.repair;

import dev.tern.core.replica.Grave;
import dev.tern.core.replica.Partition;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import dev.tern.core.wire.RepairPage;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a replica of one partition knows of the others.
final class Exchange {
  /// What was passed over is asked for again after this at the earliest.
  static final long AGAIN_NANOS = 10_000_000_000L;

  /// Runs of dots asked for at once.
  private static final int MAX_RUNS = 64;

  private static final long NEVER = Long.MIN_VALUE / 2;

  final Partition partition;

  /// The admission of this member that it was made for.
  final int admission;

  /// The group's number in the topology.
  final int group;

  /// The replicas of the partition, and since when they are: the exchange is made anew for others.
  final ReplicaSet set;

  final long epoch;

  /// The other replicas.
  final int[] peers;

  /// Of an old replica while others are filled: what its clock had when that began. Null else.
  final @Nullable DotSet barrier;

  long barrierToldNanos = NEVER;

  /// By peer, of a replica that is being filled: what that one's clock had then, null until it
  /// told.
  final @Nullable DotView[] barriers;

  /// Of a replica that leaves: what its clock had at the fence. Null else.
  final @Nullable DotSet frozen;

  /// By peer: what it last said it has on disk, and what it had said before; null until it did.
  final @Nullable DotView[] heard;

  final @Nullable DotView[] before;

  /// By peer: dots that it had said it has, and has not any more: its disk lost them.
  private final DotSet[] forgotten;

  /// By peer: what its pages allow this replica to claim.
  final Claims[] claims;

  /// When what was passed over is asked for again, and how long that takes the next time.
  long againNanos;

  long patienceNanos = AGAIN_NANOS;

  /// The peer that is asked first: the next one where one did not answer.
  int firstPeer;

  /// How often a page of a rebuild was asked for in vain, since the last that came.
  int tries;

  /// By peer: which state was last told to it, and when.
  final long[] toldTurns;

  final long[] toldNanos;

  /// By peer: whether it lacks what is on disk here, as far as is known.
  final boolean[] behind;

  /// The request that is under way, 0 for none, to whom, and until when it is waited for.
  long fetchId;

  int fetchFrom;
  long fetchDeadline;

  /// When it was sent, and what was spent for its page.
  long askedNanos;

  long expectedBytes;

  /// It is not sent again before this.
  long notBeforeNanos = NEVER;

  DotSet fetchWanted = new DotSet();

  /// Whether another replica has said twice that it has what is not here.
  boolean lacks;

  /// Whether it waits for its turn to fetch.
  boolean waits;

  /// Of a rebuild that is under way what the clocks of all its pages have; null before the first.
  @Nullable DotSet rebuildClock;

  /// The clock here when the fetch or the rebuild under way began.
  DotSet began = new DotSet();

  /// By peer: dots of the rebuild under way that it may not be able to read; null for none.
  private final @Nullable DotSet[] unreadable;

  /// Where its pages have come to.
  private byte[] rebuiltTo = {};

  boolean rebuilding;

  /// Whether it is among the partitions that are behind, in the figures.
  boolean countedBehind;

  /// A page some of whose records found the store overloaded, and are tried again.
  @Nullable FetchedPage page;

  /// The snapshot that is fetched instead of pages; null for none.
  @Nullable SnapshotFetch snapshot;

  /// How often a snapshot could not be fetched or taken in.
  int snapshotTries;

  /// That the page under way was asked for with.
  byte[] rebuildCursor = {};

  /// Something was heard or came to disk since the last look.
  boolean stirred = true;

  long lookedNanos = NEVER;
  long lookedTurns = -1;
  long trimmedNanos = NEVER;

  /// What is known of whether this replica may vouch for what it has.
  final Readiness readiness;

  /// Comparisons of the hash trees so far: with one of the others after the other.
  long visits;

  /// Deletes that all replicas have, and what all must have before they are stripped.
  List<Grave> condemned = List.of();

  DotSet needed = new DotSet();

  /// Nobody holds a write that they must outlive, see [Inquiries].
  boolean cleared;

  boolean digging;

  /// @param self the member whose replica it is
  Exchange(Partition partition, int group, ReplicaSet set, long epoch, int self, long nowNanos) {
    this.partition = partition;
    this.admission = partition.admission();
    this.group = group;
    this.set = set;
    this.epoch = epoch;
    this.peers = Arrays.stream(set.members()).filter(member -> member != self).toArray();
    boolean fills = set.phase() == Phase.FILLING && !set.isPending(self);
    this.barrier = fills ? partition.clock().copy() : null;
    this.barriers = new DotView[peers.length];
    boolean leaves = set.phase() == Phase.FENCED && !set.leaders().has(self);
    this.frozen = leaves ? partition.clock().copy() : null;
    this.heard = new DotView[peers.length];
    this.before = new DotView[peers.length];
    this.forgotten = new DotSet[peers.length];
    Arrays.setAll(forgotten, place -> new DotSet());
    this.claims = new Claims[peers.length];
    Arrays.setAll(claims, place -> new Claims());
    this.toldTurns = new long[peers.length];
    this.toldNanos = new long[peers.length];
    this.behind = new boolean[peers.length];
    this.unreadable = new DotSet[peers.length];
    this.readiness =
        new Readiness(
            peers.length,
            partition::isFilled,
            place -> claims[place].ungiven(),
            place -> set.isPending(peers[place]),
            nowNanos);
    Arrays.fill(toldTurns, -1);
    Arrays.fill(toldNanos, NEVER);
  }

  /// The exchange of the same replica with the replicas of a later entry. What was heard from those
  /// that stay is kept; deletes are judged anew.
  Exchange by(ReplicaSet later, long laterEpoch, int self, long nowNanos) {
    Exchange next = new Exchange(partition, group, later, laterEpoch, self, nowNanos);
    int[] places = new int[next.peers.length];
    for (int place = 0; place < places.length; place++) {
      int was = place(next.peers[place]);
      places[place] = was;
      if (was >= 0) {
        next.heard[place] = heard[was];
        next.before[place] = before[was];
        next.forgotten[place] = forgotten[was];
        next.claims[place] = claims[was];
        next.toldTurns[place] = toldTurns[was];
        next.toldNanos[place] = toldNanos[was];
        next.behind[place] = behind[was];
      }
    }
    next.readiness.as(readiness, places);
    next.visits = visits;
    next.againNanos = againNanos;
    next.patienceNanos = patienceNanos;
    next.trimmedNanos = trimmedNanos;
    next.snapshotTries = snapshotTries;
    return next;
  }

  /// Whether a peer waits to be filled, and neither gives records nor is compared with.
  boolean isPending(int place) {
    return set.isPending(peers[place]);
  }

  /// A peer says what it has on disk.
  void heard(int place, DotView clock) {
    DotView had = heard[place];
    if (had != null && !clock.covers(had)) {
      forgotten[place].addAll(had);
    }
    if (!forgotten[place].isEmpty()) {
      forgotten[place] = forgotten[place].minus(clock);
    }
    before[place] = had;
    heard[place] = clock;
    claims[place].heard(clock);
  }

  /// Whether a peer lacks what it had said that it has.
  boolean hasForgotten(int place) {
    return !forgotten[place].isEmpty();
  }

  /// Lets a peer be asked for what this replica has to know before it vouches, without delay.
  void askAtOnce(int place) {
    if (partition.isBehind() && !readiness.hasTold(place)) {
      toldNanos[place] = NEVER;
    }
  }

  /// A peer is about to be asked for some of what is missing here.
  void fetches(int place, DotSet missing) {
    fetchFrom = peers[place];
    fetchWanted = first(missing);
    began = partition.clock().copy();
  }

  private static DotSet first(DotSet missing) {
    if (missing.runs() <= MAX_RUNS) {
      return missing;
    }
    DotSet first = new DotSet();
    int[] runs = {0};
    missing.forEach(
        (replica, from, to) -> {
          if (runs[0]++ < MAX_RUNS) {
            first.addRun(replica, from, to);
          }
        });
    return first;
  }

  /// Whether the sender of a page has all dots that were here when it was asked for: its records
  /// stand for all that is here of their keys.
  boolean isWhole(RepairPage page) {
    return page.clock().covers(began);
  }

  /// What the clocks of the pages so far and of one more have.
  DotSet rebuildClockWith(DotSet page) {
    return rebuildClock == null ? page : rebuildClock.and(page);
  }

  /// A page's records are here, and what it passes over is about to be dropped.
  ///
  /// @param next where the page ends, empty for the end of the partition
  void passing(DotSet page, byte[] next) {
    partition.rebuilt(next, rebuildClockWith(page));
  }

  /// It was dropped.
  void passed(DotSet page, byte[] next) {
    rebuildClock = rebuildClockWith(page);
    rebuiltTo = next;
  }

  /// It could not be dropped: the page is asked for again.
  void notPassed() {
    if (rebuildClock == null) {
      partition.rebuildEnded();
    } else {
      partition.rebuilt(rebuiltTo, rebuildClock);
    }
  }

  /// A peer cannot read what comes next in the rebuild.
  void stuck(int place, DotSet wanted) {
    unreadable[place] = wanted;
  }

  /// Passes over what peers could not read in the rebuild that ends and nobody else has given.
  ///
  /// @param all what the rebuild brought
  /// @return whether there is any
  boolean passOverUnreadable(DotSet all) {
    boolean any = false;
    for (int place = 0; place < unreadable.length; place++) {
      DotSet wanted = unreadable[place];
      DotSet missed = wanted == null ? new DotSet() : wanted.minus(all);
      if (!missed.isEmpty()) {
        any = true;
        claims[place].page(new DotSet(), new DotSet(), new DotSet(), missed);
      }
    }
    return any;
  }

  void rebuildEnded() {
    Arrays.fill(unreadable, null);
    rebuildClock = null;
    partition.rebuildEnded();
  }

  int place(int member) {
    for (int i = 0; i < peers.length; i++) {
      if (peers[i] == member) {
        return i;
      }
    }
    return -1;
  }

  boolean hasPassedOver() {
    for (Claims each : claims) {
      if (each.hasPassedOver()) {
        return true;
      }
    }
    return false;
  }

  /// Whether it waits for all that the others have, so that what they said once is asked for.
  boolean isFilling() {
    return partition.isBehind() && !partition.isFilled();
  }

  boolean isBehind() {
    return partition.isBehind();
  }

  /// Whether each other replica has said what it has.
  boolean complete() {
    for (DotView clock : heard) {
      if (clock == null) {
        return false;
      }
    }
    return true;
  }

  /// The dots that all replicas have on disk; call only if [#complete].
  DotView common() {
    assert complete() : "not all replicas were heard";
    DotView common = partition.synced();
    for (DotView clock : heard) {
      common = common.and(java.util.Objects.requireNonNull(clock));
    }
    return common;
  }

  /// The dots of a page's clock that all other replicas have that were heard.
  DotSet agreed(DotSet page) {
    DotSet agreed = page.copy();
    for (DotView clock : heard) {
      agreed = clock == null ? agreed : agreed.and(clock);
    }
    return agreed;
  }

  /// The dots that any replica has on disk; call only if [#complete].
  DotSet union() {
    assert complete() : "not all replicas were heard";
    DotSet union = partition.synced().copy();
    for (DotView clock : heard) {
      union.addAll(java.util.Objects.requireNonNull(clock));
    }
    return union;
  }
}
