package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.wire.FrameKind;
import org.junit.jupiter.api.Test;

/// A replica that has lost writes must not wait for one that waits to be filled: that one gives
/// nothing, and waits for the first.
class FillsWithoutEndTest {
  private static final long SECOND = Cluster.SECOND;
  private static final long MILLI = Cluster.MILLI;
  private static final Update PUT =
      new Update.Put("new".getBytes(US_ASCII), Update.NO_EXPIRY, Update.Condition.NONE, false);

  /// An old replica mints puts that reach the newcomer alone, and loses its disk.
  @Test
  void aReplicaThatIsEmptyDoesNotWaitForANewcomer() {
    Cluster cluster = new Cluster(4);
    Script script = new Script(cluster, 4);
    Placement placement = new Placement(cluster, 4);
    placement.settleOnTheFirstThree();
    script.put(1, "other", "v", Level.DEFAULT);
    cluster.runFor(5 * SECOND);
    Cluster.Drops slowFill = (from, to, kind) -> kind == FrameKind.DATA && to == 4 && from != 2;
    cluster.drops = slowFill;
    placement.weigh(100, 100, 0, 100);
    placement.reach(Phase.FILLING);
    cluster.drops =
        (from, to, kind) ->
            slowFill.drops(from, to, kind) || kind == FrameKind.DATA && from == 2 && to != 4;
    for (int i = 0; i < 30; i++) {
      script.begin(2, "key" + i, PUT, Level.DEFAULT, outcome -> {});
    }
    cluster.runFor(20 * MILLI);
    cluster.drops = slowFill;
    cluster.end(2);
    cluster.disk(2).wipe();
    cluster.runFor(50 * MILLI);
    cluster.start(2);
    cluster.runFor(8 * SECOND);
    cluster.drops = (from, to, kind) -> false;
    cluster.within(120 * SECOND, () -> placement.all(set -> set.isStable() && !set.has(3)));
    cluster.runFor(10 * SECOND);
    assertEquals(0, cluster.node(2).partitionsBehind());
  }

  /// Of two newcomers one has what the only replica lost, and the other one waits for that.
  @Test
  void newcomersDoNotWaitForEachOther() {
    Cluster cluster = new Cluster(3);
    Script script = new Script(cluster, 3);
    Placement placement = new Placement(cluster, 3);
    placement.weigh(100, 0, 0);
    cluster.within(120 * SECOND, () -> placement.isSettled(1));
    script.put(1, "other", "v", Level.DEFAULT);
    cluster.runFor(5 * SECOND);
    boolean[] slow = {true};
    cluster.drops = (from, to, kind) -> kind == FrameKind.DATA && to == 3 && slow[0];
    placement.weigh(100, 100, 100);
    placement.reach(Phase.FILLING);
    cluster.disk(1).slownessNanos = 100 * MILLI;
    for (int i = 0; i < 400; i++) {
      script.begin(1, "key" + i, PUT, Level.DEFAULT, outcome -> {});
      cluster.runFor(MILLI / 20);
    }
    cluster.end(1);
    cluster.disk(1).powerCut();
    cluster.disk(1).slownessNanos = 50_000;
    cluster.runFor(50 * MILLI);
    cluster.start(1);
    cluster.runFor(5 * SECOND);
    slow[0] = false;
    cluster.within(120 * SECOND, () -> placement.isSettled(3));
  }
}
