package dev.tern.core.gossip;

/// The time a suspected member has to object: long at first, shorter with each independent accuser
/// (Lifeguard's dynamic suspicion timeout).
final class Suspicion {
  /// Distinct; the first is whose accusation began it.
  private final int[] accusers = new int[GossipBounds.CONFIRMATIONS + 1];

  /// How many accusers beside the first it takes for the shortest time.
  private final int needed;

  private final long minMillis;
  private final long maxMillis;
  private int count = 1;
  private long begunMillis;

  Suspicion(int accuser, int members, long nowMillis) {
    this.needed = GossipBounds.confirmations(members);
    this.minMillis = GossipBounds.suspicionMinMillis(members);
    this.maxMillis = GossipBounds.suspicionMaxMillis(members);
    this.begunMillis = nowMillis;
    this.accusers[0] = accuser;
  }

  /// Takes an accuser; false if it is known or no further one matters.
  boolean confirm(int accuser) {
    if (count > needed || accusedBy(accuser)) {
      return false;
    }
    accusers[count++] = accuser;
    assert java.util.Arrays.stream(accusers, 0, count).distinct().count() == count;
    return true;
  }

  int first() {
    return accusers[0];
  }

  boolean accusedBy(int member) {
    for (int i = 0; i < count; i++) {
      if (accusers[i] == member) {
        return true;
      }
    }
    return false;
  }

  /// From then on the member is dead.
  long deadlineMillis() {
    if (count > needed) {
      return begunMillis + minMillis;
    }
    double part = Math.log(count) / Math.log(needed + 1);
    return begunMillis
        + Math.max(minMillis, Math.round(maxMillis - part * (maxMillis - minMillis)));
  }

  /// This member was held up for so long: that was nobody's silence.
  void postpone(long millis) {
    begunMillis += millis;
  }
}
