package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.FillBounds;
import dev.tern.core.context.Limits;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import dev.tern.env.CoverageMarks;
import java.io.IOException;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/// A newcomer takes partitions as snapshots: it has all that was there and all that was written
/// meanwhile, whatever ends on the way.
class SnapshotMoveTest {
  private static final long SECOND = Cluster.SECOND;
  private static final long MILLI = Cluster.MILLI;
  private static final int KEYS = 60;

  /// So slow that writes come meanwhile.
  private final Limits limits =
      Limits.DEFAULT.withSnapshotDots(1).withPageBytes(200).withFill(new FillBounds(2_000, 2_000));

  private final Cluster cluster = new Cluster(4, limits);
  private final Script script = new Script(cluster, 4);
  private final Placement placement = new Placement(cluster, 4);

  /// What was acknowledged last.
  private final TreeMap<String, String> written = new TreeMap<>();

  private int writes;

  private void put(String key, String value) {
    script.put(1, key, value, Level.DEFAULT);
    written.put(key, value);
  }

  private void delete(String key) {
    script.delete(1, key, Level.DEFAULT);
    written.remove(key);
  }

  /// Three nodes have records, some with an expiry and some deleted; the fourth one joins.
  private void begin() {
    placement.settleOnTheFirstThree();
    for (int i = 0; i < KEYS; i++) {
      put("k" + i, "old");
    }
    for (int i = 0; i < KEYS; i += 7) {
      delete("k" + i);
    }
    cluster.runFor(2 * SECOND);
    placement.weigh(100, 100, 100, 100);
  }

  /// Some records are replaced, deleted and new.
  private void writeMore() {
    int i = writes++;
    put("k" + i % KEYS, "new" + i);
    put("more" + i, "more");
    if (i % 3 == 0) {
      delete("k" + (i + 11) % KEYS);
    }
  }

  private boolean settled() {
    boolean any = !placement.all(set -> !set.has(4));
    return any && placement.isSettled(3) && cluster.allSeen();
  }

  private void writeUntil(BooleanSupplier is) {
    long until = cluster.world.nanos() + 120 * SECOND;
    while (!is.getAsBoolean()) {
      assertTrue(cluster.world.nanos() < until, "not within two minutes");
      writeMore();
      cluster.runFor(20 * MILLI);
    }
  }

  private void assertAllIsThere() throws IOException {
    cluster.runFor(10 * SECOND);
    cluster.within(60 * SECOND, () -> cluster.node(4).converged());
    for (int i = 0; i < KEYS; i++) {
      String key = "k" + i;
      assertEquals(written.get(key), script.get(4, key, Script.ALL), key);
      assertEquals(written.get(key), script.get(4, key, Script.ONE), key);
    }
    for (int i = 0; i < writes; i++) {
      assertEquals("more", script.get(4, "more" + i, Script.ALL), "more" + i);
    }
    int data = cluster.node(4).view().keyspace("data").id();
    for (int node = 1; node <= 4; node++) {
      for (int p = 0; p < 16; p++) {
        if (cluster.node(node).dots(data, p) != null) {
          assertNull(cluster.node(node).wrongCount(data, p), "figures of node " + node);
          assertEquals(-1, cluster.node(node).wrongSegment(data, p), "hashes of node " + node);
        }
      }
    }
  }

  private long ingests() {
    return cluster.node(4).storage(0).ingests() + cluster.node(4).storage(1).ingests();
  }

  @Test
  void aNewcomerHasWhatWasThereAndWhatWasWrittenMeanwhile() throws IOException {
    CoverageMarks.clear();
    begin();
    writeUntil(this::settled);
    assertAllIsThere();
    assertTrue(cluster.node(4).statistic(Counter.SNAPSHOTS_INSTALLED) > 0);
    assertTrue(CoverageMarks.isReached(CoreMark.SNAPSHOT_MERGED), "nothing was written meanwhile");
    cluster.end(4);
    cluster.start(4);
    cluster.within(60 * SECOND, this::settled);
    assertAllIsThere();
  }

  @Test
  void aCrashBehindTheEditIsEndedByTheNextStart() throws IOException {
    CoverageMarks.clear();
    begin();
    for (int i = 0; i < 12 && !CoverageMarks.isReached(CoreMark.INSTALL_ENDED_AT_START); i++) {
      long until = cluster.world.nanos() + 60L * SECOND;
      while (ingests() == 0) {
        assertTrue(cluster.world.nanos() < until, "nothing is taken in");
        cluster.world.runUntil(cluster.world.nanos() + MILLI / 20);
      }
      cluster.end(4);
      cluster.start(4);
    }
    assertTrue(CoverageMarks.isReached(CoreMark.INSTALL_ENDED_AT_START));
    writeUntil(this::settled);
    assertAllIsThere();
  }

  @Test
  void aCrashAtAnyMomentLosesNothing() throws IOException {
    for (int i = 1; i <= 12; i++) {
      SnapshotMoveTest again = new SnapshotMoveTest();
      again.begin();
      long ends = again.cluster.world.nanos() + 75L * i * MILLI;
      again.writeUntil(() -> again.cluster.world.nanos() >= ends);
      again.cluster.end(4);
      again.cluster.start(4);
      again.writeUntil(again::settled);
      again.assertAllIsThere();
    }
  }

  /// The replica that gives the snapshot ends: the newcomer begins anew with another one.
  @Test
  void aGiverThatEndsIsReplaced() throws IOException {
    begin();
    writeUntil(() -> cluster.node(4).statistic(Counter.REPAIRED_BYTES) > 0);
    cluster.end(3);
    cluster.start(3);
    writeUntil(this::settled);
    assertAllIsThere();
  }
}
