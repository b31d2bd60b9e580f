package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.version.RecordForm;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Events;
import dev.tern.raft.RaftMessage;
import dev.tern.raft.RaftMessageCodec;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Versions that do not speak with each other say so.
class LevelsTest {
  /// The formats of each level, as [#formats] writes them. A line is never changed: who changes a
  /// format adds the line of the next level and raises [Levels#OURS] to it.
  private static final SortedMap<Integer, String> FORMATS =
      new TreeMap<>(
          Map.of(
              2, "DATA 5 or 6, GOSSIP 3, RAFT 1, TOPOLOGY 1; record 3, topology 2, raft message 1",
              3, "DATA 6, GOSSIP 3, RAFT 1, TOPOLOGY 1; record 3, topology 2, raft message 1",
              4, "DATA 7, GOSSIP 3, RAFT 1, TOPOLOGY 1; record 3, topology 2, raft message 1",
              5, "DATA 7, GOSSIP 3, RAFT 1, TOPOLOGY 1; record 3, topology 3, raft message 1"));

  /// The formats that this version writes and that another node reads.
  private static String formats() {
    ByteWriter out = new ByteWriter();
    String frames =
        Arrays.stream(FrameKind.values())
            .filter(kind -> kind != FrameKind.AUTHENTICATION && kind != FrameKind.STREAM)
            .map(kind -> kind + " " + kind.lead(out.clear()).toByteArray()[1])
            .collect(Collectors.joining(", "));
    TopologyCodec.encode(TopologyState.NOTHING, out.clear());
    int topology = out.toByteArray()[0];
    RaftMessageCodec.encode(new RaftMessage.Stale(7), out.clear());
    int raft = out.toByteArray()[0];
    return "%s; record %d, topology %d, raft message %d"
        .formatted(frames, RecordForm.FORMAT, topology, raft);
  }

  @Test
  void theLevelRisesWithTheFormatsAndTheFormatsWithTheLevel() {
    String what =
        "a format that several nodes read has changed: add a line for the next level and raise"
            + " Levels.OURS to it";
    assertEquals(FORMATS.get(Levels.OURS.max()), formats(), what);
    assertEquals(FORMATS.lastKey(), Levels.OURS.max(), "a level that no format needs");
    assertEquals(FORMATS.size(), Set.copyOf(FORMATS.values()).size(), "two levels are alike");
    assertEquals(5, TopologyState.FIRST_LEVEL, "logs that are there begin at it");
  }

  /// What two nodes say of each other whose levels do not meet.
  ///
  /// @param levels of the node that hears
  /// @param greeting of the other one, whose number is 2
  private static String said(Levels levels, TopologyState known, byte[] greeting) {
    TopologyMessage message = TopologyMessageCodec.decode(new ByteReader(greeting));
    Acquaintances acquaintances = new Acquaintances(levels, TopologyBug.NONE, Events.NONE);
    assertEquals(
        Acquaintances.Verdict.STRANGER,
        acquaintances.greeted(2, (TopologyMessage.Greeting) message, known));
    return String.valueOf(acquaintances.strangers().get(2));
  }

  /// Whatever its greeting says behind the levels: their formats are another version's.
  @Test
  void aNodeOfAVersionBeforeIsToldToUpgrade() {
    for (byte level = 1; level <= 4; level++) {
      byte[] greeting = {'T', 1, 1, 0, level, level, level, 77, 88, 99};
      String why = said(Levels.OURS, TopologyState.NOTHING, greeting);
      assertTrue(
          why.startsWith("node 2: it speaks protocol levels %d to %d and".formatted(level, level)),
          why);
      assertTrue(why.endsWith("the cluster is at 5: upgrade it to a version that speaks 5"), why);
    }
  }

  /// The other side: a cluster of a version before hears a node of this one.
  @Test
  void aClusterOfAVersionBeforeIsToldToUpgrade() {
    byte[] greeting = {'T', 1, 1, 0, 9, 9, 9, 77, 88, 99};
    assertEquals(
        "node 2: it speaks protocol levels 9 to 9 and the cluster is at 5: upgrade all members,"
            + " by way of a version that speaks both",
        said(Levels.OURS, TopologyState.NOTHING, greeting));
  }

  @Test
  void aDirectoryOfALevelThatIsNotSpokenIsRefused() {
    ByteWriter out = new ByteWriter();
    TopologyCodec.encode(TopologyState.NOTHING, out);
    byte[] bytes = out.toByteArray();
    // Behind it: format u8, cluster 2 u64, epoch varint 0.
    bytes[1 + 16 + 1] = 6;
    TopologyState later = TopologyCodec.state(new ByteReader(bytes));
    assertEquals(6, later.level());
    String why = assertThrows(RefusedException.class, () -> Levels.OURS.expect(later)).getMessage();
    assertTrue(why.contains("levels 5 to 5 and the cluster is at 6: upgrade it"), why);
    why =
        assertThrows(RefusedException.class, () -> new Levels(6, 7).expect(TopologyState.NOTHING))
            .getMessage();
    assertTrue(why.contains("levels 6 to 7 and the cluster is at 5: upgrade all members"), why);
    Levels.OURS.expect(TopologyState.NOTHING);
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
