package dev.tern.core.topology;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The bytes of the topology's states and of the commands of its log.
class TopologyFormatTest {
  private static final int MOST_BYTES = 1 << 20;

  private static List<Command> commands() {
    TopologyState state = TopologyStateTest.founded("a", "b", "c");
    Member fourth = TopologyStateTest.member(4, "d");
    KeyspaceSettings settings = KeyspaceSettings.usual("another");
    return List.of(
        TopologyStateTest.founding("a", "b", "c").command(new ClusterId(1, 2)),
        new Command.AdmitMember(fourth, 250),
        new Command.RemoveMember(3),
        new Command.SetWeight(2, 50),
        new Command.SetZone(2, "z"),
        state.create(settings, new KeyHash(0x8f0b280a32d41a4fL, 0x1bf570632e1afc20L)),
        new Command.AlterKeyspace(settings),
        new Command.DropKeyspace("another"),
        new Command.RaiseLevel(3),
        new Command.Readmit(2, -7),
        new Command.RecordVoters(List.of(1, 2, 300)));
  }

  /// From nothing at all to one of a long history.
  private static List<TopologyState> states() {
    List<TopologyState> states = new ArrayList<>();
    states.add(TopologyState.NOTHING);
    TopologyState state = TopologyStateTest.founded("a", "b", "c");
    states.add(state);
    Member fourth = TopologyStateTest.member(4, "d");
    state = TopologyStateTest.done(state, new Command.AdmitMember(fourth, 250));
    KeyspaceSettings settings = KeyspaceSettings.usual("another");
    state =
        TopologyStateTest.done(
            state, state.create(settings, new KeyHash(0x8f0b280a32d41a4fL, 0x1bf570632e1afc20L)));
    state = TopologyStateTest.done(state, new Command.SetWeight(2, 50));
    states.add(TopologyStateTest.done(state, new Command.RaiseLevel(4)));
    return states;
  }

  private static byte[] encoded(TopologyState state) {
    ByteWriter out = new ByteWriter();
    TopologyCodec.encode(state, out);
    return out.toByteArray();
  }

  private static byte[] encoded(Proposed proposed) {
    ByteWriter out = new ByteWriter();
    TopologyCodec.encode(proposed, out);
    return out.toByteArray();
  }

  /// What the constructors of settings and lists refuse is refused where a message or file is read.
  private static Hostile hostile(Hostile.Decoder decoder) {
    return new Hostile(
        bytes -> {
          try {
            decoder.decode(bytes);
          } catch (IllegalArgumentException e) {
            throw new DecodeException(String.valueOf(e.getMessage()));
          }
        },
        MOST_BYTES);
  }

  @Test
  void statesOfFormat2() throws IOException {
    List<byte[]> made = states().stream().map(TopologyFormatTest::encoded).toList();
    Golden.check(
        "topology-states-2", made, bytes -> encoded(TopologyCodec.state(new ByteReader(bytes))));
    Hostile hostile = hostile(bytes -> TopologyCodec.state(new ByteReader(bytes)));
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 10, "refused " + hostile.refused());
  }

  @Test
  void commandsOfFormat2() throws IOException {
    List<byte[]> made =
        commands().stream().map(command -> encoded(new Proposed(300, command))).toList();
    Golden.check(
        "topology-commands-2",
        made,
        bytes -> encoded(TopologyCodec.proposed(new ByteReader(bytes))));
    Hostile hostile = hostile(bytes -> TopologyCodec.proposed(new ByteReader(bytes)));
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 10, "refused " + hostile.refused());
  }
}
