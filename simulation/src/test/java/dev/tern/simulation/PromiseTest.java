package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.tern.core.PlantedBug;
import dev.tern.core.quorum.Message;
import dev.tern.core.quorum.MessageCodec;
import dev.tern.core.topology.Slots;
import dev.tern.core.version.HybridClock;
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

  private void read(Cluster cluster, int from, int to, long id, long ballot) {
    int slot = Slots.of(KEY.getBytes(US_ASCII));
    Message read = new Message.Read(id, 1, 1, KEY.getBytes(US_ASCII), false, false, false, ballot);
    ByteWriter out = new ByteWriter();
    MessageCodec.encode(read, out);
    int shard = cluster.node(to).view().partitionOf(slot);
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

  /// What an earlier leader is told after the power cut.
  private Message.Reply toldEarlierLeader(PlantedBug planted) {
    Script script = new Script(new Cluster(3, planted), 3);
    Cluster cluster = script.cluster;
    int[] replicas = script.replicas("data", KEY);
    int leader = replicas[0];
    int replica = replicas[2];
    cluster.observer = this::observe;
    long millis = cluster.clock(replica).wallMillis() + AHEAD_MILLIS;
    read(cluster, leader, replica, 1, HybridClock.ofMillis(millis));
    assertInstanceOf(Message.Digest.class, replies.get(1L));
    cluster.end(replica);
    cluster.disk(replica).powerCut();
    cluster.start(replica);
    cluster.within(20 * SECOND, cluster::allSeen);
    read(cluster, leader, replica, 2, HybridClock.ofMillis(millis - AHEAD_MILLIS / 4));
    return java.util.Objects.requireNonNull(replies.get(2L));
  }

  @Test
  void aPromiseIsNotForgottenByAPowerCut() {
    assertInstanceOf(Message.Outvoted.class, toldEarlierLeader(PlantedBug.NONE));
  }

  @Test
  void oneAboveTheReservationOnDiskWouldBe() {
    assertInstanceOf(Message.Digest.class, toldEarlierLeader(PlantedBug.PROMISE_FORGOTTEN));
  }
}
