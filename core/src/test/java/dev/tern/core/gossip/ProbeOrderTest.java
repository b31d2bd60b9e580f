package dev.tern.core.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Each member is asked once a round: that bounds the time until a dead one is asked.
class ProbeOrderTest {
  private final ProbeOrder order = new ProbeOrder(Randomness.of(7));

  private Set<Integer> asked(int times) {
    TreeSet<Integer> asked = new TreeSet<>();
    for (int i = 0; i < times; i++) {
      asked.add(order.next());
    }
    return asked;
  }

  @Test
  void nobodyIsAskedWhereNobodyIs() {
    assertEquals(0, order.next());
    assertEquals(0, order.any());
    assertEquals(0, order.some(3, 0).length);
  }

  @Test
  void eachRoundAsksEachMemberOnce() {
    for (int member = 1; member <= 20; member++) {
      order.add(member);
    }
    for (int round = 0; round < 5; round++) {
      assertEquals(20, asked(20).size());
    }
  }

  @Test
  void aRemovalDuringARoundLeavesNobodyOut() {
    for (int removed = 1; removed <= 10; removed++) {
      ProbeOrder ten = new ProbeOrder(Randomness.of(removed));
      for (int member = 1; member <= 10; member++) {
        ten.add(member);
      }
      TreeSet<Integer> asked = new TreeSet<>();
      for (int i = 0; i < 5; i++) {
        asked.add(ten.next());
      }
      ten.remove(removed);
      int left = 10 - asked.size() - (asked.contains(removed) ? 0 : 1);
      for (int i = 0; i < left; i++) {
        assertTrue(asked.add(ten.next()), "somebody was asked twice in a round");
      }
      asked.add(removed);
      assertEquals(10, asked.size());
    }
  }

  @Test
  void aMemberThatIsAddedDuringARoundMakesNobodyAskedTwice() {
    for (int seed = 0; seed < 20; seed++) {
      ProbeOrder five = new ProbeOrder(Randomness.of(seed));
      for (int member = 1; member <= 5; member++) {
        five.add(member);
      }
      TreeSet<Integer> asked = new TreeSet<>();
      asked.add(five.next());
      asked.add(five.next());
      five.add(6);
      for (int i = 0; i < 3; i++) {
        assertTrue(asked.add(five.next()), "somebody was asked twice in a round");
      }
    }
  }

  @Test
  void someAreDifferentOnesAndNeverTheExcepted() {
    for (int members : new int[] {1, 2, 3, 5, 40}) {
      ProbeOrder many = new ProbeOrder(Randomness.of(members));
      for (int member = 1; member <= members; member++) {
        many.add(member);
      }
      for (int round = 0; round < 50; round++) {
        int[] some = many.some(3, 1);
        assertEquals(Math.min(3, members - 1), some.length);
        assertEquals(some.length, Arrays.stream(some).distinct().count());
        assertTrue(Arrays.stream(some).noneMatch(member -> member == 1));
      }
    }
  }
}
