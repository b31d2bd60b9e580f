package dev.tern.core.gossip;

/// Lifeguard's local health multiplier: how far this member distrusts its own judgement. What it
/// does wrong (a probe unanswered, a relay that does not even say no, an accusation against itself,
/// a tick that comes late) makes it ask more slowly and wait longer for answers.
final class LocalHealth {
  /// The worst score.
  static final int MAX = 8;

  /// 0 is healthy; at most [#MAX].
  private int score;

  int score() {
    return score;
  }

  void better() {
    score = Math.max(0, score - 1);
  }

  void worse(int by) {
    assert by >= 0;
    score = Math.min(MAX, score + by);
  }

  /// A time as it is for a member of this health.
  long stretched(long millis) {
    return millis * (score + 1);
  }
}
