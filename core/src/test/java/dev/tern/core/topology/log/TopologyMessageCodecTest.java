package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.raft.RaftMessage;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The bytes of what nodes say of the topology.
class TopologyMessageCodecTest {
  private static List<TopologyMessage> all() {
    Decision refused =
        new Decision.Decided(
            new TopologyOutcome.Refused(TopologyOutcome.Reason.values()[0], "it may not be"));
    return List.of(
        new TopologyMessage.Greeting(
            true, Levels.OURS, 5, new ClusterId(1, 2), 300, Founding.NOTHING, -7, true, false),
        new TopologyMessage.Raft(new RaftMessage.Heartbeat(5, 7, 1000)),
        new TopologyMessage.State(TopologyState.NOTHING),
        new TopologyMessage.Beat(300, 5, 2),
        new TopologyMessage.Propose(9, new Proposed(300, new Command.SetWeight(2, 50))),
        new TopologyMessage.Answer(9, new Decision.Decided(new TopologyOutcome.Changed(301))),
        new TopologyMessage.Answer(9, new Decision.Decided(new TopologyOutcome.Unchanged(300))),
        new TopologyMessage.Answer(9, refused),
        new TopologyMessage.Answer(9, new Decision.NotProposed("no leader")),
        new TopologyMessage.Answer(9, new Decision.Unknown("late")),
        new TopologyMessage.NotLeader(9, 0),
        new TopologyMessage.MoveReports(
            new LeftReport(300, bits(0, 300), bits(300)),
            List.of(new MoveReport(1, 16_383, 300, 3), new MoveReport(65_535, 0, 1, 4))));
  }

  private static BitSet bits(int... partitions) {
    BitSet bits = new BitSet();
    Arrays.stream(partitions).forEach(bits::set);
    return bits;
  }

  private static byte[] encoded(TopologyMessage message) {
    ByteWriter out = new ByteWriter();
    TopologyMessageCodec.encode(message, out);
    return out.toByteArray();
  }

  @Test
  void messagesOfLevel5() throws IOException {
    List<byte[]> made = all().stream().map(TopologyMessageCodecTest::encoded).toList();
    Golden.check(
        "topology-messages-1-level-5",
        made,
        bytes -> encoded(TopologyMessageCodec.decode(new ByteReader(bytes))));
    Hostile hostile =
        new Hostile(bytes -> TopologyMessageCodec.decode(new ByteReader(bytes)), 1 << 20);
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 4, "refused " + hostile.refused());
  }
}
