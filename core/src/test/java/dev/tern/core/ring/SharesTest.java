package dev.tern.core.ring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How many replicas each member shall hold, by table.
class SharesTest {
  private static List<Candidate> members(String spec) {
    List<Candidate> members = new ArrayList<>();
    for (String each : spec.split(" ")) {
      String[] zoneAndWeight = each.split(":");
      int weight = Integer.parseInt(zoneAndWeight[1]);
      members.add(new Candidate(members.size() + 1, zoneAndWeight[0], weight, false));
    }
    return members;
  }

  @ParameterizedTest
  @CsvSource({
    // Alike: each the same.
    "3, 8, a:100 b:100 c:100, 8 8 8",
    "2, 12, a:100 b:100 c:100, 8 8 8",
    // In proportion to weights.
    "1, 12, a:100 b:200 c:300, 2 4 6",
    // Nobody holds more than one replica of a partition: the rest goes to the others.
    "2, 10, a:1000 b:100 c:100, 10 5 5",
    // n zones: a zone holds one replica of each partition, whatever its weights are.
    "3, 9, a:100 a:200 b:100 c:100, 3 6 9 9",
    // Two zones for three replicas: each holds one or two of them.
    "3, 8, a:100 a:100 b:100 b:100, 6 6 6 6",
    // Fewer members than n.
    "5, 4, a:100 b:100, 4 4",
  })
  void sharesByTable(int n, int partitions, String spec, String wanted) {
    List<Candidate> members = members(spec);
    Shares shares = new Shares(new Spread(members, n, ZonePolicy.SPREAD), partitions);
    double[] expected = Arrays.stream(wanted.split(" ")).mapToDouble(Double::parseDouble).toArray();
    assertArrayEquals(expected, shares.exact, 1e-3);
    int[] rounded = shares.rounded(new int[members.size()]);
    assertEquals(Math.min(n, members.size()) * partitions, Arrays.stream(rounded).sum());
    for (int i = 0; i < rounded.length; i++) {
      assertTrue(Math.abs(rounded[i] - expected[i]) < 1, Arrays.toString(rounded));
    }
  }

  /// Who holds more than its share now is rounded up, so that less moves.
  @ParameterizedTest
  @CsvSource({"6 5 5, 6 5 5", "5 6 5, 5 6 5", "5 5 6, 5 5 6"})
  void whoHasMoreKeepsIt(String owned, String wanted) {
    Spread spread = new Spread(members("a:100 b:100 c:100"), 2, ZonePolicy.SPREAD);
    int[] holds = Arrays.stream(owned.split(" ")).mapToInt(Integer::parseInt).toArray();
    int[] shares = new Shares(spread, 8).rounded(holds);
    int[] expected = Arrays.stream(wanted.split(" ")).mapToInt(Integer::parseInt).toArray();
    assertArrayEquals(expected, shares);
  }
}
