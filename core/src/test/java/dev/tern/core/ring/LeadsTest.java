package dev.tern.core.ring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Who stands first in each list: evenly, and without another replica.
class LeadsTest {
  private static int[][] sorted(int[][] lists) {
    int[][] sorted = new int[lists.length][];
    for (int p = 0; p < lists.length; p++) {
      sorted[p] = lists[p].clone();
      Arrays.sort(sorted[p]);
    }
    return sorted;
  }

  private static int[] balanced(int[][] lists, int members) {
    int[][] before = sorted(lists);
    int[] shares = new int[members];
    for (int[] list : lists) {
      for (int member : list) {
        shares[member]++;
      }
    }
    Leads leads = new Leads(lists, members, shares, lists[0].length);
    leads.balance();
    for (int p = 0; p < lists.length; p++) {
      assertArrayEquals(before[p], sorted(lists)[p], "partition " + p + " has other replicas");
    }
    int[] counted = new int[members];
    for (int[] list : lists) {
      counted[list[0]]++;
    }
    assertArrayEquals(counted, leads.leads);
    return counted;
  }

  @Test
  void oneThatLeadsAllHandsOn() {
    int[][] lists = {{0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {0, 1, 2}};
    assertArrayEquals(new int[] {2, 2, 2}, balanced(lists, 3));
  }

  /// Members 0 and 3 share no list: a lead goes from one to the other by way of a third.
  @Test
  void aLeadGoesAlongAChain() {
    int[][] lists = {{0, 1}, {0, 1}, {1, 2}, {1, 2}, {2, 3}, {2, 3}};
    int[] leads = balanced(lists, 4);
    assertEquals(6, Arrays.stream(leads).sum());
    assertEquals(1, leads[0]);
    assertEquals(1, leads[3]);
  }

  @Test
  void whatIsEvenStays() {
    int[][] lists = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}};
    int[][] same = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}};
    balanced(lists, 3);
    assertArrayEquals(same, lists);
  }
}
