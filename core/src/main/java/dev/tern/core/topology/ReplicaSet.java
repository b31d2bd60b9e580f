package dev.tern.core.topology;

import java.util.Arrays;
import java.util.function.IntPredicate;

/// The replicas of one partition, and how far a change of them has come. Immutable.
///
/// A partition has one list of replicas, in order of preference. While the partition moves it has
/// two: the *old* list and the *new* one, which takes the place of the old one by the steps below
/// (the joint consensus of Raft, cut to what a quorum store needs).
///
/// ```
///   phase      writes go to   reads ask   leaders are of
///   filling    old and new    old         old
///   switched   old and new    new         old
///   fenced     new            new         new     old ones still hold back strips and trims
///   stable     the one list   the list    the list
/// ```
///
/// A replica has a *place*: its index in [#members], those of the old list first, then those that
/// only the new list has. Votes are counted by place. What a request needs holds in each list by
/// itself. A replica that only the new list has is *pending* until the set is switched: it stores
/// writes and acknowledges them, and does nothing else.
///
/// Invariants, checked when a set is made: no member is in a list twice, because it would count
/// twice; there are at most [#MAX_PLACES] places, because sets of places are bits of a long.
public final class ReplicaSet {
  /// Of both lists together.
  public static final int MAX_PLACES = Long.SIZE;

  /// How far a change of the replicas has come. The ordinal is stored: add at the end.
  public enum Phase {
    /// There is one list.
    STABLE,
    /// The new list's replicas get what they lack.
    FILLING,
    /// They have it, and are read.
    SWITCHED,
    /// The new list alone is written, read and led.
    FENCED
  }

  private final Phase phase;

  /// By place; shared with callers, who do not change it.
  private final int[] members;

  /// In order of preference. The same array while there is one list.
  private final int[] oldList;

  private final int[] newList;

  /// Bit `i` stands for place `i`.
  private final long oldPlaces;

  private final long newPlaces;

  /// The list that leads, as a set of its own.
  private final ReplicaSet leaders;

  private ReplicaSet(int[] members) {
    this.phase = Phase.STABLE;
    this.members = members;
    this.oldList = members;
    this.newList = members;
    this.oldPlaces = firstPlaces(members.length);
    this.newPlaces = oldPlaces;
    this.leaders = this;
  }

  private ReplicaSet(Phase phase, int[] members, int[] oldList, int[] newList) {
    assert phase != Phase.STABLE : "two lists of a stable set";
    this.phase = phase;
    this.members = members;
    this.oldList = oldList;
    this.newList = newList;
    this.oldPlaces = firstPlaces(oldList.length);
    long places = 0;
    for (int member : newList) {
      places |= 1L << place(member);
    }
    this.newPlaces = places;
    this.leaders = stable(phase == Phase.FENCED ? newList : oldList);
  }

  /// One list.
  ///
  /// @param members their numbers in order of preference; the set's own from now on
  /// @throws IllegalArgumentException if one repeats or there are too many
  public static ReplicaSet stable(int... members) {
    checkList(members);
    return new ReplicaSet(members);
  }

  /// Two lists.
  ///
  /// @param phase not stable
  /// @param oldList in order of preference; the set's own from now on, as is the other
  /// @throws IllegalArgumentException if a member repeats in a list or there are too many
  public static ReplicaSet moving(Phase phase, int[] oldList, int[] newList) {
    if (phase == Phase.STABLE) {
      throw new IllegalArgumentException("a stable set has one list");
    }
    checkList(oldList);
    checkList(newList);
    int[] members = Arrays.copyOf(oldList, oldList.length + newList.length);
    int count = oldList.length;
    for (int member : newList) {
      if (!names(oldList, member)) {
        members[count++] = member;
      }
    }
    checkCount(count);
    return new ReplicaSet(phase, Arrays.copyOf(members, count), oldList, newList);
  }

  private static void checkCount(int places) {
    if (places > MAX_PLACES) {
      throw new IllegalArgumentException(
          "a partition of %d replicas, more than %d".formatted(places, MAX_PLACES));
    }
  }

