package dev.tern.core.quorum;

import dev.tern.core.topology.ReplicaSet;

/// What a request needs of a key's replicas, and what their votes come to. Immutable, without I/O.
///
/// A vote is *yes*, *open* (asked, may still say yes) or anything else. Places of replicas are bits
/// of a long. The votes come to:
///
/// ```
///   MET   enough have said yes
///   OPEN  enough may still say yes
///   LOST  whatever the open ones say, it will not be enough
/// ```
///
/// The request needs so many votes of the list, and of these so many
/// - of *primaries*: replicas of the list that speak for themselves, not through a stand-in that
///   holds the write for them (Riak's pr and pw);
/// - of *near* primaries: replicas in the coordinator's datacenter.
///
/// A count of durable votes (Riak's dw) is not kept apart: a replica says yes only when the write
/// is as durable as its keyspace asks for, so dw raises the votes that are needed.
///
/// While a partition moves it has two lists ([ReplicaSet]). Each list must be met by itself, and
/// one that is lost loses the request. The same yes counts in both lists where a replica is in
/// both.
///
/// After etcd-io/raft's `quorum` package (MajorityConfig, JointConfig), with counts in place of
/// majorities.
final class Quorum {
  /// What votes come to.
  enum Outcome {
    MET,
    OPEN,
    LOST
  }

  /// Lists of up to so many replicas share their quorums of plain votes.
  private static final int SHARED = 16;

  /// By length of the only list and votes needed: quorums that nearly every request uses.
  private static final Quorum[][] PLAIN = plain();

  /// A bit for each place of the old list, or of the only one.
  private final long oldPlaces;

  private final long newPlaces;

  /// Votes that each list needs.
  private final int oldNeeded;

  private final int newNeeded;

  /// Of these from replicas of the list itself.
  private final int primaries;

  /// Of these from the datacenter of the coordinator.
  private final int near;

  /// A bit for each place there; none where `near` is 0.
  private final long nearPlaces;

  private Quorum(
      long oldPlaces,
      long newPlaces,
      int oldNeeded,
      int newNeeded,
      int primaries,
      int near,
      long nearPlaces) {
    assert primaries <= Math.min(oldNeeded, newNeeded) : "more primaries than votes";
    assert near <= Math.min(oldNeeded, newNeeded) : "more near votes than votes";
    this.oldPlaces = oldPlaces;
    this.newPlaces = newPlaces;
    this.oldNeeded = oldNeeded;
    this.newNeeded = newNeeded;
    this.primaries = primaries;
    this.near = near;
    this.nearPlaces = nearPlaces;
  }

  private static Quorum[][] plain() {
    Quorum[][] plain = new Quorum[SHARED + 1][SHARED + 1];
    for (int n = 1; n <= SHARED; n++) {
      long places = -1L >>> Long.SIZE - n;
      for (int needed = 0; needed <= SHARED; needed++) {
        plain[n][needed] = new Quorum(places, places, needed, needed, 0, 0, 0);
      }
    }
    return plain;
  }

  /// So many votes of each list.
  static Quorum of(ReplicaSet replicas, int needed) {
    return of(replicas, needed, 0);
  }

  /// So many votes of each list, of these some from primaries.
  static Quorum of(ReplicaSet replicas, int needed, int primaries) {
    boolean shared = primaries == 0 && needed <= SHARED && isOneShortList(replicas);
    return shared ? PLAIN[replicas.size()][needed] : of(replicas, needed, primaries, 0, 0);
  }

  private static boolean isOneShortList(ReplicaSet replicas) {
    int size = replicas.size();
    return size > 0 && size <= SHARED && replicas.oldPlaces() == replicas.newPlaces();
  }

  /// So many votes of the list that reads ask, of these some from primaries.
  static Quorum reading(ReplicaSet replicas, int needed, int primaries) {
    long places = replicas.readPlaces();
    return replicas.isStable()
        ? of(replicas, needed, primaries)
        : joint(places, places, needed, primaries, 0, 0);
  }

  /// So many votes of each list, of these some from primaries and some from near ones.
  ///
  /// @param nearPlaces a bit for each place in the coordinator's datacenter
  static Quorum of(ReplicaSet replicas, int needed, int primaries, int near, long nearPlaces) {
    return joint(replicas.oldPlaces(), replicas.newPlaces(), needed, primaries, near, nearPlaces);
  }

  /// As [#of], of two lists that may differ. Of a list that is shorter than that all votes are
  /// needed.
  static Quorum joint(
      long oldPlaces, long newPlaces, int needed, int primaries, int near, long nearPlaces) {
    if (oldPlaces == newPlaces) {
      return new Quorum(oldPlaces, newPlaces, needed, needed, primaries, near, nearPlaces);
    }
    int oldNeeded = Math.min(needed, Long.bitCount(oldPlaces));
    int newNeeded = Math.min(needed, Long.bitCount(newPlaces));
    int both = Math.min(oldNeeded, newNeeded);
    return new Quorum(
        oldPlaces,
        newPlaces,
        oldNeeded,
        newNeeded,
        Math.min(primaries, both),
        Math.min(near, both),
        nearPlaces);
  }

  /// The replicas that must hold a record so that no later read of `r` replicas, nor of most, sees
  /// less.
  static Quorum meetingReads(ReplicaSet replicas, int r) {
    long before = replicas.oldPlaces();
    long after = replicas.newPlaces();
    int needed = holders(Long.bitCount(before), r);
    return new Quorum(before, after, needed, holders(Long.bitCount(after), r), 0, 0, 0);
  }

  /// Of so many of `n` replicas one is among any `r`, and among most.
  static int holders(int n, int r) {
    return Math.max(n - r + 1, n / 2 + 1);
  }

  /// The bit of a place.
  static long bit(int place) {
    return 1L << place;
  }

  /// Votes that are needed of the old list, or of the only one.
  int needed() {
    return oldNeeded;
  }

  /// What votes come to.
  ///
  /// @param yes the places whose votes count
  /// @param open those that may still say yes
  /// @param standIns those for which another node votes
  Outcome outcome(long yes, long open, long standIns) {
    assert (yes & open) == 0 : "a place has voted and is open";
    boolean joint = newPlaces != oldPlaces;
    if (meets(oldPlaces, oldNeeded, yes, standIns)
        && (!joint || meets(newPlaces, newNeeded, yes, standIns))) {
      return Outcome.MET;
    }
    long may = yes | open;
    return meets(oldPlaces, oldNeeded, may, standIns)
            && (!joint || meets(newPlaces, newNeeded, may, standIns))
        ? Outcome.OPEN
        : Outcome.LOST;
  }

  private boolean meets(long list, int needed, long votes, long standIns) {
    long here = votes & list;
    long own = here & ~standIns;
    return Long.bitCount(here) >= needed
        && (primaries == 0 || Long.bitCount(own) >= primaries)
        && (near == 0 || Long.bitCount(own & nearPlaces) >= near);
  }

  @Override
  public String toString() {
    return "%d/%x %d/%x, primaries %d, near %d/%x"
        .formatted(oldNeeded, oldPlaces, newNeeded, newPlaces, primaries, near, nearPlaces);
  }
}
