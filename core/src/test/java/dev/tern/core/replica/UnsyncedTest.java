package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.store.PartitionRecords;
import org.junit.jupiter.api.Test;

/// A dot is told to others once the disk has it, and not before.
class UnsyncedTest {
  private static final int REPLICA = 7;

  private final Unsynced unsynced = new Unsynced();
  private final Partition first = new Partition(PartitionRecords.of(1, 0, 0, 16), 0);
  private final Partition second = new Partition(PartitionRecords.of(1, 1, 16, 16), 0);

  private void add(long sequence, Partition partition, long counter) {
    partition.learn(REPLICA, counter);
    unsynced.add(sequence, partition, REPLICA, counter, counter);
  }

  @Test
  void aDotIsSyncedWithItsSequence() {
    add(10, first, 1);
    add(11, second, 1);
    add(12, first, 2);
    unsynced.synced(9);
    assertTrue(first.synced().isEmpty());
    unsynced.synced(11);
    assertTrue(first.synced().contains(REPLICA, 1));
    assertFalse(first.synced().contains(REPLICA, 2));
    assertTrue(second.synced().contains(REPLICA, 1));
    unsynced.synced(12);
    assertTrue(first.synced().contains(REPLICA, 2));
  }

  /// The ring grows while its first entry is anywhere in it.
  @Test
  void noDotIsLostHoweverManyWait() {
    int sequence = 0;
    int synced = 0;
    for (int round = 0; round < 6; round++) {
      for (int i = 0; i < 400; i++) {
        sequence++;
        add(sequence, first, sequence);
      }
      synced += 300;
      unsynced.synced(synced);
      assertEquals(synced, first.synced().highest(REPLICA));
      assertEquals(synced, first.synced().size());
    }
    unsynced.synced(sequence);
    assertEquals(sequence, first.synced().size());
  }

  /// What an emptied partition had before is not told as its own.
  @Test
  void anEmptiedPartitionTellsNothingOfBefore() {
    add(1, first, 1);
    add(2, second, 1);
    unsynced.forget(first);
    unsynced.synced(2);
    assertTrue(first.synced().isEmpty());
    assertTrue(second.synced().contains(REPLICA, 1));
  }

  @Test
  void staleIsWhatLiesThereForSixCalls() {
    first.replicated(true);
    add(1, first, 1);
    for (int call = 0; call < 5; call++) {
      assertFalse(unsynced.stale(), "call " + call);
    }
    assertTrue(unsynced.stale());
    unsynced.synced(1);
    add(2, first, 2);
    assertFalse(unsynced.stale(), "another entry is the oldest");
    first.replicated(false);
    for (int call = 0; call < 10; call++) {
      assertFalse(unsynced.stale(), "nobody has to be told");
    }
  }
}
