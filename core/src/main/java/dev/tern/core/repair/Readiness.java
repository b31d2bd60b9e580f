package dev.tern.core.repair;

import dev.tern.core.version.DotSet;
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
final class Readiness {
  /// Gossip knows by then who is alive.
  static final long PATIENCE_NANOS = 2_000_000_000L;

  private final long sinceNanos;

  /// By peer: dots that are gone from its log, null until it said.
  private final @Nullable DotSet[] trimmed;

  Readiness(int peers, long nowNanos) {
    this.trimmed = new DotSet[peers];
    this.sinceNanos = nowNanos;
  }

  /// A peer said which dots are gone from its log.
  void told(int place, DotSet gone) {
    trimmed[place] = gone;
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

  boolean hasAnyTold() {
    for (DotSet gone : trimmed) {
      if (gone != null) {
        return true;
      }
    }
    return false;
  }

  /// What is gone from a peer's log and is not here, so that only a rebuild brings it; null for
  /// nothing.
  @Nullable DotSet lacking(int place, DotSet here) {
    DotSet gone = trimmed[place];
    return gone == null || here.covers(gone) ? null : gone.minus(here);
  }

  /// Whether the replica may leave the state.
  ///
  /// @param here its clock
  /// @param live by peer
  boolean isReady(DotSet here, IntPredicate live, long nowNanos) {
    boolean patient = nowNanos - sinceNanos < PATIENCE_NANOS;
    for (int place = 0; place < trimmed.length; place++) {
      if (trimmed[place] == null ? patient || live.test(place) : lacking(place, here) != null) {
        return false;
      }
    }
    return hasAnyTold();
  }
}
