package dev.tern.core.topology;

import java.util.Arrays;
import java.util.function.IntPredicate;

/// The replicas of one partition, and how far a change of them has come. Immutable.
///
/// A partition has one list of replicas, in order of preference. While the partition moves it has
/// two: the *old* list and the *new* one, which takes the place of the old one by the steps below
/// (the joint consensus of Raft, cut to what a quorum store needs). So far no partition moves:
/// every set is stable.
///
/// ```
///   phase      writes go to   reads ask   first live replica of
///   filling    old and new    old         old
///   switched   old and new    new         old
///   fenced     new            new         new     old ones still hold back strips and trims
///   stable     the one list   the list    the list
/// ```
///
/// A replica has a *place*: its index in [#members], those of the old list first, then those that
/// only the new list has. Votes are counted by place. What a request needs holds in each list by
/// itself.
///
/// Invariants, checked when a set is made: no member is in a list twice, because it would count
/// twice; there are at most [#MAX_PLACES] places, because sets of places are bits of a long.
public final class ReplicaSet {
  /// Of both lists together.
  public static final int MAX_PLACES = Long.SIZE;

  /// How far a change of the replicas has come.
  public enum Phase {
    /// There is one list.
    STABLE
  }

  private final Phase phase;

  /// By place; shared with callers, who do not change it.
  private final int[] members;

  /// Bit `i` stands for place `i`.
  private final long oldPlaces;

  private final long newPlaces;

  private ReplicaSet(Phase phase, int[] members, long oldPlaces, long newPlaces) {
    this.phase = phase;
    this.members = members;
    this.oldPlaces = oldPlaces;
    this.newPlaces = newPlaces;
  }

  /// One list.
  ///
  /// @param members their numbers in order of preference; the set's own from now on
  /// @throws IllegalArgumentException if one repeats or there are too many
  public static ReplicaSet stable(int... members) {
    if (members.length > MAX_PLACES) {
      throw new IllegalArgumentException(
          "a partition of %d replicas, more than %d".formatted(members.length, MAX_PLACES));
    }
    for (int place = 1; place < members.length; place++) {
      for (int before = 0; before < place; before++) {
        if (members[before] == members[place]) {
          throw new IllegalArgumentException(
              "member %d is twice in the list %s"
                  .formatted(members[place], Arrays.toString(members)));
        }
      }
    }
    long places = firstPlaces(members.length);
    return new ReplicaSet(Phase.STABLE, members, places, places);
  }

  private static long firstPlaces(int count) {
    return count == 0 ? 0 : -1L >>> Long.SIZE - count;
  }

  public Phase phase() {
    return phase;
  }

  /// How many places there are.
  public int size() {
    return members.length;
  }

  /// The member at a place.
  public int member(int place) {
    return members[place];
  }

  /// The place of a member, -1 if it is none of the replicas.
  public int place(int member) {
    for (int place = 0; place < members.length; place++) {
      if (members[place] == member) {
        return place;
      }
    }
    return -1;
  }

  /// Whether a member is one of the replicas.
  public boolean has(int member) {
    return place(member) >= 0;
  }

  /// Member numbers by place, in order of preference; shared, do not change.
  public int[] members() {
    return members;
  }

  /// The places of the old list, a bit for each.
  public long oldPlaces() {
    return oldPlaces;
  }

  /// The places of the new list; those of the old one while there is one list.
  public long newPlaces() {
    return newPlaces;
  }

  /// The first `n` of each list; all if there are no more.
  public ReplicaSet first(int n) {
    return n >= members.length ? this : stable(Arrays.copyOf(members, n));
  }

  /// Some of the replicas, in the same order.
  public ReplicaSet among(IntPredicate those) {
    int[] some = new int[members.length];
    int count = 0;
    for (int member : members) {
      if (those.test(member)) {
        some[count++] = member;
      }
    }
    return count == members.length ? this : stable(Arrays.copyOf(some, count));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ReplicaSet that
        && phase == that.phase
        && oldPlaces == that.oldPlaces
        && newPlaces == that.newPlaces
        && Arrays.equals(members, that.members);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(members);
  }

  @Override
  public String toString() {
    return phase + Arrays.toString(members);
  }
}
