package dev.tern.core.quorum;

import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.wire.RoutedKey;
import java.util.function.IntPredicate;

/// What all operations on a key need to know.
///
/// @param keyspace whose key it is
/// @param at the key, as it is told to other nodes
/// @param replicas of the key
/// @param r answers a read needs, at most the list's length
/// @param w acknowledgements a write needs, likewise
/// @param pw of `w`, how many must come from the list
/// @param nearW how many of the list's replicas in this node's datacenter must acknowledge a write
/// @param sloppy whether other nodes may hold a write for replicas of the list that are away, and
///   answer a read with it
/// @param pr of `r`, how many must come from the list
/// @param stampsFirst whether a blind put asks `r` replicas for the key's stamp before it is minted
/// @param deadlineNanos monotonic
record Request(
    KeyspaceConfig keyspace,
    RoutedKey at,
    ReplicaSet replicas,
    long epoch,
    int r,
    int w,
    int pw,
    int nearW,
    boolean sloppy,
    int pr,
    boolean stampsFirst,
    long deadlineNanos) {

  /// @throws IllegalArgumentException if a read of fewer replicas than it needs, or more primaries
  ///   than answers are asked for: either could be answered wrongly
  Request {
    if (r < 1 || r > replicas.readSize() || pr > r) {
      throw new IllegalArgumentException(
          "a read of r=%d, pr=%d from %s".formatted(r, pr, replicas));
    }
    if (w < 1 || pw > w || nearW > w) {
      throw new IllegalArgumentException(
          "a write of w=%d, pw=%d, local %d to %s".formatted(w, pw, nearW, replicas));
    }
  }

  int slot() {
    return at.slot();
  }

  byte[] key() {
    return at.key();
  }

  /// What a read needs.
  Quorum reads() {
    return Quorum.reading(replicas, r, pr);
  }

  /// What a write needs that is of no local level.
  Quorum writes() {
    return Quorum.of(replicas, w, pw);
  }

  /// What a write needs.
  ///
  /// @param near whether a member is in this node's datacenter
  Quorum writes(IntPredicate near) {
    long places = 0;
    for (int place = 0; place < replicas.size(); place++) {
      places |= near.test(replicas.member(place)) ? Quorum.bit(place) : 0;
    }
    return Quorum.of(replicas, w, pw, nearW, places);
  }

  /// The level of the read before a write: it meets every write of level `w`.
  Request forUpdate() {
    int strict = Math.max(r, replicas.readSize() - w + 1);
    return at(strict, w, nearW, deadlineNanos);
  }

  /// Whether both ask for the same, whatever their keys and deadlines.
  boolean alike(Request other) {
    boolean counts = r == other.r && w == other.w && pr == other.pr && pw == other.pw;
    boolean kinds = nearW == other.nearW && sloppy == other.sloppy && epoch == other.epoch;
    return counts && kinds && replicas.equals(other.replicas);
  }

  /// The same with other levels and another deadline.
  Request at(int otherR, int otherW, int otherNearW, long otherDeadlineNanos) {
    return new Request(
        keyspace,
        at,
        replicas,
        epoch,
        otherR,
        otherW,
        Math.min(pw, otherW),
        otherNearW,
        sloppy,
        Math.min(pr, otherR),
        stampsFirst,
        otherDeadlineNanos);
  }

  /// The same of some of the replicas only, for a read.
  Request among(IntPredicate those) {
    ReplicaSet some = replicas.readers().among(those);
    return new Request(keyspace, at, some, epoch, r, w, pw, 0, sloppy, pr, false, deadlineNanos);
  }

  /// The same by a later entry of the partition; of shorter lists no more is asked than they have.
  /// Where all that a list had were fewer than the keyspace asks for, more are asked of a longer
  /// one: else a write would have too few votes of a list that others read by now.
  Request by(ReplicaSet later, long laterEpoch) {
    int longest = later.longest();
    int reads = Math.min(wanted(r, keyspace.r(), replicas.readSize()), later.readSize());
    int writes = Math.min(wanted(w, keyspace.w(), replicas.longest()), longest);
    if (stampsFirst) {
      int meeting = longest - Math.min(keyspace.r(), longest) + 1;
      writes = Math.max(writes, Math.max(longest / 2 + 1, meeting));
    }
    return new Request(
        keyspace,
        at,
        later,
        laterEpoch,
        reads,
        writes,
        Math.min(pw, writes),
        Math.min(nearW, writes),
        sloppy,
        Math.min(pr, reads),
        stampsFirst,
        deadlineNanos);
  }

  /// Votes that are asked for where lists may have more than `all`.
  private static int wanted(int votes, int usual, int all) {
    return votes == all ? Math.max(votes, usual) : votes;
  }

  /// The place of a node among the replicas, -1 if it is none of them.
  int place(int node) {
    return replicas.place(node);
  }
}
