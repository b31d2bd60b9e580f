package dev.tern.core.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import java.util.Map;
import java.util.TreeMap;
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
    states.add(TopologyStateTest.done(state, new Command.RaiseLevel(5)));
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

  /// A state in which one number is another one.
  private record Changed(
      int epoch, List<Integer> voters, int nextMember, int nextReplica, int nextSet, int life) {}

  private static byte[] changed(TopologyState state, Changed to) {
    return encoded(
        new TopologyState(
            state.cluster(),
            to.epoch(),
            state.level(),
            state.founding(),
            state.members(),
            state.keyspaces(),
            state.groups(),
            to.voters(),
            to.nextMember(),
            state.nextKeyspace(),
            to.nextReplica(),
            to.nextSet(),
            new TreeMap<>(Map.of(to.life(), 5L))));
  }

  @Test
  void numbersThatWereNotGivenOutAreRefused() {
    TopologyState state = states().getLast();
    int epoch = (int) state.epoch();
    List<Integer> voters = state.voters();
    int member = state.nextMember();
    int replica = state.nextReplica();
    int set = state.nextSet();
    Changed right = new Changed(epoch, voters, member, replica, set, 2);
    assertEquals(epoch, TopologyCodec.state(new ByteReader(changed(state, right))).epoch());
    List<Changed> wrong =
        List.of(
            new Changed(0, voters, member, replica, set, 2),
            new Changed(epoch, List.of(1, 1, 2), member, replica, set, 2),
            new Changed(epoch, List.of(2, 1), member, replica, set, 2),
            new Changed(epoch, List.of(1, 9), member, replica, set, 2),
            new Changed(epoch, voters, member - 1, replica, set, 2),
            new Changed(epoch, voters, Member.MAX_NUMBER + 2, replica, set, 2),
            new Changed(epoch, voters, member, replica - 1, set, 2),
            new Changed(epoch, voters, member, replica, set - 1, 2),
            new Changed(epoch, voters, member, replica, 0x1_0001, 2),
            new Changed(epoch, voters, member, replica, set, 9));
    for (Changed each : wrong) {
      byte[] bytes = changed(state, each);
      assertThrows(
          DecodeException.class, () -> TopologyCodec.state(new ByteReader(bytes)), each + "");
    }
  }

  /// Lists that name nobody, or a member twice, or give an id twice.
  @Test
  void groupsThatNobodyPlacesAreRefused() {
    TopologyState state = states().getLast();
    ReplicaGroups groups = state.groups().getFirst();
    int[][] nobody = groups.lists().copied();
    nobody[1][0] = 99;
    int[][] twice = groups.lists().copied();
    twice[1][0] = twice[1][1];
    for (int[][] lists : List.of(nobody, twice)) {
      assertRefused(state, ReplicaGroups.placed(1, groups.policy(), ReplicaLists.of(lists), 1, 1));
    }
    ReplicaLists lists = groups.lists();
    assertRefused(state, ReplicaGroups.placed(1, groups.policy(), lists, state.nextReplica(), 1));
    assertRefused(state, ReplicaGroups.placed(1, groups.policy(), lists, 1, state.epoch() + 1));
    List<ReplicaGroups> alike = new ArrayList<>(state.groups());
    alike.add(
        ReplicaGroups.placed(state.nextSet() - 1, state.groups().getLast().policy(), lists, 1, 1));
    if (state.groups().size() > 1) {
      alike.remove(1);
    }
    assertRefused(with(state, alike));
  }

  private static TopologyState with(TopologyState state, List<ReplicaGroups> groups) {
    return new TopologyState(
        state.cluster(),
        state.epoch(),
        state.level(),
        state.founding(),
        state.members(),
        state.keyspaces(),
        groups,
        state.voters(),
        state.nextMember(),
        state.nextKeyspace(),
        state.nextReplica(),
        state.nextSet(),
        state.lives());
  }

  private static void assertRefused(TopologyState state, ReplicaGroups first) {
    List<ReplicaGroups> groups = new ArrayList<>(state.groups());
    groups.set(0, first);
    assertRefused(with(state, groups));
  }

  private static void assertRefused(TopologyState state) {
    byte[] bytes = encoded(state);
    assertThrows(DecodeException.class, () -> TopologyCodec.state(new ByteReader(bytes)));
  }
}
