package dev.tern.core.topology;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ReplicaSetTest {
  private final ReplicaSet three = ReplicaSet.stable(7, 2, 5);

  @Test
  void placesFollowTheOrderOfTheList() {
    assertEquals(3, three.size());
    assertEquals(1, three.place(2));
    assertEquals(5, three.member(2));
    assertEquals(-1, three.place(3));
    assertTrue(three.has(7));
    assertFalse(three.has(1));
    assertEquals(0b111, three.oldPlaces());
    assertEquals(three.oldPlaces(), three.newPlaces());
    assertEquals(0, ReplicaSet.stable().oldPlaces());
  }

  @Test
  void aPartKeepsTheOrder() {
    assertArrayEquals(new int[] {7, 2}, three.first(2).members());
    assertSame(three, three.first(3));
    assertSame(three, three.first(9));
    assertArrayEquals(new int[] {7, 5}, three.among(member -> member > 2).members());
    assertSame(three, three.among(member -> true));
    assertEquals(0, three.among(member -> false).size());
    assertEquals(ReplicaSet.stable(7, 2), three.first(2));
  }

  @Test
  void noMemberCountsTwice() {
    assertThrows(IllegalArgumentException.class, () -> ReplicaSet.stable(1, 2, 1));
  }

  @Test
  void everyPlaceHasABit() {
    int[] most = new int[ReplicaSet.MAX_PLACES];
    java.util.Arrays.setAll(most, place -> place + 1);
    assertEquals(-1L, ReplicaSet.stable(most).oldPlaces());
    int[] more = new int[ReplicaSet.MAX_PLACES + 1];
    java.util.Arrays.setAll(more, place -> place + 1);
    assertThrows(IllegalArgumentException.class, () -> ReplicaSet.stable(more));
  }
}
