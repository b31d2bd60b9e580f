package dev.tern.core.ring;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/// The members that may hold replicas, numbered from 0, in zones numbered from 0, and how many
/// replicas of one partition a zone may hold.
///
/// With z zones of m members each, the level k is the least with `sum min(m, k) >= n`. A zone holds
/// `min(m, k - 1)` or `min(m, k)` replicas of each partition: 0 or 1 while there are n zones.
final class Spread {
  /// In order of numbers.
  final List<Candidate> members;

  /// By member index.
  final int[] zoneOf;

  final int zones;

  /// Replicas of each partition.
  final int n;

  /// By zone: replicas of a partition that it holds at least.
  final int[] least;

  /// By zone: that it holds at most.
  final int[] most;

  /// How many replicas of a partition are beyond the least of their zones.
  final int spare;

  Spread(List<Candidate> eligible, int n, ZonePolicy policy) {
    this.members = eligible;
    this.n = Math.min(n, eligible.size());
    this.zoneOf = new int[eligible.size()];
    TreeMap<String, List<Integer>> byZone = new TreeMap<>();
    for (int i = 0; i < eligible.size(); i++) {
      String zone = policy == ZonePolicy.SPREAD ? eligible.get(i).zone() : "";
      byZone.computeIfAbsent(zone, name -> new ArrayList<>()).add(i);
    }
    this.zones = byZone.size();
    int[] sizes = new int[zones];
    int zone = 0;
    for (List<Integer> inZone : byZone.values()) {
      for (int member : inZone) {
        zoneOf[member] = zone;
      }
      sizes[zone++] = inZone.size();
    }
    int level = 0;
    while (sum(sizes, level) < this.n) {
      level++;
    }
    this.least = new int[zones];
    this.most = new int[zones];
    for (int z = 0; z < zones; z++) {
      least[z] = Math.min(sizes[z], Math.max(0, level - 1));
      most[z] = Math.min(sizes[z], level);
    }
    this.spare = this.n - sum(sizes, Math.max(0, level - 1));
    assert spare >= 0 && sum(sizes, level) >= this.n : "zones that do not hold a list";
  }

  /// Whether a list of member indices is what every list shall be: of n different members, and in
  /// each zone as many as it may hold.
  boolean suits(int[] list) {
    int[] inZone = new int[zones];
    for (int member : list) {
      inZone[zoneOf[member]]++;
    }
    boolean suits = list.length == n && Arrays.stream(list).distinct().count() == n;
    for (int zone = 0; zone < zones; zone++) {
      suits &= inZone[zone] >= least[zone] && inZone[zone] <= most[zone];
    }
    return suits;
  }

  private static int sum(int[] sizes, int level) {
    int sum = 0;
    for (int size : sizes) {
      sum += Math.min(size, level);
    }
    return sum;
  }
}