  private static void checkList(int[] list) {
    checkCount(list.length);
    for (int place = 1; place < list.length; place++) {
      for (int before = 0; before < place; before++) {
        if (list[before] == list[place]) {
          throw new IllegalArgumentException(
              "member %d is twice in the list %s".formatted(list[place], Arrays.toString(list)));
        }
      }
    }
  }

  private static long firstPlaces(int count) {
    return count == 0 ? 0 : -1L >>> Long.SIZE - count;
  }

  public Phase phase() {
    return phase;
  }

  /// Whether there is one list.
  public boolean isStable() {
    return phase == Phase.STABLE;
  }

  /// How many places there are.
  public int size() {
    return members.length;
  }

  /// The member at a place.
  public int member(int place) {
    return members[place];
  }

  /// Whether a list of members names one.
  public static boolean names(int[] list, int member) {
    return Arrays.stream(list).anyMatch(each -> each == member);
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

  /// Whether a member is one of the replicas, of either list.
  public boolean has(int member) {
    return place(member) >= 0;
  }

  /// Member numbers by place; shared, do not change.
  public int[] members() {
    return members;
  }

  /// The old list in order of preference, or the only one; shared, do not change.
  public int[] oldList() {
    return oldList;
  }

  /// The new list in order of preference, or the only one; shared, do not change.
  public int[] newList() {
    return newList;
  }

  /// The places of the old list, a bit for each.
  public long oldPlaces() {
    return oldPlaces;
  }

  /// The places of the new list; those of the old one while there is one list.
  public long newPlaces() {
    return newPlaces;
  }

  /// All places, a bit for each.
  public long places() {
    return oldPlaces | newPlaces;
  }

  /// The places that both lists have, a bit for each.
  public long commonPlaces() {
    return oldPlaces & newPlaces;
  }

  /// How many replicas the longer of the lists has.
  public int longest() {
    return Math.max(oldList.length, newList.length);
  }

  /// The places that reads ask, a bit for each.
  public long readPlaces() {
    return phase == Phase.FILLING ? oldPlaces : newPlaces;
  }

  /// The list that reads ask, as a set of its own.
  public ReplicaSet readers() {
    return isStable() ? this : stable(phase == Phase.FILLING ? oldList : newList);
  }

  /// How many replicas reads may ask.
  public int readSize() {
    return Long.bitCount(readPlaces());
  }

  /// The one list whose first live replica leads updates, expiry and scans, and which clients are
  /// told.
  public ReplicaSet leaders() {
    return leaders;
  }

  /// What requests go to: both lists until the set is fenced.
  public ReplicaSet serving() {
    return phase == Phase.FENCED ? leaders : this;
  }

  /// Whether the new list is shorter: then those that stay have to get what those that leave have.
  public boolean shrinks() {
    return newList.length < oldList.length;
  }

  /// Whether a member waits to be filled, see above.
  public boolean isPending(int member) {
    int place = place(member);
    return phase == Phase.FILLING && place >= 0 && (oldPlaces & 1L << place) == 0;
  }

  /// Whether a member may give versions their dots: a replica that requests go to and that is not
  /// pending.
  public boolean mints(int member) {
    return serving().has(member) && !isPending(member);
  }

  /// The first `n` of each list; all if there are no more.
  public ReplicaSet first(int n) {
    if (n >= oldList.length && n >= newList.length) {
      return this;
    }
    int[] oldOnes = Arrays.copyOf(oldList, Math.min(n, oldList.length));
    int[] newOnes = Arrays.copyOf(newList, Math.min(n, newList.length));
    return isStable() ? stable(oldOnes) : moving(phase, oldOnes, newOnes);
  }

  /// Some of the replicas of a set of one list, in the same order.
  public ReplicaSet among(IntPredicate those) {
    assert isStable() : "some of two lists";
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
        && Arrays.equals(oldList, that.oldList)
        && Arrays.equals(newList, that.newList);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(oldList) + Arrays.hashCode(newList);
  }

  @Override
  public String toString() {
    return isStable()
        ? Arrays.toString(members)
        : "%s %s to %s".formatted(phase, Arrays.toString(oldList), Arrays.toString(newList));
  }
}
