package dev.tern.core.topology;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.ring.ZonePolicy;
import dev.tern.core.topology.TopologyOutcome.Reason;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

public class TopologyStateTest {
  private static final ClusterId ID = new ClusterId(0x0123456789abcdefL, 0x1122334455667788L);

  private static final KeyHash HASH = KeyHash.derived(new byte[5], 5);
  private static final PlacementPolicy USUAL = KeyspaceSettings.usual("redis").policy();

  public static Member member(int number, String zone) {
    Member.Ports ports =
        Member.Ports.NONE
            .with(Member.Ports.INTERNODE, 7000 + number)
            .with(Member.Ports.REDIS, 6000 + number)
            .with(Member.Ports.ADMIN, 8000 + number);
    return new Member(number, "%040x".formatted(number), zone, "127.0.0.1", ports);
  }

  static Founding founding(String... zones) {
    List<MemberEntry> founders = new ArrayList<>();
    for (int i = 0; i < zones.length; i++) {
      founders.add(MemberEntry.of(member(i + 1, zones[i])));
    }
    return new Founding(64, founders, List.of(KeyspaceSettings.usual("redis")));
  }

  public static TopologyState founded(String... zones) {
    return done(TopologyState.NOTHING, founding(zones).command(ID));
  }

  private static TopologyOutcome outcome(TopologyState state, Command command) {
    return state.apply(new Proposed(0, command)).outcome();
  }

  public static TopologyState done(TopologyState state, Command command) {
    TopologyState.Step step = state.apply(new Proposed(0, command));
    assertEquals(new TopologyOutcome.Changed(state.epoch() + 1), step.outcome());
    return step.state();
  }

  /// What is violated if a member goes.
  private static @Nullable String without(TopologyState state, int number) {
    List<MemberEntry> others = new ArrayList<>(state.members());
    others.replaceAll(each -> each.number() == number ? each.thatLeaves() : each);
    return state.violated(others);
  }

  @Test
  void membersThatReplicasOrZonesNeedAreTold() {
    TopologyState four = founded("a", "b", "c", "c");
    assertNull(without(four, 4));
    assertNull(without(four, 77));
    assertEquals(
        "replicas of keyspaces of n=3 would be in 2 zones, and are in 3", without(four, 1));
    assertEquals(
        "keyspaces of n=3 would have 2 members to hold them, and have 3",
        without(founded("a", "b", "c"), 1));
    // What is lacking already is no reason.
    assertNull(without(founded("a", "a", "a", "b", "b"), 1));
    assertEquals(
        "keyspaces of n=3 would have 1 members to hold them, and have 2",
        without(founded("a", "b"), 2));
    assertNull(founded("a").violated(founded("a", "b").members()));
  }

  private static void refused(Reason reason, TopologyState state, Command command) {
    TopologyState.Step step = state.apply(new Proposed(0, command));
    assertSame(state, step.state());
    TopologyOutcome.Refused refused =
        assertInstanceOf(TopologyOutcome.Refused.class, step.outcome());
    assertEquals(reason, refused.reason(), refused.message());
  }

  private static ReplicaGroups groups(TopologyState state, PlacementPolicy policy) {
    ReplicaGroups groups = state.groups(policy);
    assertNotNull(groups);
    return groups;
  }

  private static KeyspaceSettings settings(String name, int n, int r, int w, long ttl) {
    return KeyspaceSettings.usual(name)
        .with(KeyspaceProperty.N, n)
        .with(KeyspaceProperty.R, r)
        .with(KeyspaceProperty.W, w)
        .with(KeyspaceProperty.DURABILITY, Durability.OS)
        .with(KeyspaceProperty.TTL, ttl)
        .with(KeyspaceProperty.TIMEOUT, 1_000);
  }

  @Test
  void foundersWithAZoneEachAreWhereRotationHadThem() {
    TopologyState state = founded("a", "b", "c", "d");
    List<Member> members = state.members().stream().map(MemberEntry::member).toList();
    Topology rotation = Topology.ofMembers(1, 64, 3, members);
    Topology placed = state.topology(USUAL);
    for (int p = 0; p < 64; p++) {
      assertArrayEquals(rotation.replicas(p), placed.replicas(p));
    }
    assertEquals(1, placed.epoch(0));
    assertEquals(members, placed.members());
    TopologyState untold = founding("a", "b", "c", "d").state();
    assertFalse(untold.cluster().known());
    assertEquals(state.groups(), untold.groups());
  }

