package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.node.Node;
import dev.tern.core.node.NodeConfig;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.core.wire.FrameKind;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.MessageCodec;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Environment;
import dev.tern.env.EventLoop;
import dev.tern.env.Network;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.World;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// A request that a network delivers twice is answered twice, with a write in between: the later
/// version may arrive first. (Found as seed 6925585595864522297.)
class DuplicateAnswersTest {
  private static final int MEMBERS = 4;
  private static final byte[] OLD = "old".getBytes(US_ASCII);
  private static final byte[] NEW = "new".getBytes(US_ASCII);

  private final World world =
      new World(
          7,
          (node, what) -> {
            throw new IllegalStateException(what);
          });
  private final Wire wire = new Wire();
  private final Node node = node();

  /// The other members are what the test plays.
  private final class Wire implements Network {
    private final TreeSet<Integer> greeted = new TreeSet<>();
    private final Map<Integer, Message.Read> reads = new LinkedHashMap<>();
    private @Nullable Receiver receiver;

    @Override
    public void start(Receiver newReceiver) {
      receiver = newReceiver;
    }

    @Override
    public void connect(int member, String host, int port) {
      // Nobody is there.
    }

    @Override
    public boolean send(int fromShard, int member, int toShard, ByteWriter payload) {
      byte[] bytes = payload.toByteArray();
      FrameKind kind = FrameKind.of(new ByteReader(bytes));
      if (kind != FrameKind.DATA) {
        boolean gossip = kind == FrameKind.GOSSIP;
        // Each member greets with the node's own words, once, and tells the same time.
        if (greeted.add(gossip ? -member : member)) {
          world.schedule(
              0,
              MEMBERS,
              () -> Objects.requireNonNull(receiver).frame(member, 0, 0, new ByteReader(bytes)));
        }
      } else if (MessageCodec.decode(new ByteReader(bytes)) instanceof Message.Read read) {
        reads.put(member, read);
      }
      return true;
    }

    @Override
    public boolean connected(int fromShard, int member) {
      return true;
    }

    void arrives(int from, Message message) {
      ByteWriter frame = new ByteWriter();
      MessageCodec.encode(message, frame);
      Objects.requireNonNull(receiver).frame(from, 0, 0, new ByteReader(frame.toByteArray()));
    }
  }

  private Node node() {
    List<MemberEntry> members = new ArrayList<>();
    for (int i = 1; i <= MEMBERS; i++) {
      Member.Ports ports = Member.Ports.NONE.with("internode", 1).with("redis", 2);
      members.add(MemberEntry.of(new Member(i, "%040x".formatted(i), "z" + i, "node-" + i, ports)));
    }
    SimulatedDisk disk = new SimulatedDisk(world, MEMBERS);
    List<EventLoop> loops = List.of(new SimulatedLoop(world, MEMBERS, disk));
    try {
      return Node.create(
          new Environment(new SimulatedClock(world), loops, wire, disk, world.random),
          new NodeConfig(
              MEMBERS,
              new Founding(16, members, List.of(KeyspaceSettings.usual("data"))),
              LsmOptions.DEFAULT.withTuning(
                  new LsmOptions.Tuning(1 << 16, 1 << 16, 512, 1 << 14, LsmBug.NONE)),
              PlantedBug.NONE));
    } catch (java.io.IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Siblings version(int millis, byte[] value) {
    return Siblings.of(Version.put(9, millis, HybridClock.ofMillis(millis), 0, value));
  }

  /// A key that the node under test holds no replica of, so that it asks two others.
  private byte[] foreignKey() {
    int i = 0;
    while (holds(("key-" + i).getBytes(US_ASCII))) {
      i++;
    }
    return ("key-" + i).getBytes(US_ASCII);
  }

  private boolean holds(byte[] key) {
    Topology topology = Objects.requireNonNull(node.view().topology(1));
    int partition = topology.partitionOf(dev.tern.core.topology.Slots.of(key));
    for (int member : topology.replicas(partition)) {
      if (member == MEMBERS) {
        return true;
      }
    }
    return false;
  }

  @Test
  void anOlderSecondAnswerDoesNotTakeTheFirstOnesPlace() {
    node.start();
    world.runUntil(ClusterRun.SECOND / 2);
    List<ReadOutcome> outcomes = new ArrayList<>();
    node.keyspace(0, "data").read(foreignKey(), Level.DEFAULT, outcomes::add);
    assertEquals(2, wire.reads.size());
    Message.Read any = wire.reads.values().iterator().next();
    for (boolean digest : new boolean[] {false, true}) {
      for (Map.Entry<Integer, Message.Read> asked : wire.reads.entrySet()) {
        if (asked.getValue().digest() != digest) {
          continue;
        }
        if (digest) {
          wire.arrives(
              asked.getKey(), new Message.Digest(any.id(), version(2, NEW).newest().rank()));
        } else {
          wire.arrives(asked.getKey(), new Message.Value(any.id(), version(2, NEW)));
          wire.arrives(asked.getKey(), new Message.Value(any.id(), version(1, OLD)));
        }
      }
    }
    assertTrue(outcomes.getFirst() instanceof ReadOutcome.Found);
    assertArrayEquals(NEW, ((ReadOutcome.Found) outcomes.getFirst()).value());
  }
}
