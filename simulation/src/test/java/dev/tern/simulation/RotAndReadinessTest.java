package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Slots;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A record that cannot be read at one replica keeps no replica from vouching for what it has.
class RotAndReadinessTest {
  private static final long SECOND = Cluster.SECOND;
  private static final byte[] JUNK = {0x20, 5, 9, 9};
  private static final String KEY = "k";
  private static final Level ONE = new Level(1, 1, 0);

  private Cluster cluster = new Cluster(3);
  private Script script = new Script(cluster, 3);

  /// The key of the one record that a store holds.
  private static byte[] only(Lsm lsm, ColumnFamily data) throws IOException {
    try (LsmIterator records = lsm.iterator(data, IteratorOptions.all())) {
      records.seekToFirst();
      assertTrue(records.valid());
      byte[] key = records.key();
      records.next();
      assertFalse(records.valid());
      return key;
    }
  }

  /// What a node that is down has of the key cannot be decoded.
  private void spoil(int node) throws IOException {
    byte[] user = KEY.getBytes(US_ASCII);
    int partition = Slots.of(user) / (Slots.COUNT / 16);
    try (Lsm lsm = cluster.store(node, partition % 2)) {
      ColumnFamily data = lsm.columnFamily("data", CompactionStyle.LEVELED);
      byte[] recordKey = only(lsm, data);
      lsm.write(new WriteBatch().put(data, recordKey, JUNK), Durability.SYNC);
      lsm.flush();
    }
  }

  private void allVouch(long nanos) {
    cluster.within(nanos, cluster::allSeen);
  }

  private void append(int node, String what) {
    UpdateOutcome outcome =
        script.update(node, "data", KEY, new Update.Append(what.getBytes(US_ASCII)), Level.DEFAULT);
    assertInstanceOf(UpdateOutcome.Done.class, outcome, what + ": " + outcome);
  }

  /// It is set back, and its own record of the key cannot be read: it takes what the others have.
  @Test
  void aReplicaTakesWhatItCannotMergeWithItsOwn() throws IOException {
    script.put(2, KEY, "old", Script.ALL);
    cluster.runFor(3 * SECOND);
    Map<String, byte[]> backup = cluster.disk(1).backup();
    script.end(new int[] {1, 2}, 3);
    append(2, "+new");
    cluster.runFor(3 * SECOND);
    script.end(new int[] {2}, 1);
    cluster.disk(1).restore(backup);
    spoil(1);
    cluster.start(1);
    cluster.start(3);
    allVouch(30 * SECOND);
    assertEquals("old+new", script.get(1, KEY, ONE));
  }

  /// Whoever is asked, and whoever would lead: another replica takes the write.
  @Test
  void aWriteGoesToAReplicaThatCanReadTheKey() throws IOException {
    for (int place = 0; place < 3; place++) {
      cluster = new Cluster(3);
      script = new Script(cluster, 3);
      int[] replicas = script.replicas("data", KEY);
      int unlucky = replicas[place];
      script.put(unlucky, KEY, "v", Script.ALL);
      cluster.runFor(3 * SECOND);
      cluster.end(unlucky);
      cluster.runFor(3 * SECOND);
      spoil(unlucky);
      cluster.start(unlucky);
      allVouch(30 * SECOND);
      append(unlucky, "+by the unlucky one");
      for (int node : replicas) {
        append(node, "+" + node);
        script.put(node, KEY, "put by " + node, Level.DEFAULT);
      }
      assertEquals("put by " + replicas[2], script.get(replicas[1], KEY, Level.DEFAULT));
    }
  }

  /// One replica alone has some writes of the key, which are gone from its log of dots; what came
  /// of them cannot be read. The others go on without it, and do not ask for it all the time.
  @Test
  void whatItsOnlyHolderCannotReadIsNotWaitedForForEver() throws IOException {
    cluster = new Cluster(3, Limits.DEFAULT.withLoggedDots(1));
    script = new Script(cluster, 3);
    int[] replicas = script.replicas("data", KEY);
    int first = replicas[0];
    int alone = replicas[1];
    int third = replicas[2];
    script.put(first, KEY, "all", Script.ALL);
    cluster.runFor(5 * SECOND);
    script.end(new int[] {alone}, first, third);
    for (int i = 0; i < 8; i++) {
      script.put(alone, KEY, "alone-" + i, ONE);
    }
    cluster.runFor(5 * SECOND);
    cluster.end(alone);
    spoil(alone);
    for (int node : replicas) {
      cluster.start(node);
    }
    allVouch(40 * SECOND);
    cluster.runFor(20 * SECOND);
    append(first, "+1");
    assertEquals("all+1", script.get(third, KEY, Level.DEFAULT));
    long rebuilds = script.counted(Counter.REBUILDS);
    assertTrue(rebuilds < 100, "rebuilt " + rebuilds + " times");
  }
}
