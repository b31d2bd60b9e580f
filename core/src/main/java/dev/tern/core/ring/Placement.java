package dev.tern.core.ring;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/// Lists of replicas that change from the present ones to such that give each member its share.
///
/// Lists that obey the zones are the bases of a matroid, and a member may take another's place in a
/// list or not; so if the shares can be had at all, a chain of exchanges leads from a member that
/// has too much (or a list that lacks one) to a member that has too little, and the shortest chain
/// moves the least.
final class Placement {
  /// A missing replica.
  static final int NOBODY = -1;

  private final Spread spread;

  /// By partition: member indices, [#NOBODY] where a replica is missing; n places once [#obeyZones]
  /// is done.
  final int[][] lists;

  /// By member index: the partitions it holds.
  private final BitSet[] held;

  /// By member index: the partitions it held at first, and need not get.
  private final BitSet[] present;

  /// By member index: how many it holds.
  final int[] owned;

  /// By member index: how many it shall hold.
  private int[] shares = new int[0];

  /// By zone: what its members lack.
  private final int[] zoneLacks;

  /// Of the list last looked at: by zone, how many of it stand there; and how many are beyond the
  /// least of their zones.
  private final int[] inZone;

  private int beyond;

  /// The zones where [#inZone] is not 0, each as often as it says.
  private final int[] looked;

  private int lookedCount;

  /// @param lists present ones, as member indices; those that may hold nothing are missing already
  Placement(Spread spread, int[][] lists) {
    this.spread = spread;
    this.lists = lists;
    int members = spread.members.size();
    this.held = new BitSet[members];
    this.present = new BitSet[members];
    this.owned = new int[members];
    this.zoneLacks = new int[spread.zones];
    this.inZone = new int[spread.zones];
    this.looked =
        new int[Arrays.stream(lists).mapToInt(list -> list.length).max().orElse(0) + spread.n];
    for (int i = 0; i < members; i++) {
      held[i] = new BitSet(lists.length);
    }
    for (int p = 0; p < lists.length; p++) {
      for (int member : lists[p]) {
        if (member != NOBODY) {
          held[member].set(p);
          owned[member]++;
        }
      }
    }
    for (int i = 0; i < members; i++) {
      present[i] = (BitSet) held[i].clone();
    }
  }

  /// Takes out of each list what its zones forbid, and no more, from the members that hold most
  /// above their shares. Then lists have n places.
  void obeyZones(double[] exact) {
    for (int p = 0; p < lists.length; p++) {
      int place = forbidden(p, exact);
      while (place != NOBODY) {
        put(p, place, NOBODY);
        place = forbidden(p, exact);
      }
      lists[p] = ofWidth(lists[p], spread.n);
    }
  }

  /// The place in a list that should be emptied, [#NOBODY] if none. A zone over its limit comes
  /// before a list with too much beyond the least of its zones: the one may cure the other.
  private int forbidden(int p, double[] exact) {
    look(p, NOBODY);
    boolean over = false;
    for (int i = 0; i < lookedCount; i++) {
      over |= inZone[looked[i]] > spread.most[looked[i]];
    }
    if (!over && beyond <= spread.spare) {
      return NOBODY;
    }
    int[] limits = over ? spread.most : spread.least;
    int worst = NOBODY;
    for (int place = 0; place < lists[p].length; place++) {
      int member = lists[p][place];
      if (member != NOBODY
          && inZone[spread.zoneOf[member]] > limits[spread.zoneOf[member]]
          && (worst == NOBODY || above(member, exact) > above(lists[p][worst], exact))) {
        worst = place;
      }
    }
    return worst;
  }

  /// The members of a list in their order, in so many places; what stood at a place stays there if
  /// the list does not get shorter.
  private static int[] ofWidth(int[] list, int width) {
    int[] result = new int[width];
    Arrays.fill(result, NOBODY);
    if (list.length <= width) {
      System.arraycopy(list, 0, result, 0, list.length);
      return result;
    }
    int place = 0;
    for (int member : list) {
      if (member != NOBODY) {
        result[place++] = member;
      }
    }
    return result;
  }

  private double above(int member, double[] exact) {
    return owned[member] - exact[member];
  }

  /// Fills every hole and evens out every surplus.
  void reach(int[] wanted) {
    shares = wanted;
    Arrays.fill(zoneLacks, 0);
    for (int i = 0; i < owned.length; i++) {
      zoneLacks[spread.zoneOf[i]] += shares[i] - owned[i];
    }
    List<int[]> stuck = new ArrayList<>();
    for (int p = 0; p < lists.length; p++) {
      for (int place = 0; place < spread.n; place++) {
        if (lists[p][place] == NOBODY && !fill(p, place)) {
          stuck.add(new int[] {p, place});
        }
      }
    }
    for (int[] hole : stuck) {
      exchange(NOBODY, hole[0], hole[1]);
    }
    for (int member = 0; member < owned.length; member++) {
      boolean given = true;
      while (given && owned[member] > shares[member]) {
        given = giveAway(member);
      }
    }
    for (int member = 0; member < owned.length; member++) {
      while (owned[member] > shares[member]) {
        exchange(member, 0, 0);
      }
    }
  }

  private boolean fill(int p, int place) {
    look(p, NOBODY);
    int best = taker(p);
    if (best != NOBODY) {
      put(p, place, best);
    }
    return best != NOBODY;
  }

