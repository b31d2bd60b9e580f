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

  private static ReplicaSet moving(ReplicaSet.Phase phase) {
    return ReplicaSet.moving(phase, new int[] {7, 2, 5}, new int[] {4, 7, 2});
  }

  @Test
  void placesOfTwoListsBeginWithTheOldOne() {
    ReplicaSet set = moving(ReplicaSet.Phase.FILLING);
    assertArrayEquals(new int[] {7, 2, 5, 4}, set.members());
    assertEquals(0b0111, set.oldPlaces());
    assertEquals(0b1011, set.newPlaces());
    assertArrayEquals(new int[] {4, 7, 2}, set.newList());
  }

  @Test
  void eachPhaseSaysWhoDoesWhat() {
    ReplicaSet filling = moving(ReplicaSet.Phase.FILLING);
    assertEquals(0b0111, filling.readPlaces());
    assertArrayEquals(new int[] {7, 2, 5}, filling.leaders().members());
    assertSame(filling, filling.serving());
    assertTrue(filling.isPending(4));
    assertFalse(filling.isPending(5));
    assertFalse(filling.mints(4));
    assertTrue(filling.mints(5));
    ReplicaSet switched = moving(ReplicaSet.Phase.SWITCHED);
    assertEquals(0b1011, switched.readPlaces());
    assertArrayEquals(new int[] {7, 2, 5}, switched.leaders().members());
    assertFalse(switched.isPending(4));
    assertTrue(switched.mints(4));
    assertTrue(switched.mints(5));
    ReplicaSet fenced = moving(ReplicaSet.Phase.FENCED);
    assertArrayEquals(new int[] {4, 7, 2}, fenced.leaders().members());
    assertArrayEquals(new int[] {4, 7, 2}, fenced.serving().members());
    assertTrue(fenced.serving().isStable());
    assertTrue(fenced.has(5));
    assertFalse(fenced.mints(5));
  }

  @Test
  void theFirstOfTwoListsAreTheFirstOfEach() {
    ReplicaSet first = moving(ReplicaSet.Phase.SWITCHED).first(1);
    assertArrayEquals(new int[] {7}, first.oldList());
    assertArrayEquals(new int[] {4}, first.newList());
    assertEquals(ReplicaSet.Phase.SWITCHED, first.phase());
    ReplicaSet set = moving(ReplicaSet.Phase.FILLING);
    assertSame(set, set.first(3));
    assertEquals(moving(ReplicaSet.Phase.FILLING), set);
  }

  @Test
  void twoListsNeedAPhaseAndDifferentMembers() {
    int[] list = {1, 2};
    assertThrows(
        IllegalArgumentException.class,
        () -> ReplicaSet.moving(ReplicaSet.Phase.STABLE, list, new int[] {3}));
    assertThrows(
        IllegalArgumentException.class,
        () -> ReplicaSet.moving(ReplicaSet.Phase.FILLING, list, new int[] {3, 3}));
  }
}
