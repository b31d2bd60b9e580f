package dev.tern.core.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class VotersTest {
  private static List<MemberEntry> members(String... zones) {
    List<MemberEntry> members = new ArrayList<>();
    for (int i = 0; i < zones.length; i++) {
      members.add(MemberEntry.of(TopologyStateTest.member(i + 1, zones[i])));
    }
    return members;
  }

  private static List<Integer> choose(List<MemberEntry> members, List<Integer> present) {
    return Voters.choose(members, present, member -> true);
  }

  @Test
  void threeOrFiveOverZones() {
    assertEquals(List.of(1), choose(members("a"), List.of()));
    assertEquals(List.of(1, 2), choose(members("a", "b"), List.of()));
    assertEquals(List.of(1, 3, 4), choose(members("a", "a", "b", "c"), List.of()));
    assertEquals(
        List.of(1, 2, 4, 5, 7), choose(members("a", "a", "a", "b", "b", "b", "c"), List.of()));
  }

  @Test
  void theDeadAreReplacedIfThereIsSomebody() {
    List<MemberEntry> four = members("a", "b", "c", "c");
    assertEquals(List.of(1, 2, 4), Voters.choose(four, List.of(1, 2, 3), m -> m != 3));
    assertEquals(List.of(1, 2, 4), choose(four, List.of(1, 2, 4)));
    List<MemberEntry> three = members("a", "b", "c");
    assertEquals(List.of(1, 2, 3), Voters.choose(three, List.of(1, 2, 3), m -> m == 1));
  }

  @Test
  void spreadAndSteadyInRandomClusters() {
    Randomness random = Randomness.of(4);
    for (int i = 0; i < 2_000; i++) {
      String[] zones = new String[1 + random.nextInt(12)];
      for (int m = 0; m < zones.length; m++) {
        zones[m] = "z" + random.nextInt(5);
      }
      List<MemberEntry> members = members(zones);
      List<Integer> chosen = choose(members, List.of());
      assertEquals(zones.length >= 5 ? 5 : Math.min(3, zones.length), chosen.size());
      assertEquals(chosen, choose(members, chosen));
      TreeMap<String, Integer> votes = new TreeMap<>();
      TreeMap<String, Integer> sizes = new TreeMap<>();
      for (int m = 1; m <= zones.length; m++) {
        votes.merge(zones[m - 1], chosen.contains(m) ? 1 : 0, Integer::sum);
        sizes.merge(zones[m - 1], 1, Integer::sum);
      }
      int most = votes.values().stream().mapToInt(v -> v).max().orElse(0);
      for (String zone : votes.keySet()) {
        int held = votes.getOrDefault(zone, 0);
        assertTrue(held >= Math.min(most - 1, sizes.getOrDefault(zone, 0)), chosen.toString());
      }
    }
  }
}
