package dev.tern.core.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntPredicate;

/// Who votes in the topology log: five of five or more members, else three, else all; spread over
/// zones; as few changes as that allows.
public final class Voters {
  private static final int MANY = 5;
  private static final int FEW = 3;

  private Voters() {}

  /// Chooses. A pure function; the order of members means nothing.
  ///
  /// @param members all; those that leave do not vote
  /// @param present who votes now; empty at the founding
  /// @param healthy whether a member is to be relied on; others keep their vote if there are too
  ///   few, and get none
  /// @return numbers, sorted
  public static List<Integer> choose(
      List<MemberEntry> members, List<Integer> present, IntPredicate healthy) {
    TreeMap<String, List<Integer>> zones = new TreeMap<>();
    TreeSet<Integer> unhealthy = new TreeSet<>();
    int staying = 0;
    for (MemberEntry member : members) {
      if (member.leaving()) {
        continue;
      }
      staying++;
      if (healthy.test(member.number())) {
        zones.computeIfAbsent(member.zone(), zone -> new ArrayList<>()).add(member.number());
      } else {
        unhealthy.add(member.number());
      }
    }
    int wanted = staying >= MANY ? MANY : Math.min(FEW, staying);
    zones.values().forEach(zone -> zone.sort((a, b) -> compare(a, b, present)));
    TreeSet<Integer> chosen = new TreeSet<>();
    Map<String, Integer> taken = new TreeMap<>();
    while (chosen.size() < wanted && !zones.isEmpty()) {
      String zone = next(zones, taken, present);
      List<Integer> left = zones.getOrDefault(zone, List.of());
      chosen.add(left.removeFirst());
      taken.merge(zone, 1, Integer::sum);
      if (left.isEmpty()) {
        zones.remove(zone);
      }
    }
    fill(chosen, wanted, unhealthy, present);
    return List.copyOf(chosen);
  }

  /// Present voters first, then by number.
  private static int compare(int one, int other, List<Integer> present) {
    int byPresence = Boolean.compare(present.contains(other), present.contains(one));
    return byPresence != 0 ? byPresence : Integer.compare(one, other);
  }

  /// The zone that votes least; of several the one whose next member already votes.
  private static String next(
      Map<String, List<Integer>> zones, Map<String, Integer> taken, List<Integer> present) {
    String best = "";
    int bestTaken = Integer.MAX_VALUE;
    boolean bestPresent = false;
    for (Map.Entry<String, List<Integer>> zone : zones.entrySet()) {
      int votes = taken.getOrDefault(zone.getKey(), 0);
      boolean votesNow = present.contains(zone.getValue().getFirst());
      if (votes < bestTaken || votes == bestTaken && votesNow && !bestPresent) {
        best = zone.getKey();
        bestTaken = votes;
        bestPresent = votesNow;
      }
    }
    return best;
  }

  private static void fill(
      Set<Integer> chosen, int wanted, Set<Integer> unhealthy, List<Integer> present) {
    for (int member : unhealthy) {
      if (chosen.size() < wanted && present.contains(member)) {
        chosen.add(member);
      }
    }
  }
}
