package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.topology.TopologyState;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Events;
import dev.tern.raft.RaftMessage;
import dev.tern.raft.RaftMessageCodec;
import org.junit.jupiter.api.Test;

/// Versions that do not speak with each other say so.
class LevelsTest {
  /// Whatever its greeting says behind the levels: their formats are another version's.
  @Test
  void aNodeOfTheVersionBeforeIsToldToUpgrade() {
    byte[] bytes = {'T', 1, 1, 0, 1, 1, 1, 77, 88, 99};
    TopologyMessage message = TopologyMessageCodec.decode(new ByteReader(bytes));
    TopologyMessage.Greeting greeting = (TopologyMessage.Greeting) message;
    assertEquals(new Levels(1, 1), greeting.levels());
    Acquaintances acquaintances = new Acquaintances(Levels.OURS, TopologyBug.NONE, Events.NONE);
    assertEquals(
        Acquaintances.Verdict.STRANGER, acquaintances.greeted(2, greeting, TopologyState.NOTHING));
    String why = String.valueOf(acquaintances.strangers().get(2));
    assertTrue(
        why.contains(
            "node 2: it speaks protocol levels 1 to 1 and the cluster is at 2: upgrade it"),
        why);
  }

  @Test
  void aRaftFrameNamesItsGroupAndTheTopologyLogIsGroupZero() {
    RaftMessage stale = new RaftMessage.Stale(7);
    ByteWriter out = new ByteWriter();
    TopologyMessageCodec.encode(new TopologyMessage.Raft(stale), out);
    byte[] bytes = out.toByteArray();
    assertEquals(FrameKind.RAFT, FrameKind.of(new ByteReader(bytes)));
    assertEquals(0, bytes[2]);
    ByteReader rest = new ByteReader(bytes, 3, bytes.length - 3);
    assertEquals(stale, RaftMessageCodec.decode(rest));
    bytes[2] = 5;
    String message =
        assertThrows(
                DecodeException.class, () -> TopologyMessageCodec.decode(new ByteReader(bytes)))
            .getMessage();
    assertTrue(message.contains("Raft group 5"), message);
  }
}
