package dev.tern.core.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.core.keyspace.CountOutcome.Count;
import org.junit.jupiter.api.Test;

/// The figures that other threads see: DBSIZE, and what a keyspace holds.
class CountTableTest {
  private final CountTable table = new CountTable(4);

  @Test
  void figuresAreKeptByKeyspaceAndPartition() {
    table.add(1, 0, 2, 1, 100);
    table.add(1, 3, 1, 0, 7);
    table.add(9, 0, 5, 5, 5);
    table.add(1, 0, -1, -1, -40);
    assertEquals(new Count(1, 0, 60), table.of(1, 0));
    assertEquals(new Count(1, 0, 7), table.of(1, 3));
    assertEquals(new Count(5, 5, 5), table.of(9, 0));
    assertEquals(Count.NONE, table.of(1, 1));
  }

  @Test
  void whatIsNotThereCountsNothing() {
    table.add(1, 0, 1, 1, 1);
    assertEquals(Count.NONE, table.of(2, 0));
    assertEquals(Count.NONE, table.of(-1, 0));
    assertEquals(Count.NONE, table.of(1, 4));
    assertEquals(Count.NONE, table.of(1 << 20, 0));
  }

  @Test
  void aDroppedKeyspaceIsForgottenAndOthersStay() {
    table.add(1, 0, 1, 1, 1);
    table.add(2, 0, 2, 2, 2);
    table.forget(1);
    assertEquals(Count.NONE, table.of(1, 0));
    assertEquals(new Count(2, 2, 2), table.of(2, 0));
  }

  /// A disk that lost records makes figures too small for a while.
  @Test
  void belowZeroIsToldAsZeroAndNotForgotten() {
    table.add(1, 0, -3, 0, 0);
    assertEquals(Count.NONE, table.of(1, 0));
    table.add(1, 0, 5, 0, 0);
    assertEquals(new Count(2, 0, 0), table.of(1, 0));
  }
}
