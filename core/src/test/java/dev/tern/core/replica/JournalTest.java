package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.store.Bed;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.ValueType;
import dev.tern.core.version.Version;
import dev.tern.env.Randomness;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// What a store knows of its partitions is what its records say, whenever the power goes.
class JournalTest {
  private static final int PARTITIONS = 8;

  private final ClusterView view =
      Bed.view(PARTITIONS, settings("os", Durability.OS), settings("sync", Durability.SYNC));
  private int written;
  private int durable;
  private CountOutcome.Count counted = CountOutcome.Count.NONE;

  private static KeyspaceSettings settings(String name, Durability durability) {
    return Bed.keyspace(name)
        .with(KeyspaceProperty.DURABILITY, durability)
        .with(KeyspaceProperty.TIMEOUT, 1_000);
  }

  private Store open(Bed bed) throws IOException {
    return Replicas.open(bed, view);
  }

  /// @param bytes of the value
  private Mutation mutation(boolean delete, int bytes, long expiryMillis) {
    return new Mutation() {
      @Override
      public Draft over(@Nullable Siblings base) {
        ValueType type = delete ? ValueType.NONE : ValueType.BYTES;
        byte[] value = delete ? null : new byte[bytes];
        return new Draft(type, value, delete ? 0 : expiryMillis, null, null, false);
      }

      @Override
      public void minted(Siblings record, long dot) {
        written++;
      }

      @Override
      public void durable() {
        durable++;
      }

      @Override
      public void refused(Unanswered.Refused why) {
        // The disk is gone; the test counts what was written.
      }
    };
  }

  private void check(Store store, String when) throws IOException {
    Lsm lsm = store.lsm();
    var data = lsm.columnFamily("data", CompactionStyle.LEVELED);
    try (LsmIterator records = lsm.iterator(data, IteratorOptions.all())) {
      for (records.seekToFirst(); records.valid(); records.next()) {
        byte[] key = records.key();
        int slot = (key[2] & 0xff) << 8 | key[3] & 0xff;
        int keyspace = key[7];
        Version version = Siblings.decode(records.value()).newest();
        assertTrue(
            store.knows(keyspace, slot, version.replica(), version.counter()),
            when + ": the clock of slot " + slot + " misses " + version);
      }
    }
    Inspection inspection = new Inspection(store);
    for (int number = 0; number < PARTITIONS; number++) {
      Partition partition = Objects.requireNonNull(store.partitionOfGroup(1, number));
      assertNull(inspection.wrongCount(partition), when + ": partition " + number);
      counted =
          counted.plus(store.records().count(1, number)).plus(store.records().count(2, number));
    }
  }

  /// Groups are committed one after the other, by the cluster's time.
  private static long committed(Store store, long before, Bed bed) {
    long last = store.lastCommit();
    assertTrue(last >= before);
    if (last > before) {
      long behind = bed.clock.wallMillis() - HybridClock.millis(last);
      assertTrue(behind >= 0 && behind < 2_000, "the last commit was " + behind + " ms ago");
    }
    // The power cut may take it.
    return before;
  }

  @Test
  void clocksAndCountsAgreeWithTheRecordsAfterEachPowerCut() throws IOException {
    for (long seed = 0; seed < 12; seed++) {
      Bed bed = new Bed(seed, 2048);
      Randomness random = Randomness.of(seed);
      long committed = 0;
      for (int life = 0; life < 6; life++) {
        Store store = open(bed);
        assertTrue(store.lastCommit() > committed, "the opening of life " + life + " is a commit");
        committed = store.lastCommit();
        check(store, "seed %d, life %d".formatted(seed, life));
        Replica replica = Replicas.over(bed, store, PlantedBug.NONE);
        // More groups than one round of the journal has, in some lives.
        int groups = random.nextInt(3) == 0 ? 2500 : random.nextInt(300);
        for (int group = 0; group < groups; group++) {
          for (int write = random.nextInt(5); write >= 0; write--) {
            byte[] key = {(byte) random.nextInt(100)};
            KeyspaceConfig keyspace = view.keyspaces().get(random.nextInt(4) == 0 ? 1 : 0);
            int slot = (key[0] * 163) & 16383;
            long expiry = random.nextInt(3) == 0 ? 1L << 50 : 0;
            int bytes = random.nextInt(4) == 0 ? random.nextInt(300) : 30;
            replica
                .minting()
                .mutate(keyspace, slot, key, mutation(random.nextInt(4) == 0, bytes, expiry));
          }
          bed.world.runUntil(bed.world.nanos() + random.nextInt(2_000_000));
        }
        committed = committed(store, committed, bed);
        if (random.nextInt(4) == 0) {
          store.close();
        }
        bed.powerCut();
      }
      Store last = open(bed);
      check(last, "seed " + seed);
      last.close();
    }
    assertTrue(counted.expiring() > 100 && counted.expiring() < counted.keys(), counted + "");
    assertTrue(written > 30_000 && durable > written / 2, written + " written, " + durable);
  }
}