  @Test
  void foundersThatShareZonesAreBalancedByThePlanner() {
    TopologyState state = founded("a", "a", "a", "b", "b", "b");
    int[] held = new int[7];
    Topology placed = state.topology(USUAL);
    for (int p = 0; p < 64; p++) {
      for (int member : placed.replicas(p)) {
        held[member]++;
      }
    }
    for (int member = 1; member <= 6; member++) {
      assertEquals(32, held[member], 1);
    }
  }

  @Test
  void foundingTwiceIsOnceAndOthersAreRefused() {
    TopologyState state = founded("a", "b", "c");
    Command again = founding("a", "b", "c").command(new ClusterId(9, 9));
    assertEquals(new TopologyOutcome.Unchanged(1), outcome(state, again));
    Command other = founding("a", "b").command(new ClusterId(9, 9));
    refused(Reason.FOUNDERS_DISAGREE, state, other);
    refused(Reason.FOUNDERS_DISAGREE, state, founding("a", "b", "x").command(ID));
    assertTrue(
        founding("a", "b", "x").differenceFrom(state.founding()).contains("3@127.0.0.1:7003"));
    refused(Reason.NOT_FOUNDED, TopologyState.NOTHING, new Command.RemoveMember(1));
    assertThrows(IllegalArgumentException.class, () -> founding().command(ID));
  }

  @Test
  void aNewMemberHoldsNothingUntilReplicasAreMoved() {
    TopologyState state = founded("a", "b", "c");
    TopologyState more = done(state, new Command.AdmitMember(member(4, "d"), 100));
    assertEquals(state.groups(), more.groups());
    assertEquals(1, more.topology(USUAL).epoch(0));
    assertEquals(48, more.plan(groups(more, USUAL)).moves().size());
    assertEquals(
        new TopologyOutcome.Unchanged(2),
        outcome(more, new Command.AdmitMember(member(4, "d"), 100)));
    refused(Reason.EXISTS, more, new Command.AdmitMember(member(4, "e"), 100));
    Member sameAddress =
        new Member(5, "%040x".formatted(5), "e", "127.0.0.1", member(4, "d").ports());
    refused(Reason.EXISTS, more, new Command.AdmitMember(sameAddress, 100));
    refused(Reason.INVALID, more, new Command.AdmitMember(member(5, "e"), -1));
    PlacementPolicy wide = new PlacementPolicy(4, ZonePolicy.SPREAD);
    TopologyState with = done(more, more.create(settings("wide", 4, 2, 3, 0), HASH));
    assertEquals(4, with.topology(wide).replicas(0).length);
    assertEquals(3, with.topology(wide).epoch(0));
    assertEquals(1, with.topology(USUAL).epoch(0));
  }

  @Test
  void membersLeaveWhenTheyHoldNothingAndTheirNumbersDoNotComeBack() {
    TopologyState state = founded("a", "b", "c");
    TopologyState more = done(state, new Command.AdmitMember(member(7, "d"), 100));
    TopologyState going = done(more, new Command.RemoveMember(7));
    TopologyState gone = done(going, new Command.RemoveMember(7));
    assertNull(gone.member(7));
    refused(Reason.EXISTS, gone, new Command.AdmitMember(member(7, "d"), 100));
    refused(Reason.EXISTS, gone, new Command.AdmitMember(member(5, "d"), 100));
    TopologyState next = done(gone, new Command.AdmitMember(member(8, "d"), 100));
    TopologyState leaving = done(next, new Command.RemoveMember(2));
    MemberEntry two = leaving.member(2);
    assertTrue(two != null && two.leaving());
    assertEquals(state.groups(), leaving.groups());
    assertEquals(new TopologyOutcome.Unchanged(6), outcome(leaving, new Command.RemoveMember(2)));
    refused(Reason.UNKNOWN, leaving, new Command.RemoveMember(77));
    refused(Reason.INVALID, founded("a"), new Command.RemoveMember(1));
    refused(Reason.INVALID, founded("a"), new Command.SetWeight(1, 0));
  }

