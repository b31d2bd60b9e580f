package dev.tern.core.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
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
        new Command.RecordVoters(List.of(1, 2, 300)),
        new Command.Moves(
            1,
            List.of(
                new Step(3, 300, Kind.BEGIN, List.of(4, 1, 300)),
                Step.of(16_383, 299, Kind.SWITCH),
                Step.of(0, 1, Kind.FENCE),
                Step.of(1, 2, Kind.FINISH),
                Step.of(2, 3, Kind.CANCEL))),
        new Command.HoldMoves(true),
        new Command.SetAway(300, true),
        new Command.Rejoin(3, "%040x".formatted(33)));
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
    states.add(TopologyStateTest.done(state, new Command.RaiseLevel(6)));
    state = TopologyStateTest.done(moving(state), new Command.HoldMoves(true));
    state = TopologyStateTest.done(state, new Command.SetAway(2, true));
    states.add(TopologyStateTest.done(state, new Command.RemoveMember(2)));
    return states;
  }

  /// A partition in each stage of a move.
  private static TopologyState moving(TopologyState state) {
    ReplicaGroups groups = state.groups().getFirst();
    List<Integer> target = List.of(4, 3, 1);
    TopologyState after = state;
    List<List<Kind>> walks =
        List.of(
            List.of(Kind.BEGIN),
            List.of(Kind.BEGIN, Kind.SWITCH),
            List.of(Kind.BEGIN, Kind.SWITCH, Kind.FENCE),
            List.of(Kind.BEGIN, Kind.SWITCH, Kind.FENCE, Kind.FINISH),
            List.of(Kind.BEGIN, Kind.SWITCH, Kind.CANCEL));
    for (int p = 0; p < walks.size(); p++) {
      for (Kind kind : walks.get(p)) {
        long at = after.groups().getFirst().epoch(p);
        List<Integer> list = kind == Kind.BEGIN ? target : List.of();
        after =
            TopologyStateTest.done(
                after, new Command.Moves(groups.number(), List.of(new Step(p, at, kind, list))));
      }
    }
    return after;
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

  @Test
  void statesOfFormat3() throws IOException {
    List<byte[]> made = states().stream().map(TopologyFormatTest::encoded).toList();
    Golden.check(
        "topology-states-3", made, bytes -> encoded(TopologyCodec.state(new ByteReader(bytes))));
    Hostile hostile = new Hostile(bytes -> TopologyCodec.state(new ByteReader(bytes)), MOST_BYTES);
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 10, "refused " + hostile.refused());
  }

  @Test
  void commandsOfFormat3() throws IOException {
    List<byte[]> made =
        commands().stream().map(command -> encoded(new Proposed(300, command))).toList();
    Golden.check(
        "topology-commands-3",
        made,
        bytes -> encoded(TopologyCodec.proposed(new ByteReader(bytes))));
    Hostile hostile =
        new Hostile(bytes -> TopologyCodec.proposed(new ByteReader(bytes)), MOST_BYTES);
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 10, "refused " + hostile.refused());
  }

  private static List<byte[]> goldenOf(String name) throws IOException {
    ByteReader in = new ByteReader(Golden.read(name));
    List<byte[]> all = new ArrayList<>();
    for (int left = in.readCount(1); left > 0; left--) {
      all.add(in.readBlob());
    }
    return all;
  }

  /// What the version before wrote is refused by its format.
  @Test
  void format2IsRefused() throws IOException {
    for (byte[] bytes : goldenOf("topology-states-2")) {
      String why =
          assertThrows(DecodeException.class, () -> TopologyCodec.state(new ByteReader(bytes)))
              .getMessage();
      assertEquals(
          "a topology of format 2; this version of Tern reads 3: use the version that wrote it",
          why);
    }
    for (byte[] bytes : goldenOf("topology-commands-2")) {
      String why =
          assertThrows(DecodeException.class, () -> TopologyCodec.proposed(new ByteReader(bytes)))
              .getMessage();
      assertTrue(why.startsWith("a command of the topology of format 2;"), why);
    }
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
            new TreeMap<>(Map.of(to.life(), 5L)),
            state.movesHeld()));
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

  /// Bytes of an entry that no steps lead to.
  @Test
  void entriesThatCannotBeAreRefused() {
    // Stage, old list, new list, ids by place, epoch, compatible from.
    byte[] filling = {1, 2, 7, 8, 2, 8, 9, 1, 2, 3, 5, 4};
    assertEquals(3, GroupEntry.decode(new ByteReader(filling)).set().size());
    List<byte[]> wrong = new ArrayList<>();
    wrong.add(new byte[] {5, 2, 7, 8, 2, 8, 9, 1, 2, 3, 5, 4});
    wrong.add(new byte[] {1, 2, 7, 7, 2, 8, 9, 1, 2, 3, 5, 4});
    wrong.add(new byte[] {1, 2, 7, 8, 2, 9, 9, 1, 2, 3, 5, 4});
    wrong.add(new byte[] {1, 0, 2, 8, 9, 1, 2, 5, 4});
    wrong.add(new byte[] {1, 2, 7, 8, 0, 1, 2, 5, 4});
    wrong.add(new byte[] {1, 2, 7, 8, 2, 8, 9, 0, 2, 3, 5, 4});
    wrong.add(new byte[] {1, 2, 7, 8, 2, 8, 9, 1, 2, 3, 4, 5});
    ByteWriter places = new ByteWriter();
    places.writeByte(1);
    for (int first : new int[] {1, 50}) {
      places.writeVarInt(40);
      for (int i = 0; i < 40; i++) {
        places.writeVarInt(first + i);
      }
    }
    wrong.add(places.toByteArray());
    for (byte[] bytes : wrong) {
      assertThrows(
          DecodeException.class,
          () -> GroupEntry.decode(new ByteReader(bytes)),
          () -> Arrays.toString(bytes));
    }
  }

  /// Lists that name nobody, or give an id twice.
  @Test
  void groupsThatNobodyPlacesAreRefused() {
    TopologyState state = states().getLast();
    ReplicaGroups groups = state.groups().getFirst();
    int[][] nobody = groups.lists().copied();
    nobody[1][0] = 99;
    assertRefused(state, ReplicaGroups.placed(1, groups.policy(), ReplicaLists.of(nobody), 1, 1));
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
        state.lives(),
        state.movesHeld());
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
