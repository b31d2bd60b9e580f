package dev.tern.core.quorum;

import dev.tern.core.replica.Replica;
import dev.tern.core.topology.Member;
import dev.tern.env.Clock;
import dev.tern.env.Network;
import java.util.Arrays;
import java.util.List;

/// Who answers: a member is believed alive while its connection is open and something came from it
/// within [#SUSPECT_NANOS] before this shard's last heartbeat. A stand-in for gossip, with the same
/// question to ask.
///
/// Time that this shard itself was held up (its heartbeat came late) is nobody else's silence: what
/// others sent meanwhile waits to be read (after Lifeguard, Dadgar et al., 2018: doubt yourself
/// first).
final class Peers {
  /// How often a heartbeat goes out, nanoseconds.
  static final long HEARTBEAT_NANOS = 200_000_000;

  /// Silence after which a member is believed dead, nanoseconds.
  static final long SUSPECT_NANOS = 1_000_000_000;

  private final int shard;
  private final int self;
  private List<Member> members;
  private final Network network;
  private final Clock clock;

  /// By member number; 0 for never.
  private long[] heardNanos;

  /// When this shard last sent its heartbeats.
  private long beatNanos;

  /// What a member's wall clock said less our monotonic one, which never jumps, milliseconds.
  private long[] offsetMillis;

  /// Whose clock was ever heard of.
  private boolean[] clockKnown;

  Peers(int shard, int self, List<Member> members, Network network, Clock clock) {
    this.shard = shard;
    this.self = self;
    this.members = members;
    this.network = network;
    this.clock = clock;
    int largest = members.getLast().number();
    this.heardNanos = new long[largest + 1];
    Arrays.fill(heardNanos, Long.MIN_VALUE);
    this.offsetMillis = new long[largest + 1];
    this.clockKnown = new boolean[largest + 1];
  }

  /// Other members from now on.
  void members(List<Member> present) {
    members = present;
    int before = heardNanos.length;
    int size = Math.max(before, present.getLast().number() + 1);
    heardNanos = Arrays.copyOf(heardNanos, size);
    Arrays.fill(heardNanos, before, size, Long.MIN_VALUE);
    offsetMillis = Arrays.copyOf(offsetMillis, size);
    clockKnown = Arrays.copyOf(clockKnown, size);
  }

  boolean live(int member) {
    if (member == self) {
      return true;
    }
    if (member < 1 || member >= heardNanos.length) {
      return false;
    }
    long heard = heardNanos[member];
    return heard != Long.MIN_VALUE
        && beatNanos - heard < SUSPECT_NANOS
        && network.connected(shard, member);
  }

  /// This shard sends its heartbeats.
  void beat() {
    long now = clock.monotonicNanos();
    long late = now - beatNanos - HEARTBEAT_NANOS;
    for (int member = 1; member < heardNanos.length && late > HEARTBEAT_NANOS; member++) {
      if (heardNanos[member] != Long.MIN_VALUE) {
        heardNanos[member] = Math.min(now, heardNanos[member] + late);
      }
    }
    beatNanos = now;
  }

  void heard(int member) {
    if (member > 0 && member < heardNanos.length) {
      heardNanos[member] = clock.monotonicNanos();
    }
  }

  void heartbeat(int member, long wallMillis) {
    if (member > 0 && member < offsetMillis.length) {
      offsetMillis[member] = wallMillis - monotonicMillis();
      clockKnown[member] = true;
    }
  }

  /// The first member of a list believed alive, 0 if none.
  int firstLive(int[] replicas) {
    for (int member : replicas) {
      if (live(member)) {
        return member;
      }
    }
    return 0;
  }

  /// What to add to the monotonic clock for the time that stamps are minted by: the median of the
  /// members' wall clocks as last heard. [Replica#TIME_UNKNOWN] while less than a majority is
  /// known: one clock alone is not to be trusted, for what it stamps too high wins while it is
  /// ahead.
  long timeOffsetMillis() {
    heartbeat(self, clock.wallMillis());
    long[] offsets = new long[members.size()];
    int known = 0;
    for (Member member : members) {
      if (clockKnown[member.number()]) {
        offsets[known++] = offsetMillis[member.number()];
      }
    }
    if (known <= offsets.length / 2) {
      return Replica.TIME_UNKNOWN;
    }
    Arrays.sort(offsets, 0, known);
    return offsets[(known - 1) / 2];
  }

  private long monotonicMillis() {
    return clock.monotonicNanos() / 1_000_000;
  }
}
