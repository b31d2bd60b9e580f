package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Stamp;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.MessageCodec;
import dev.tern.core.wire.RoutedKey;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// A replica has promised a leader a ballot that lies above its reservation of stamps, and loses
/// its power at the moment that it has said so.
class PromiseTest {
  private static final long MILLI = Cluster.MILLI;
  private static final long SECOND = Cluster.SECOND;
  private static final String KEY = "k";
  private static final long AHEAD_MILLIS = 60_000;

  /// By the id of what it answers.
  private final Map<Long, Message.Reply> replies = new TreeMap<>();

  private void read(Cluster cluster, int from, int to, long id, long ballot, Stamp floor) {
    byte[] key = KEY.getBytes(US_ASCII);
    RoutedKey at = RoutedKey.of(1, 1, key);
    Message read = new Message.Read(id, 1, at, false, false, false, ballot, floor);
    ByteWriter out = new ByteWriter();
    MessageCodec.encode(read, out);
    int shard = cluster.node(to).view().partitionOf(at.slot());
    cluster.network.forge(from, to, shard, out.toByteArray(), refused -> {});
    for (int i = 0; i < 20_000 && !replies.containsKey(id); i++) {
      cluster.runFor(MILLI / 10);
    }
  }

  private void observe(byte[] frame) {
    try {
      if (MessageCodec.decode(new ByteReader(frame)) instanceof Message.Reply reply) {
        replies.putIfAbsent(reply.id(), reply);
      }
    } catch (DecodeException e) {
      // Gossip, or of the topology's log.
    }
  }

  private static void restart(Cluster cluster, int replica) {
    cluster.end(replica);
    cluster.disk(replica).powerCut();
    cluster.start(replica);
    cluster.within(20 * SECOND, cluster::allSeen);
  }

  /// What an earlier leader is told after the power cut.
  private Message.Reply toldEarlierLeader(PlantedBug planted) {
    Script script = new Script(new Cluster(3, planted), 3);
    Cluster cluster = script.cluster;
    int[] replicas = script.replicas("data", KEY);
    int leader = replicas[0];
    int replica = replicas[2];
    cluster.observer = this::observe;
    long millis = cluster.clock(replica).wallMillis() + AHEAD_MILLIS;
    read(cluster, leader, replica, 1, HybridClock.ofMillis(millis), Stamp.NONE);
    assertInstanceOf(Message.Digest.class, replies.get(1L));
    restart(cluster, replica);
    long earlier = HybridClock.ofMillis(millis - AHEAD_MILLIS / 4);
    read(cluster, leader, replica, 2, earlier, Stamp.NONE);
    return java.util.Objects.requireNonNull(replies.get(2L));
  }

  @Test
  void aPromiseIsNotForgottenByAPowerCut() {
    assertInstanceOf(Message.Outvoted.class, toldEarlierLeader(PlantedBug.NONE));
  }

  /// The floor that a leader's read carries is as durable as the promise: what absent counts as
  /// must not fall before a later leader asks.
  @Test
  void norIsTheFloorThatTheReadCarried() {
    Script script = new Script(new Cluster(3), 3);
    Cluster cluster = script.cluster;
    int[] replicas = script.replicas("data", KEY);
    cluster.observer = this::observe;
    long millis = cluster.clock(replicas[2]).wallMillis();
    Stamp floor = Stamp.put(HybridClock.ofMillis(millis), 7);
    read(cluster, replicas[0], replicas[2], 1, HybridClock.ofMillis(millis), floor);
    assertEquals(Rank.absent(floor), ((Message.Digest) replies.get(1L)).rank());
    restart(cluster, replicas[2]);
    long later = HybridClock.ofMillis(millis + AHEAD_MILLIS);
    read(cluster, replicas[1], replicas[2], 2, later, Stamp.NONE);
    assertEquals(Rank.absent(floor), ((Message.Digest) replies.get(2L)).rank());
  }

  @Test
  void oneAboveTheReservationOnDiskWouldBe() {
    assertInstanceOf(Message.Digest.class, toldEarlierLeader(PlantedBug.PROMISE_FORGOTTEN));
  }
}
