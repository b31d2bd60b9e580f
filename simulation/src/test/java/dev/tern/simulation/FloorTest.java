package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.MessageCodec;
import dev.tern.core.wire.RoutedKey;
import dev.tern.env.ByteWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// What an absent key counts as differs between replicas for a moment: each strips deletes in its
/// own time. The second replica has just stripped one and leads `y`, under a lower ballot than the
/// first replica, which leads `x` and has not heard of the strip. Node 4 takes the second replica
/// for the first live one.
class FloorTest {
  private static final long MILLI = Cluster.MILLI;
  private static final long SECOND = Cluster.SECOND;

  /// A ballot below all others.
  private static final long EARLIER = 1 << 20;

  private final Script script = new Script(new Cluster(4, 3, number -> "z" + number), 4);
  private final List<UpdateOutcome> toldOfX = new ArrayList<>();
  private final List<UpdateOutcome> toldOfY = new ArrayList<>();
  private final String tag;
  private final String key;
  private final int first;
  private final int second;
  private final int third;

  FloorTest() {
    String found = null;
    for (int i = 0; found == null; i++) {
      String one = "{" + (char) ('a' + i) + "}";
      found = script.outsiders("data", one)[0] == 4 ? one : null;
    }
    tag = found;
    key = tag + "k";
    int[] replicas = script.replicas("data", key);
    first = replicas[0];
    second = replicas[1];
    third = replicas[2];
  }

  private void setIfAbsent(int node, String name, String value, List<UpdateOutcome> told) {
    script.beginSetIfAbsent(node, name, value, /* get= */ true, Level.LINEARIZABLE, told::add);
  }

  /// Leaves the second replica with a higher floor than the others, and slow to hear from them.
  private void stripAtTheSecond() {
    script.put(first, tag + "deleted", "v", Script.ALL);
    script.cut(4, first, true);
    script.cut(4, third, true);
    List<UpdateOutcome> pings = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      setIfAbsent(4, tag + "ping", "v", pings);
      script.cluster.runFor(SECOND / 2);
    }
    script.delete(4, tag + "deleted", Script.ALL);
    long before = script.cluster.node(second).statistic(Counter.STRIPPED_DELETES);
    long until = script.cluster.world.nanos() + 60 * SECOND;
    while (script.cluster.node(second).statistic(Counter.STRIPPED_DELETES) == before) {
      assertTrue(script.cluster.world.nanos() < until, "nothing was stripped");
      script.cluster.runFor(MILLI / 2);
    }
    assertEquals(0, script.cluster.node(first).statistic(Counter.STRIPPED_DELETES));
    assertEquals(0, script.cluster.node(third).statistic(Counter.STRIPPED_DELETES));
    script.cluster.network.slow(third, second, 50 * MILLI);
    script.cluster.network.slow(first, second, 50 * MILLI);
  }

  /// What a leader of long ago, under the floor that the first and third replicas have, left at one
  /// of them: a value, or a delete.
  private void leaveAt(int node, @Nullable String value) {
    byte[] bytes = value == null ? null : value.getBytes(US_ASCII);
    ValueType type = value == null ? ValueType.NONE : ValueType.BYTES;
    Version version = new Version(99, 1, Stamp.NONE.updated(EARLIER), 0, type, bytes);
    byte[] name = key.getBytes(US_ASCII);
    RoutedKey at = RoutedKey.of(1, 1, name);
    Message write = new Message.Write(1L << 60, 1, at, Siblings.of(version), 0);
    ByteWriter out = new ByteWriter();
    MessageCodec.encode(write, out);
    int shard = script.cluster.node(node).view().partitionOf(at.slot());
    script.cluster.network.forge(second, node, shard, out.toByteArray(), refused -> {});
  }

  /// The third replica answers the read of `y`, the second one has not heard it yet.
  private void leadAtTheSecond() {
    script.cluster.network.cut(second, first, true);
    setIfAbsent(4, key, "y", toldOfY);
    script.cluster.runFor(10 * MILLI);
    script.cluster.network.cut(second, first, false);
  }

  private UpdateOutcome.Done toldOfX() {
    setIfAbsent(first, key, "x", toldOfX);
    script.cluster.within(5 * SECOND, () -> !toldOfX.isEmpty());
    return assertInstanceOf(UpdateOutcome.Done.class, toldOfX.getFirst());
  }

  private @Nullable String last() {
    script.cluster.runFor(SECOND);
    assertInstanceOf(Unanswered.Unknown.class, toldOfY.getFirst());
    script.cluster.network.heal();
    script.cluster.runFor(15 * SECOND);
    return script.get(third, key, Script.ALL);
  }

  @Test
  void anOutvotedLeaderWithAHigherFloorReplacesNothing() {
    stripAtTheSecond();
    leadAtTheSecond();
    assertTrue(toldOfX().applied());
    assertEquals("x", last());
  }

  @Test
  void norWhereTheLaterLeaderStandsOnADelete() {
    stripAtTheSecond();
    leaveAt(first, null);
    leadAtTheSecond();
    assertTrue(toldOfX().applied());
    assertEquals("x", last());
  }

  @Test
  void norWhereTheLaterLeaderShowsAnUpdateThatItAloneHas() {
    stripAtTheSecond();
    leaveAt(first, "v");
    leadAtTheSecond();
    assertArrayEquals("v".getBytes(US_ASCII), toldOfX().value());
    assertEquals("v", last());
  }

  /// The third replica had nothing when it answered the second one.
  @Test
  void norWhereTheLaterLeaderIsShownAnUpdateByAReplicaThatGotItSince() {
    stripAtTheSecond();
    leadAtTheSecond();
    leaveAt(third, "v");
    script.cluster.runFor(MILLI);
    assertArrayEquals("v".getBytes(US_ASCII), toldOfX().value());
    assertEquals("v", last());
  }
}