  @Test
  void keyspacesOfOnePolicyShareGroupsAndIdsAreNeverReused() {
    TopologyState state = founded("a", "b", "c");
    TopologyState two = done(state, state.create(settings("two", 3, 1, 3, 0), HASH));
    assertEquals(state.groups(), two.groups());
    TopologyState gone = done(two, new Command.DropKeyspace("two"));
    TopologyState again = done(gone, gone.create(settings("two", 2, 1, 1, 0), HASH));
    KeyspaceDefinition definition = again.keyspace("two");
    assertNotNull(definition);
    assertEquals(3, definition.id());
    refused(Reason.EXISTS, again, again.create(settings("two", 3, 1, 1, 0), HASH));
    refused(Reason.UNKNOWN, again, new Command.DropKeyspace("three"));
    Set<Integer> ids = new TreeSet<>();
    TopologyState last = done(again, new Command.DropKeyspace("two"));
    assertEquals(state.groups(), last.groups());
    TopologyState anew = done(last, last.create(settings("three", 2, 1, 1, 0), HASH));
    PlacementPolicy policy = new PlacementPolicy(2, ZonePolicy.SPREAD);
    assertEquals(1, groups(state, USUAL).number());
    assertEquals(2, groups(again, policy).number());
    assertEquals(3, groups(anew, policy).number());
    for (TopologyState each : List.of(again, anew)) {
      for (int p = 0; p < 64; p++) {
        assertTrue(ids.add(groups(each, policy).replicaId(p, 0)));
        assertTrue(ids.add(groups(each, policy).replicaId(p, 1)));
      }
    }
  }

  /// The last number of a keyspace that there is makes a state that can still be read.
  @Test
  void numbersOfKeyspacesEnd() {
    TopologyState state = founded("a", "b", "c");
    TopologyState late =
        new TopologyState(
            state.cluster(),
            state.epoch(),
            state.level(),
            state.founding(),
            state.members(),
            state.keyspaces(),
            state.groups(),
            state.voters(),
            state.nextMember(),
            StateCheck.MAX_KEYSPACES - 1,
            state.nextReplica(),
            state.nextSet(),
            state.lives(),
            state.movesHeld());
    TopologyState full = done(late, late.create(settings("last", 3, 2, 2, 0), HASH));
    assertNull(StateCheck.flaw(full));
    refused(Reason.INVALID, full, full.create(settings("more", 3, 2, 2, 0), HASH));
  }

  /// The log of a cluster that was founded at level 5 is replayed by each later version.
  @Test
  void aReplayComesToWhatItCameToThen() {
    TopologyState raised = done(founded("a", "b", "c"), new Command.RaiseLevel(6));
    assertEquals(6, raised.level());
    Command create = raised.create(settings("sessions", 3, 2, 2, 0), HASH);
    TopologyState.Step step = raised.apply(new Proposed(2, create));
    assertNotNull(step.state().keyspace("sessions"), step.outcome()::toString);
  }

  @Test
  void whatNeedsMovesOrMakesNoSenseIsRefused() {
    TopologyState state = founded("a", "b", "c");
    TopologyState fast = done(state, new Command.AlterKeyspace(settings("redis", 3, 1, 3, 60_000)));
    KeyspaceDefinition redis = fast.keyspace("redis");
    assertTrue(redis != null && redis.id() == 1 && redis.settings().ttlMillis() == 60_000);
    refused(Reason.NEEDS_MOVES, fast, new Command.AlterKeyspace(settings("redis", 2, 1, 2, 0)));
    refused(Reason.INVALID, fast, new Command.AlterKeyspace(settings("redis", 3, 4, 2, 0)));
    refused(Reason.UNKNOWN, fast, new Command.AlterKeyspace(settings("other", 3, 1, 3, 0)));
    assertThrows(
        IllegalArgumentException.class, () -> fast.create(settings("Bad Name", 3, 1, 1, 0), HASH));
    Command stale = state.create(settings("four", 4, 2, 2, 0), HASH);
    TopologyState four = done(state, new Command.AdmitMember(member(4, "d"), 100));
    refused(Reason.STALE_EPOCH, four, stale);
    refused(Reason.INVALID, state, new Command.RecordVoters(List.of()));
    refused(Reason.UNKNOWN, state, new Command.RecordVoters(List.of(1, 9)));
  }

