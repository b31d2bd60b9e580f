package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// One disk is lost, or set back, and its replica comes back while another one lacks what the third
/// and the lost one had acknowledged: those two without the third must not pass for a quorum.
class WipedTest {
  private static final long MILLI = Cluster.MILLI;
  private static final long SECOND = Cluster.SECOND;
  private static final String KEY = "k";

  private final Script script = new Script(new Cluster(3), 3);
  private int first;
  private int second;
  private int third;

  /// `+new` is acknowledged by the first and the third replica, the second is away for it.
  private void acknowledged() {
    int[] replicas = script.replicas("data", KEY);
    first = replicas[0];
    second = replicas[1];
    third = replicas[2];
    script.put(first, KEY, "old", Script.ALL);
    script.cluster.runFor(60 * SECOND);
    script.end(new int[] {first, third}, second);
    append(first, "+new");
    script.cluster.runFor(5 * SECOND);
  }

  private void append(int node, String what) {
    UpdateOutcome outcome =
        script.update(node, "data", KEY, new Update.Append(what.getBytes(US_ASCII)), Level.DEFAULT);
    assertInstanceOf(UpdateOutcome.Done.class, outcome, what + ": " + outcome);
  }

  /// The disk of the first is lost while it and the second are down; the third is slow.
  private void comesBackWithout(@Nullable Map<String, byte[]> disk) {
    script.cluster.end(first);
    if (disk == null) {
      script.cluster.disk(first).wipe();
    } else {
      script.cluster.disk(first).restore(disk);
    }
    script.cluster.start(second);
    comesBack();
  }

  private void comesBack() {
    script.cluster.network.slow(third, first, 300 * MILLI);
    script.cluster.network.slow(third, second, 300 * MILLI);
    script.cluster.start(first);
    long until = script.cluster.world.nanos() + 20 * SECOND;
    while (script.cluster.node(first).partitionsBehind() > 0
        || script.cluster.node(second).partitionsBehind() > 0
        || !script.cluster.node(second).live(first)
        || !script.cluster.node(first).live(second)) {
      assertTrue(script.cluster.world.nanos() < until, "behind");
      script.cluster.runFor(MILLI);
    }
  }

  private void stays() {
    String shown = script.get(second, KEY, Level.LINEARIZABLE);
    append(second, "+2");
    script.cluster.network.heal();
    script.cluster.runFor(20 * SECOND);
    assertEquals("old+new+2", script.get(second, KEY, Script.ALL));
    assertEquals("old+new", shown);
  }

  @Test
  void whatWasAcknowledgedOutlivesALostDisk() {
    acknowledged();
    comesBackWithout(null);
    stays();
  }

  /// The rows of the first are of the admission before: what it has belongs to another replica.
  @Test
  void whatWasAcknowledgedOutlivesAnotherAdmission() throws IOException {
    acknowledged();
    script.cluster.end(first);
    ofAnEarlierAdmission(first);
    script.cluster.start(second);
    comesBack();
    stays();
    int data = Objects.requireNonNull(script.cluster.node(first).view().keyspace("data")).id();
    script.cluster.runFor(SECOND);
    assertEquals(1, script.cluster.node(first).records(data));
    assertTrue(script.cluster.node(first).statistic(Counter.REPAIRED_RECORDS) > 0);
    assertTrue(script.cluster.events.toString().contains("PartitionEmptied"));
    for (int partition = 0; partition < 16; partition++) {
      assertNull(script.cluster.node(first).wrongCount(data, partition));
    }
  }

  /// Sets back the admissions in the rows of a node's partitions; their ids are below 128.
  private void ofAnEarlierAdmission(int node) throws IOException {
    int changed = 0;
    for (int shard = 0; shard < 2; shard++) {
      try (Lsm lsm = script.cluster.store(node, shard)) {
        ColumnFamily meta = lsm.columnFamily("meta", CompactionStyle.LEVELED);
        WriteBatch batch = new WriteBatch();
        try (LsmIterator rows = lsm.iterator(meta, IteratorOptions.all())) {
          for (rows.seek(new byte[] {0, 1}); rows.valid(); rows.next()) {
            byte[] row = rows.value().clone();
            if (rows.key()[4] == 1 && row[1] > 0) {
              row[1]--;
              batch.put(meta, rows.key().clone(), row);
              changed++;
            }
          }
        }
        lsm.write(batch, Durability.SYNC);
      }
    }
    assertEquals(16, changed);
  }

  @Test
  void whatWasAcknowledgedOutlivesADirectoryThatIsSetBack() {
    int[] replicas = script.replicas("data", KEY);
    script.put(replicas[0], KEY, "old", Script.ALL);
    script.cluster.runFor(60 * SECOND);
    Map<String, byte[]> backup = script.cluster.disk(replicas[0]).backup();
    acknowledged();
    comesBackWithout(backup);
    stays();
  }

  /// It starts once more before it has what the third has.
  @Test
  void aRestartDoesNotMakeAnEmptyReplicaWhole() {
    acknowledged();
    script.cluster.end(first);
    script.cluster.disk(first).wipe();
    script.cut(first, third, true);
    script.cut(second, third, true);
    script.cluster.start(second);
    script.cluster.start(first);
    script.cluster.runFor(300 * MILLI);
    assertTrue(script.cluster.node(first).partitionsBehind() > 0);
    script.cluster.end(first);
    script.cut(first, third, false);
    script.cut(second, third, false);
    comesBack();
    stays();
  }

  @Test
  void anEmptyReplicaServesThoughAnotherNodeNeverComesBack() {
    acknowledged();
    script.cluster.end(first);
    script.cluster.disk(first).wipe();
    script.cluster.start(first);
    script.cluster.within(10 * SECOND, () -> script.cluster.node(first).partitionsBehind() == 0);
    assertEquals("old+new", script.get(first, KEY, Level.LINEARIZABLE));
    append(first, "+2");
    assertEquals("old+new+2", script.get(third, KEY, Level.LINEARIZABLE));
  }

  /// What only a node has told that is dead for good is not waited for.
  @Test
  void anEmptyReplicaServesThoughTheOneThatHadMoreNeverComesBack() {
    acknowledged();
    script.cluster.end(first);
    script.cluster.disk(first).wipe();
    script.cluster.network.slow(third, first, 300 * MILLI);
    script.cluster.network.slow(third, second, 300 * MILLI);
    script.cluster.start(second);
    script.cluster.start(first);
    script.cluster.runFor(700 * MILLI);
    script.cluster.end(third);
    script.cluster.within(15 * SECOND, () -> script.cluster.node(first).partitionsBehind() == 0);
    append(second, "+2");
  }
}
