package dev.tern.core.ring;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// Makes lists of replicas for partitions.
///
/// Why no consistent hashing (random tokens, rendezvous): their balance is statistical, and zones
/// and weights bend it further. There are few partitions, one planner, and lists are agreed upon,
/// so the balance may be exact and the moves the fewest.
public final class Planner {
  private Planner() {}

  /// Plans.
  ///
  /// @param candidates all members with different numbers, in any order; those that only leave, too
  /// @param n replicas of a partition; fewer where there are fewer members
  /// @param present lists by partition, empty ones for a new placement; numbers of members that are
  ///   no candidates count as gone
  /// @throws IllegalArgumentException if numbers repeat, n or a weight is out of range, or nobody
  ///   may hold a replica
  public static Plan plan(List<Candidate> candidates, int n, ZonePolicy policy, int[][] present) {
    List<Candidate> eligible = checked(candidates, n);
    Spread spread = new Spread(eligible, n, policy);
    int largest = eligible.getLast().number();
    int[] indexOf = new int[largest + 1];
    Arrays.fill(indexOf, Placement.NOBODY);
    for (int i = 0; i < eligible.size(); i++) {
      indexOf[eligible.get(i).number()] = i;
    }
    Shares shares = new Shares(spread, present.length);
    Placement placement = new Placement(spread, indices(present, indexOf));
    int[] ownedBefore = placement.owned.clone();
    placement.obeyZones(shares.exact);
    int[] wanted = shares.rounded(placement.owned);
    int least = leastMoves(ownedBefore, placement.owned, wanted);
    placement.reach(wanted);
    Leads leads = new Leads(placement.lists, eligible.size(), wanted, spread.n);
    leads.balance();
    assert Arrays.stream(placement.lists).allMatch(spread::suits) : "a list that no zones allow";
    int[][] lists = new int[present.length][];
    for (int p = 0; p < lists.length; p++) {
      lists[p] = Arrays.stream(placement.lists[p]).map(i -> eligible.get(i).number()).toArray();
    }
    List<Plan.Move> moves = moves(present, lists);
    return new Plan(lists, moves, lines(candidates, present, lists), least);
  }

  private static List<Candidate> checked(List<Candidate> candidates, int n) {
    List<Candidate> sorted = new ArrayList<>(candidates);
    sorted.sort(Comparator.comparingInt(Candidate::number));
    int before = 0;
    for (Candidate candidate : sorted) {
      if (candidate.number() <= before || candidate.weight() < 0) {
        throw new IllegalArgumentException(
            "members need different numbers from 1 on and weights from 0 on: " + candidate);
      }
      before = candidate.number();
    }
    sorted.removeIf(candidate -> !candidate.eligible());
    if (sorted.isEmpty() || n < 1) {
      throw new IllegalArgumentException("a placement needs n >= 1 and a member that stays");
    }
    return sorted;
  }

  private static int[][] indices(int[][] present, int[] indexOf) {
    int[][] lists = new int[present.length][];
    for (int p = 0; p < present.length; p++) {
      lists[p] = new int[present[p].length];
      for (int place = 0; place < lists[p].length; place++) {
        int number = present[p][place];
        lists[p][place] = number < indexOf.length ? indexOf[number] : Placement.NOBODY;
      }
    }
    return lists;
  }

  /// Each member has to get what it lacks, and each list what it lacks once it obeys the zones.
  private static int leastMoves(int[] before, int[] obeying, int[] wanted) {
    int lacking = 0;
    int holes = 0;
    for (int i = 0; i < wanted.length; i++) {
      lacking += Math.max(0, wanted[i] - before[i]);
      holes += wanted[i] - obeying[i];
    }
    return Math.max(lacking, holes);
  }

  private static List<Plan.Move> moves(int[][] present, int[][] lists) {
    List<Plan.Move> moves = new ArrayList<>();
    for (int p = 0; p < lists.length; p++) {
      int[] gone = without(present[p], lists[p]);
      int[] come = without(lists[p], present[p]);
      for (int i = 0; i < Math.max(gone.length, come.length); i++) {
        int from = i < gone.length ? gone[i] : 0;
        moves.add(new Plan.Move(p, from, i < come.length ? come[i] : 0));
      }
    }
    return moves;
  }

  private static int[] without(int[] list, int[] other) {
    return Arrays.stream(list).filter(m -> Arrays.stream(other).noneMatch(o -> o == m)).toArray();
  }

  private static List<Plan.Line> lines(List<Candidate> candidates, int[][] present, int[][] lists) {
    int largest = 0;
    for (Candidate candidate : candidates) {
      largest = Math.max(largest, candidate.number());
    }
    for (int[] list : present) {
      for (int member : list) {
        largest = Math.max(largest, member);
      }
    }
    boolean[] named = new boolean[largest + 1];
    candidates.forEach(candidate -> named[candidate.number()] = true);
    int[][] counts = new int[largest + 1][6];
    for (int p = 0; p < lists.length; p++) {
      count(present[p], counts, named, 0, 4);
      count(lists[p], counts, named, 1, 5);
      for (int member : without(lists[p], present[p])) {
        counts[member][2]++;
      }
      for (int member : without(present[p], lists[p])) {
        counts[member][3]++;
      }
    }
    List<Plan.Line> lines = new ArrayList<>();
    for (int m = 0; m <= largest; m++) {
      if (named[m]) {
        int[] c = counts[m];
        lines.add(new Plan.Line(m, c[0], c[1], c[2], c[3], c[4], c[5]));
      }
    }
    return lines;
  }

  private static void count(int[] list, int[][] counts, boolean[] named, int held, int led) {
    for (int place = 0; place < list.length; place++) {
      named[list[place]] = true;
      counts[list[place]][held]++;
      if (place == 0) {
        counts[list[place]][led]++;
      }
    }
  }
}
