package dev.tern.core.ring;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;

/// The fewest moves that give each member the replicas a plan gives it: a flow of least cost, far
/// too slow for a planner.
///
/// ```
///   source --n--> partition --least..most--> its zone --1--> member --share--> sink
///                                                     (costs 1 if new)
/// ```
final class CheapestFlow {
  /// Cost of leaving a zone below its least: more than any plan.
  private static final int NEVER = 100_000;

  private final int[] first;
  private int[] next = new int[64];
  private int[] target = new int[64];
  private int[] room = new int[64];
  private int[] cost = new int[64];
  private int arcs;

  private CheapestFlow(int nodes) {
    this.first = new int[nodes];
    Arrays.fill(first, -1);
  }

  static int moves(List<Candidate> candidates, int n, int[][] present, Plan plan) {
    List<Candidate> members = candidates.stream().filter(Candidate::eligible).toList();
    Spread spread = new Spread(members, n, ZonePolicy.SPREAD);
    int partitions = present.length;
    int firstZone = 2 + partitions;
    int firstMember = firstZone + partitions * spread.zones;
    CheapestFlow flow = new CheapestFlow(firstMember + members.size());
    int forced = 0;
    for (int p = 0; p < partitions; p++) {
      flow.arc(0, 2 + p, spread.n, 0);
      int zones = firstZone + p * spread.zones;
      for (int z = 0; z < spread.zones; z++) {
        flow.arc(2 + p, zones + z, spread.least[z], -NEVER);
        flow.arc(2 + p, zones + z, spread.most[z] - spread.least[z], 0);
        forced += spread.least[z];
      }
      for (int i = 0; i < members.size(); i++) {
        int number = members.get(i).number();
        boolean has = Arrays.stream(present[p]).anyMatch(m -> m == number);
        flow.arc(zones + spread.zoneOf[i], firstMember + i, 1, has ? 0 : 1);
      }
    }
    for (int i = 0; i < members.size(); i++) {
      int number = members.get(i).number();
      for (Plan.Line line : plan.members()) {
        if (line.number() == number) {
          flow.arc(firstMember + i, 1, line.after(), 0);
        }
      }
    }
    return flow.pour() + NEVER * forced;
  }

  private void arc(int from, int to, int capacity, int price) {
    half(from, to, capacity, price);
    half(to, from, 0, -price);
  }

  private void half(int from, int to, int capacity, int price) {
    if (arcs == next.length) {
      next = Arrays.copyOf(next, 2 * arcs);
      target = Arrays.copyOf(target, 2 * arcs);
      room = Arrays.copyOf(room, 2 * arcs);
      cost = Arrays.copyOf(cost, 2 * arcs);
    }
    target[arcs] = to;
    room[arcs] = capacity;
    cost[arcs] = price;
    next[arcs] = first[from];
    first[from] = arcs++;
  }

  /// Sends all it can from node 0 to node 1, always along the cheapest way; the cost.
  private int pour() {
    int total = 0;
    while (true) {
      int[] distance = new int[first.length];
      int[] via = new int[first.length];
      Arrays.fill(distance, Integer.MAX_VALUE / 2);
      distance[0] = 0;
      boolean[] waits = new boolean[first.length];
      ArrayDeque<Integer> queue = new ArrayDeque<>(List.of(0));
      while (!queue.isEmpty()) {
        int node = queue.poll();
        waits[node] = false;
        for (int arc = first[node]; arc >= 0; arc = next[arc]) {
          int through = distance[node] + cost[arc];
          if (room[arc] > 0 && through < distance[target[arc]]) {
            distance[target[arc]] = through;
            via[target[arc]] = arc;
            if (!waits[target[arc]]) {
              waits[target[arc]] = true;
              queue.add(target[arc]);
            }
          }
        }
      }
      if (distance[1] >= Integer.MAX_VALUE / 4) {
        return total;
      }
      total += distance[1];
      for (int node = 1; node != 0; node = target[via[node] ^ 1]) {
        room[via[node]]--;
        room[via[node] ^ 1]++;
      }
    }
  }
}