  /// Who should join the list last looked at: the member that lacks most in the zone that lacks
  /// most; of equals, any, so that a member shares its partitions with many others.
  private int taker(int p) {
    int best = NOBODY;
    int bestZone = 0;
    int bestLack = 0;
    int bestMix = 0;
    for (int member = 0; member < owned.length; member++) {
      int lack = shares[member] - owned[member];
      int zone = zoneLacks[spread.zoneOf[member]];
      boolean less = zone < bestZone || zone == bestZone && lack < bestLack;
      if (lack <= 0 || best != NOBODY && less || held[member].get(p) || !fits(member)) {
        continue;
      }
      int mix = mix(p, member);
      if (best == NOBODY || zone > bestZone || lack > bestLack || mix > bestMix) {
        best = member;
        bestZone = zone;
        bestLack = lack;
        bestMix = mix;
      }
    }
    return best;
  }

  private static int mix(int p, int member) {
    int hash = (p * 0x9e3779b1 ^ member) * 0x85ebca6b;
    hash = (hash ^ hash >>> 15) * 0xc2b2ae35;
    return hash ^ hash >>> 16;
  }

  /// Moves one replica from a member straight to one that lacks; false if none may take any.
  private boolean giveAway(int from) {
    for (int p = held[from].nextSetBit(0); p >= 0; p = held[from].nextSetBit(p + 1)) {
      look(p, from);
      int best = taker(p);
      if (best != NOBODY) {
        put(p, placeOf(p, from), best);
        return true;
      }
    }
    return false;
  }

  /// Moves along the shortest chain from a surplus (or, if `from` is nobody, a hole) to a member
  /// that lacks: one of members that hand on what they were only going to get, if there is one, for
  /// that costs no move; otherwise any.
  private void exchange(int from, int holePartition, int holePlace) {
    if (!exchange(from, holePartition, holePlace, true)
        && !exchange(from, holePartition, holePlace, false)) {
      throw new AssertionError("the shares cannot be reached");
    }
  }

  private boolean exchange(int from, int holePartition, int holePlace, boolean free) {
    int members = owned.length;
    int[] giver = new int[members];
    int[] through = new int[members];
    boolean[] seen = new boolean[members];
    int[] queue = new int[members];
    int tail = 0;
    if (from == NOBODY) {
      look(holePartition, NOBODY);
      tail = reach(NOBODY, holePartition, giver, through, seen, queue, 0);
    } else {
      seen[from] = true;
      queue[tail++] = from;
    }
    for (int head = 0; head < tail; head++) {
      int member = queue[head];
      if (owned[member] < shares[member]) {
        follow(member, from, holePartition, holePlace, giver, through);
        return true;
      }
      for (int p = held[member].nextSetBit(0); p >= 0; p = held[member].nextSetBit(p + 1)) {
        if (!free || member == from || !present[member].get(p)) {
          look(p, member);
          tail = reach(member, p, giver, through, seen, queue, tail);
        }
      }
    }
    return false;
  }

  /// Queues whoever may take `member`'s place in p and was not met yet; the new end of the queue.
  private int reach(
      int member, int p, int[] giver, int[] through, boolean[] seen, int[] queue, int tail) {
    for (int other = 0; other < owned.length; other++) {
      if (!seen[other] && !held[other].get(p) && fits(other)) {
        seen[other] = true;
        giver[other] = member;
        through[other] = p;
        queue[tail++] = other;
      }
    }
    return tail;
  }

  private void follow(
      int last, int from, int holePartition, int holePlace, int[] giver, int[] through) {
    int taker = last;
    while (taker != from) {
      int member = giver[taker];
      int p = through[taker];
      int place = member == NOBODY ? holePlace : placeOf(p, member);
      assert member != NOBODY || p == holePartition;
      put(p, place, taker);
      taker = member;
    }
  }

  private int placeOf(int p, int member) {
    for (int place = 0; place < spread.n; place++) {
      if (lists[p][place] == member) {
        return place;
      }
    }
    throw new AssertionError("member " + member + " does not hold partition " + p);
  }

  private void put(int p, int place, int member) {
    int before = lists[p][place];
    if (before != NOBODY) {
      held[before].clear(p);
      owned[before]--;
      zoneLacks[spread.zoneOf[before]]++;
    }
    lists[p][place] = member;
    if (member != NOBODY) {
      held[member].set(p);
      owned[member]++;
      zoneLacks[spread.zoneOf[member]]--;
    }
  }

  /// Counts the zones of a list, one member left out.
  private void look(int p, int without) {
    for (int i = 0; i < lookedCount; i++) {
      inZone[looked[i]] = 0;
    }
    lookedCount = 0;
    beyond = 0;
    for (int member : lists[p]) {
      if (member != NOBODY && member != without) {
        int zone = spread.zoneOf[member];
        looked[lookedCount++] = zone;
        if (inZone[zone]++ >= spread.least[zone]) {
          beyond++;
        }
      }
    }
  }

  /// Whether the list last looked at may have a member more.
  private boolean fits(int member) {
    int zone = spread.zoneOf[member];
    return inZone[zone] < spread.least[zone]
        || inZone[zone] < spread.most[zone] && beyond < spread.spare;
  }
}