  @Test
  void aCommandMayHoldAtOneEpochOnly() {
    TopologyState state = founded("a", "b", "c");
    Proposed proposed = new Proposed(1, new Command.SetWeight(1, 50));
    TopologyState.Step step = state.apply(proposed);
    assertEquals(new TopologyOutcome.Changed(2), step.outcome());
    TopologyOutcome again = step.state().apply(proposed).outcome();
    assertTrue(again instanceof TopologyOutcome.Refused r && r.reason() == Reason.STALE_EPOCH);
  }

  // ---- many commands, and their bytes

  private static Command any(Randomness random, TopologyState state) {
    int number = 1 + random.nextInt(12);
    String name = "k" + random.nextInt(5);
    int n = 1 + random.nextInt(4);
    KeyspaceSettings some = settings(name, n, 1 + random.nextInt(n), 1, random.nextInt(3));
    return switch (random.nextInt(9)) {
      case 0 -> founding("a", "b", "c").command(ID);
      case 1 -> new Command.AdmitMember(member(state.nextMember(), "z" + random.nextInt(4)), 100);
      case 2 -> new Command.RemoveMember(number);
      case 3 -> new Command.SetWeight(number, random.nextInt(200));
      case 4 ->
          random.nextInt(2) == 0
              ? new Command.SetZone(number, "z" + random.nextInt(4))
              : new Command.SetAway(number, random.nextInt(2) == 0);
      case 5, 6 -> state.create(some, KeyHash.mint(random));
      case 7 ->
          random.nextInt(2) == 0 ? new Command.AlterKeyspace(some) : new Command.DropKeyspace(name);
      default ->
          new Command.RecordVoters(Voters.choose(state.members(), state.voters(), m -> m > 1));
    };
  }

  static byte[] bytes(Proposed proposed) {
    ByteWriter out = new ByteWriter();
    TopologyCodec.encode(proposed, out);
    return out.toByteArray();
  }

  static byte[] bytes(TopologyState state) {
    ByteWriter out = new ByteWriter();
    TopologyCodec.encode(state, out);
    return out.toByteArray();
  }

  @Test
  void theSameCommandsGiveTheSameStateThroughBytesAndSnapshots() {
    int changes = 0;
    for (long seed = 1; seed <= 50; seed++) {
      Randomness random = Randomness.of(seed);
      TopologyState one = founded("a", "b", "c");
      TopologyState other = one;
      for (int i = 0; i < 60; i++) {
        Proposed proposed =
            new Proposed(random.nextInt(4) == 0 ? one.epoch() : 0, any(random, one));
        byte[] encoded = bytes(proposed);
        Proposed decoded = TopologyCodec.proposed(new ByteReader(encoded));
        assertEquals(proposed, decoded);
        TopologyState.Step step = one.apply(proposed);
        assertEquals(step, other.apply(decoded));
        if (step.outcome() instanceof TopologyOutcome.Changed) {
          assertNotEquals(one, step.state());
          changes++;
        }
        one = step.state();
        other = TopologyCodec.state(new ByteReader(bytes(one)));
        assertEquals(one, other);
        for (KeyspaceDefinition keyspace : one.keyspaces()) {
          assertEquals(64, one.topology(keyspace.settings().policy()).partitions());
        }
      }
    }
    assertTrue(changes > 1_000, "only " + changes + " changes");
  }

