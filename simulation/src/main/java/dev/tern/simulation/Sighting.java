package dev.tern.simulation;

import dev.tern.core.gossip.Status;
import java.util.BitSet;

/// Waits until every member believes something of one, and notes when.
final class Sighting {
  final int subject;
  final long generation;
  final Status awaited;
  final long begunMillis;

  /// Who has not seen it, of those that run.
  private final BitSet blind;

  /// When the first saw it, -1 before.
  long firstMillis = -1;

  /// When the last saw it, -1 before.
  long lastMillis = -1;

  Sighting(int subject, long generation, Status awaited, long nowMillis, BitSet observers) {
    this.subject = subject;
    this.generation = generation;
    this.awaited = awaited;
    this.begunMillis = nowMillis;
    this.blind = observers;
    blind.clear(subject);
  }

  /// A member came to believe something of the subject.
  void saw(int observer, long ofGeneration, Status status, long nowMillis) {
    if (status != awaited || ofGeneration != generation) {
      return;
    }
    if (firstMillis < 0) {
      firstMillis = nowMillis - begunMillis;
    }
    gone(observer, nowMillis);
  }

  /// A member need not see it any more.
  void gone(int observer, long nowMillis) {
    blind.clear(observer);
    if (lastMillis < 0 && blind.isEmpty()) {
      lastMillis = nowMillis - begunMillis;
    }
  }

  @Override
  public String toString() {
    return "member %d of generation %d to be %s since %d ms; not to %s"
        .formatted(subject, generation, awaited, begunMillis, blind);
  }
}
