package dev.tern.core.gossip;

import org.jspecify.annotations.Nullable;

/// What this member holds of another.
final class Belief {
  final int number;

  /// With [#status] the greatest claim heard of this member; it only grows.
  long incarnation;

  Status status = Status.ALIVE;

  /// There if and only if the status is [Status#SUSPECT].
  @Nullable Suspicion suspicion;

  /// The report of the greatest stamp heard.
  Load load = Load.UNKNOWN;

  Belief(int number) {
    this.number = number;
  }

  Rumour rumour() {
    int accuser = suspicion == null ? 0 : suspicion.first();
    return new Rumour(number, incarnation, status, accuser);
  }
}