  @Test
  void damagedBytesAreRefused() {
    TopologyState state = founded("a", "b", "c");
    byte[] snapshot = bytes(state);
    byte[] command = bytes(new Proposed(3, state.create(settings("wide", 2, 1, 2, 7), HASH)));
    for (int length = 0; length < snapshot.length; length++) {
      ByteReader in = new ByteReader(snapshot, 0, length);
      assertThrows(DecodeException.class, () -> TopologyCodec.state(in));
    }
    for (int length = 0; length < command.length; length++) {
      ByteReader in = new ByteReader(command, 0, length);
      assertThrows(DecodeException.class, () -> TopologyCodec.proposed(in));
    }
    Randomness random = Randomness.of(7);
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = snapshot.clone();
      damaged[random.nextInt(damaged.length)] = (byte) random.nextLong();
      try {
        TopologyState unlike = TopologyCodec.state(new ByteReader(damaged));
        unlike.apply(new Proposed(0, new Command.SetWeight(1, 7)));
      } catch (DecodeException expected) {
        assertNotNull(expected.getMessage());
      }
    }
  }

  @Test
  void keyspacesHaveHashesOfTheirOwnForEver() {
    TopologyState state = founded("a", "b", "c");
    KeyHash founders = state.keyspaces().getFirst().hash();
    // Founders store keys before they know what the cluster is called.
    assertEquals(founders, founding("a", "b", "c").state().keyspaces().getFirst().hash());
    assertNotEquals(founders, founded("a", "b", "d").keyspaces().getFirst().hash());
    TopologyState two = done(state, state.create(settings("two", 3, 1, 3, 0), HASH));
    assertEquals(HASH, two.keyspaces().getLast().hash());
    TopologyState altered = done(two, new Command.AlterKeyspace(settings("two", 3, 2, 3, 7)));
    assertEquals(HASH, altered.keyspaces().getLast().hash());
    assertEquals(HASH, altered.keyspaces().getLast().config().hash());
  }

  @Test
  void aMembersPortsAreNamed() {
    Member.Ports ports = Member.Ports.NONE.with("redis", 6379).with("memcached-2", 11211);
    assertEquals("memcached-2 11211, redis 6379", ports.with("riak", 0).toString());
    assertEquals(0, ports.internode());
    assertThrows(IllegalArgumentException.class, () -> ports.with("Redis", 1));
    assertThrows(IllegalArgumentException.class, () -> ports.with("redis", 65_536));
    Member member = new Member(4, "%040x".formatted(4), "d", "127.0.0.1", ports);
    Proposed proposed = new Proposed(0, new Command.AdmitMember(member, 1));
    assertEquals(proposed, TopologyCodec.proposed(new ByteReader(bytes(proposed))));
  }

  @Test
  void aStateWithSettingsThatNobodyMayChooseIsRefused() {
    TopologyState state = founded("a", "b", "c");
    byte[] bytes = bytes(state);
    byte[] name = state.keyspaces().getFirst().name().getBytes(UTF_8);
    int last = bytes.length - name.length;
    while (!Arrays.equals(bytes, last, last + name.length, name, 0, name.length)) {
      last--;
    }
    bytes[last] = (byte) 0xff;
    DecodeException refusal =
        assertThrows(DecodeException.class, () -> TopologyCodec.state(new ByteReader(bytes)));
    assertTrue(refusal.getMessage().startsWith("a topology that cannot be"), refusal.getMessage());
  }

  @Test
  void theFormatBeforeIsRefused() {
    byte[] state = bytes(founded("a", "b", "c"));
    state[0] = 2;
    DecodeException refusal =
        assertThrows(DecodeException.class, () -> TopologyCodec.state(new ByteReader(state)));
    assertEquals(
        "a topology of format 2; this version of Tern reads 3: use the version that wrote it",
        refusal.getMessage());
  }

  @Test
  void commandsAreOfFormatThree() {
    Proposed proposed = new Proposed(5, new Command.AdmitMember(member(300, "z"), 100));
    String name = "30".repeat(37) + "313263";
    assertEquals(
        "030502"
            + "ac02"
            + "28"
            + name
            + "017a"
            + "093132372e302e302e31"
            + "03 0561646d696e ec40 09696e7465726e6f6465 8439 057265646973 9c31 64"
                .replace(" ", ""),
        hex(bytes(proposed)));
  }

  private static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte b : bytes) {
      text.append("%02x".formatted(b));
    }
    return text.toString();
  }
}
