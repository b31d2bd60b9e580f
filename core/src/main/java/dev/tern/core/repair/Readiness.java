package dev.tern.core.repair;

import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import java.util.Arrays;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// Whether a replica of one partition knows, since it started, enough of the others to vouch for
/// what it has. Its directory may be an old copy: then others have stripped deletes that it never
/// heard of, and what it still shows would win against their nothing.
///
/// It is *behind* until each of the other replicas has told its clock and which dots are gone from
/// its log, and all those dots are here; what is only missing otherwise is there to be asked for,
/// and wins by its own stamp. Replicas that are not alive are not waited for once [#PATIENCE_NANOS]
/// have passed, if at least one has told.
///
/// Readiness without all of them is for a while: the one that has not told may have stripped
/// deletes that are here only at a replica that has told. So the state comes back when one comes
/// that has not told, or when one that has told goes before all that it had is here. It is
/// *settled* when all have told, or when all is here that those who told had: a delete is stripped
/// nowhere before all replicas have it.
///
/// What a peer has and cannot read it will not give: for those dots it counts as not alive. A peer
/// that waits to be filled gives nothing and is not waited for: what was acknowledged is at the
/// others.
///
/// A replica whose directory was empty, or is known by another one to have been set back, is not
/// *filled*: it waits for all that those who told had, logged or not. What it had acknowledged
/// together with one of them may be missing at the others: a read of this replica and such another
/// one would not show it, and an update would not contain it.
final class Readiness {
  /// Gossip knows by then who is alive.
  static final long PATIENCE_NANOS = 2_000_000_000L;

  private long sinceNanos;

  /// By peer: dots that are gone from its log, null until it said.
  private final @Nullable DotSet[] trimmed;

  /// By peer: what it had when it said so.
  private final @Nullable DotView[] clocks;

  /// By peer: when a connection to it opened last.
  private final long[] cameNanos;

  private final BooleanSupplier filled;
  private final IntFunction<DotSet> ungiven;
  private final IntPredicate pending;

  private boolean settled;

  /// @param filled whether the store ever had all that the others had, and has not lost it
  /// @param ungiven by peer: dots that it has and cannot read
  /// @param pending by peer: whether it waits to be filled
  Readiness(
      int peers,
      BooleanSupplier filled,
      IntFunction<DotSet> ungiven,
      IntPredicate pending,
      long nowNanos) {
    this.filled = filled;
    this.ungiven = ungiven;
    this.pending = pending;
    this.trimmed = new DotSet[peers];
    this.clocks = new DotView[peers];
    this.cameNanos = new long[peers];
    Arrays.fill(cameNanos, nowNanos - PATIENCE_NANOS);
    this.settled = peers == 0;
    this.sinceNanos = nowNanos;
  }

  /// Goes on from what was known with other peers.
  ///
  /// @param places by peer: its place there, -1 if it was none
  void as(Readiness before, int[] places) {
    settled |= before.settled;
    sinceNanos = before.sinceNanos;
    for (int place = 0; place < places.length; place++) {
      if (places[place] >= 0) {
        trimmed[place] = before.trimmed[places[place]];
        clocks[place] = before.clocks[places[place]];
        cameNanos[place] = before.cameNanos[places[place]];
      }
    }
  }

  /// A peer said which dots are gone from its log.
  void told(int place, DotView gone, DotView clock) {
    // Trimmed dots may be told in runs that reach over gaps of the clock.
    trimmed[place] = gone.and(clock);
    clocks[place] = clock;
  }

  /// A connection to a peer opened: it may be asked, and ask, from now on.
  void came(int place, long nowNanos) {
    cameNanos[place] = nowNanos;
  }

  /// Whether nothing can bring the state back.
  boolean isSettled() {
    return settled;
  }

  /// A rebuild took all records of these dots: who told that they are gone need not be asked again.
  void taken(DotSet all) {
    for (int place = 0; place < trimmed.length; place++) {
      DotSet gone = trimmed[place];
      if (gone != null && all.covers(gone)) {
        trimmed[place] = new DotSet();
      }
    }
  }

  boolean hasTold(int place) {
    return trimmed[place] != null;
  }

  /// Whether all peers wait to be filled.
  private boolean isAlone() {
    for (int place = 0; place < trimmed.length; place++) {
      if (!pending.test(place)) {
        return false;
      }
    }
    return true;
  }

  boolean hasAnyTold() {
    for (int place = 0; place < trimmed.length; place++) {
      if (trimmed[place] != null && !pending.test(place)) {
        return true;
      }
    }
    return false;
  }

  /// What is gone from a peer's log and is not here, so that only a rebuild brings it; null for
  /// nothing.
  @Nullable DotSet lacking(int place, DotView here) {
    DotSet gone = trimmed[place];
    return gone == null || here.covers(gone) ? null : gone.minus(here);
  }

  /// Whether a peer may have stripped deletes that are not here. A delete is stripped only when all
  /// replicas have had it: dots that are gone from the log of a peer which does not give them any
  /// more, and which another peer has never had, were cut from the log for its length.
  private boolean mayLackDeletes(int place, DotView here, IntPredicate live) {
    DotSet shared = lacking(place, here);
    if (shared == null || live.test(place) && !ungiven.apply(place).covers(shared)) {
      return shared != null;
    }
    boolean others = false;
    for (int other = 0; other < clocks.length; other++) {
      DotView clock = clocks[other];
      if (other != place && clock != null) {
        shared = shared.and(clock);
        others = true;
      }
    }
    return !others || !shared.isEmpty();
  }

  /// Whether a live peer has what a disk that was lost here may have acknowledged.
  private boolean mayLackWrites(int place, DotView here, IntPredicate live) {
    DotView clock = clocks[place];
    return clock != null
        && !filled.getAsBoolean()
        && live.test(place)
        && !here.covers(clock.minus(ungiven.apply(place)));
  }

  /// Whether the replica may leave the state.
  ///
  /// @param here its clock
  /// @param live by peer
  boolean isReady(DotView here, IntPredicate live, long nowNanos) {
    boolean patient = nowNanos - sinceNanos < PATIENCE_NANOS;
    boolean all = true;
    boolean covered = true;
    boolean ready = hasAnyTold() || isAlone();
    for (int place = 0; place < trimmed.length; place++) {
      DotView clock = clocks[place];
      if (pending.test(place)) {
        continue;
      }
      if (clock == null) {
        boolean there = live.test(place) || nowNanos - cameNanos[place] < PATIENCE_NANOS;
        all = false;
        ready &= !patient && !there;
      } else {
        boolean has = here.covers(clock);
        covered &= has;
        ready &= lacking(place, here) == null && (has || live.test(place) && filled.getAsBoolean());
      }
    }
    if (all) {
      // Who has told and is gone since had nothing that another one stripped behind its back.
      ready = hasAnyTold() || isAlone();
      for (int place = 0; place < trimmed.length; place++) {
        if (pending.test(place)) {
          continue;
        }
        ready &= !mayLackDeletes(place, here, live) && !mayLackWrites(place, here, live);
        all &= lacking(place, here) == null;
      }
    }
    settled = ready && (all || covered);
    return ready;
  }
}
