package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.FillBounds;
import dev.tern.core.context.Limits;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import dev.tern.env.CoverageMarks;
import org.junit.jupiter.api.Test;

/// A replica that lost its disk takes what the others have as fast as either side may, and all of
/// it.
class FillRateTest {
  private static final long SECOND = Cluster.SECOND;
  private static final int KEYS = 300;
  private static final String VALUE = "v".repeat(1_000);

  /// Of a shard; nodes have two.
  private static final int RATE = 16 << 10;

  private static final Limits SLOW =
      Limits.DEFAULT.withPageBytes(2_000).withFill(new FillBounds(RATE, RATE));

  /// Bytes a second at which a node is filled that lost its disk.
  private static double filled(Limits givers, Limits taker) {
    Cluster cluster = new Cluster(3, givers);
    Script script = new Script(cluster, 3);
    for (int i = 0; i < KEYS; i++) {
      script.put(1, "key" + i, VALUE, Level.DEFAULT);
    }
    cluster.runFor(5 * SECOND);
    cluster.end(3);
    cluster.disk(3).wipe();
    cluster.limits = taker;
    cluster.start(3);
    long began = cluster.world.nanos();
    cluster.within(120 * SECOND, () -> cluster.seen(3));
    long nanos = cluster.world.nanos() - began;
    long bytes = cluster.node(3).statistic(Counter.REPAIRED_BYTES);
    assertEquals(KEYS, cluster.node(3).statistic(Counter.REPAIRED_RECORDS));
    assertTrue(bytes > (long) KEYS * VALUE.length(), () -> bytes + " bytes");
    return bytes * 1e9 / nanos;
  }

  private static void assertKept(double rate) {
    assertTrue(rate < 2.2 * RATE && rate > RATE / 2.0, () -> rate + " bytes a second");
  }

  @Test
  void aTakerKeepsToItsRate() {
    assertKept(filled(Limits.DEFAULT, SLOW));
  }

  @Test
  void giversKeepToTheirs() {
    CoverageMarks.clear();
    double rate = filled(SLOW, Limits.DEFAULT);
    // There are two of them.
    assertTrue(rate < 4.4 * RATE && rate > RATE / 2.0, () -> rate + " bytes a second");
    assertTrue(CoverageMarks.isReached(CoreMark.FILL_WAITED));
  }

  /// A page takes seconds there: no request runs into its deadline, and nothing is taken twice.
  @Test
  void twoThatAskOneGiverAtItsFloorTakeEverythingOnce() {
    int values = 48;
    int bytes = 64 << 10;
    Limits limits = Limits.DEFAULT.withFill(new FillBounds(bytes, bytes));
    Cluster cluster = new Cluster(3, limits);
    Script script = new Script(cluster, 3);
    for (int i = 0; i < values; i++) {
      script.put(1, "key" + i, "v".repeat(bytes), Script.ALL);
    }
    cluster.runFor(5 * SECOND);
    for (int number = 2; number <= 3; number++) {
      cluster.end(number);
      cluster.disk(number).wipe();
    }
    for (int number = 2; number <= 3; number++) {
      cluster.start(number);
    }
    cluster.within(600 * SECOND, () -> cluster.seen(2) && cluster.seen(3));
    for (int number = 2; number <= 3; number++) {
      long taken = cluster.node(number).statistic(Counter.REPAIRED_BYTES);
      assertTrue(taken < 1.2 * values * bytes, () -> taken + " bytes of " + values * bytes);
    }
  }
}
