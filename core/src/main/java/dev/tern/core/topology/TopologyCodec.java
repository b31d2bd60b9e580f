package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.ring.ZonePolicy;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/// The bytes of commands and states, format 3. Whoever keeps or carries them checks them against
/// damage. Numbers are varints but where said otherwise, strings UTF-8 with a varint length, a flag
/// a u8 of 0 or 1, an enumeration a u8, lists a count and their elements.
///
/// ```
///   proposed:  u8 format = 3, only at epoch, u8 type, fields
///     1 Found           id (2 * u64), founding, list of lists
///     2 AdmitMember     member, weight            3 RemoveMember   number
///     4 SetWeight       number, weight            5 SetZone        number, string zone
///     6 CreateKeyspace  settings, seed, lists     7 AlterKeyspace  settings
///     8 DropKeyspace    string name               9 RecordVoters   list of numbers
///    10 RaiseLevel      level                    11 Readmit       number, u64 life
///    12 Moves           set, list of steps       13 HoldMoves      flag
///    14 SetAway         number, flag             15 Rejoin        number, string name
///   state:     u8 format = 3, id (2 * u64), epoch, level, founding, list of entries, list of (id,
///              seed, settings), list of groups, list of voters, next member, next keyspace, next
///              replica, next set, list of (number, u64 life), flag whether moves are held
///   founding:  partitions, list of entries, list of settings
///   entry:     member, weight, u8 flags: 1 leaving, 2 away
///   member:    number, string name, string zone, string host, list of (string door, port), by
///              door and none of them 0
///   settings:  string name, policy, u8 resolution, r, w, u8 durability, ttl, u8 compaction,
///              timeout: the properties in the order of KeyspaceProperty.ALL
///   policy:    n, u8 zones
///   seed:      2 * u64
///   step:      partition, epoch of its entry, u8 kind, list of members
///   groups:    see ReplicaGroups
/// ```
public final class TopologyCodec {
  private static final int FORMAT = 3;

  /// Flags of an entry.
  private static final int LEAVING = 1;

  private static final int AWAY = 2;
  private static final ZonePolicy[] ZONES = ZonePolicy.values();
  private static final Command.Moves.Kind[] KINDS = Command.Moves.Kind.values();

  private TopologyCodec() {}

  /// Appends a command.
  public static void encode(Proposed proposed, ByteWriter out) {
    out.writeByte(FORMAT).writeVarLong(proposed.onlyAtEpoch());
    switch (proposed.command()) {
      case Command.Found c -> {
        c.cluster().encode(out.writeByte(1));
        encode(c.founding(), out);
        out.writeVarInt(c.placed().size());
        c.placed().forEach(lists -> lists.encode(out));
      }
      case Command.AdmitMember c -> {
        encode(c.member(), out.writeByte(2));
        out.writeVarInt(c.weight());
      }
      case Command.RemoveMember c -> out.writeByte(3).writeVarInt(c.number());
      case Command.SetWeight c -> out.writeByte(4).writeVarInt(c.number()).writeVarInt(c.weight());
      case Command.SetZone c -> out.writeByte(5).writeVarInt(c.number()).writeString(c.zone());
      case Command.CreateKeyspace c -> {
        c.settings().encode(out.writeByte(6));
        c.hash().encode(out);
        c.lists().encode(out);
      }
      case Command.AlterKeyspace c -> c.settings().encode(out.writeByte(7));
      case Command.DropKeyspace c -> out.writeByte(8).writeString(c.name());
      case Command.RecordVoters c -> numbers(c.voters(), out.writeByte(9));
      case Command.RaiseLevel c -> out.writeByte(10).writeVarInt(c.level());
      case Command.Readmit c -> out.writeByte(11).writeVarInt(c.number()).writeLong(c.life());
      case Command.Moves c -> {
        out.writeByte(12).writeVarInt(c.set()).writeVarInt(c.steps().size());
        c.steps().forEach(step -> encode(step, out));
      }
      case Command.HoldMoves c -> out.writeByte(13).writeByte(c.held() ? 1 : 0);
      case Command.SetAway c ->
          out.writeByte(14).writeVarInt(c.number()).writeByte(c.away() ? 1 : 0);
      case Command.Rejoin c -> out.writeByte(15).writeVarInt(c.number()).writeString(c.name());
    }
  }

  /// @throws DecodeException if the bytes are no command of format 3
  public static Proposed proposed(ByteReader in) {
    format(in, "a command of the topology");
    long at = in.readVarLong();
    int type = in.readUnsignedByte();
    Command command =
        switch (type) {
          case 1 ->
              new Command.Found(ClusterId.decode(in), founding(in), list(in, ReplicaLists::decode));
          case 2 -> new Command.AdmitMember(member(in), in.readVarInt());
          case 3 -> new Command.RemoveMember(in.readVarInt());
          case 4 -> new Command.SetWeight(in.readVarInt(), in.readVarInt());
          case 5 -> new Command.SetZone(in.readVarInt(), in.readString());
          case 6 ->
              new Command.CreateKeyspace(
                  KeyspaceSettings.decode(in), KeyHash.decode(in), ReplicaLists.decode(in));
          case 7 -> new Command.AlterKeyspace(KeyspaceSettings.decode(in));
          case 8 -> new Command.DropKeyspace(in.readString());
          case 9 -> new Command.RecordVoters(list(in, ByteReader::readVarInt));
          case 10 -> new Command.RaiseLevel(in.readVarInt());
          case 11 -> new Command.Readmit(in.readVarInt(), in.readLong());
          case 12 -> moves(in);
          case 13 -> new Command.HoldMoves(in.readFlag());
          case 14 -> new Command.SetAway(in.readVarInt(), in.readFlag());
          case 15 -> new Command.Rejoin(in.readVarInt(), in.readString());
          default -> throw new DecodeException("a command of type " + type);
        };
    in.expectEnd();
    return new Proposed(at, command);
  }

  private static void encode(Command.Moves.Step step, ByteWriter out) {
    out.writeVarInt(step.partition()).writeVarLong(step.entryEpoch());
    numbers(step.list(), out.writeByte(step.kind().ordinal()));
  }

  private static Command.Moves moves(ByteReader in) {
    int set = in.readVarIntIn(1, ReplicaGroups.MAX_NUMBER);
    int count = in.readVarIntIn(0, Command.Moves.MAX_STEPS);
    List<Command.Moves.Step> steps = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      steps.add(
          new Command.Moves.Step(
              in.readVarIntIn(0, Slots.COUNT - 1),
              in.readPositiveVarLong(),
              in.readOneOf(KINDS),
              newList(in)));
    }
    return new Command.Moves(set, steps);
  }

  private static List<Integer> newList(ByteReader in) {
    List<Integer> list = new ArrayList<>();
    for (int left = in.readVarIntIn(0, ReplicaSet.MAX_PLACES); left > 0; left--) {
      list.add(in.readVarIntIn(1, Member.MAX_NUMBER));
    }
    return list;
  }

  /// Appends a state.
  public static void encode(TopologyState state, ByteWriter out) {
    state.cluster().encode(out.writeByte(FORMAT));
    out.writeVarLong(state.epoch()).writeVarInt(state.level());
    encode(state.founding(), out);
    out.writeVarInt(state.members().size());
    state.members().forEach(member -> encode(member, out));
    out.writeVarInt(state.keyspaces().size());
    for (KeyspaceDefinition keyspace : state.keyspaces()) {
      keyspace.hash().encode(out.writeVarInt(keyspace.id()));
      keyspace.settings().encode(out);
    }
    out.writeVarInt(state.groups().size());
    state.groups().forEach(groups -> groups.encode(out));
    numbers(state.voters(), out);
    out.writeVarInt(state.nextMember()).writeVarInt(state.nextKeyspace());
    out.writeVarInt(state.nextReplica()).writeVarInt(state.nextSet());
    out.writeVarInt(state.lives().size());
    state.lives().forEach((number, life) -> out.writeVarInt(number).writeLong(life));
    out.writeByte(state.movesHeld() ? 1 : 0);
  }

  /// @throws DecodeException if the bytes are no state of format 3
  public static TopologyState state(ByteReader in) {
    format(in, "a topology");
    TopologyState state =
        new TopologyState(
            ClusterId.decode(in),
            in.readVarLong(),
            in.readVarInt(),
            founding(in),
            list(in, TopologyCodec::entry),
            list(in, TopologyCodec::keyspace),
            list(in, ReplicaGroups::decode),
            list(in, ByteReader::readVarInt),
            in.readVarInt(),
            in.readVarInt(),
            in.readVarInt(),
            in.readVarInt(),
            lives(in),
            in.readFlag());
    in.expectEnd();
    String flaw = StateCheck.flaw(state);
    if (flaw != null) {
      throw new DecodeException("a topology that cannot be: " + flaw);
    }
    return state;
  }

  /// Appends what a cluster is called.
  public static void encode(ClusterId cluster, ByteWriter out) {
    cluster.encode(out);
  }

  /// What [#encode(ClusterId, ByteWriter)] wrote.
  public static ClusterId cluster(ByteReader in) {
    return ClusterId.decode(in);
  }

  private static void format(ByteReader in, String what) {
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new DecodeException(FileHeader.refusal(what, format, FORMAT));
    }
  }

  /// Appends a founding.
  public static void encode(Founding founding, ByteWriter out) {
    out.writeVarInt(founding.partitions());
    out.writeVarInt(founding.founders().size());
    founding.founders().forEach(founder -> encode(founder, out));
    out.writeVarInt(founding.keyspaces().size());
    founding.keyspaces().forEach(keyspace -> keyspace.encode(out));
  }

  /// @throws DecodeException if the bytes are no founding
  public static Founding founding(ByteReader in) {
    return new Founding(
        in.readVarInt(), list(in, TopologyCodec::entry), list(in, KeyspaceSettings::decode));
  }

  private static void encode(MemberEntry entry, ByteWriter out) {
    encode(entry.member(), out);
    out.writeVarInt(entry.weight());
    out.writeByte((entry.leaving() ? LEAVING : 0) | (entry.away() ? AWAY : 0));
  }

  private static MemberEntry entry(ByteReader in) {
    Member member = member(in);
    int weight = in.readVarIntIn(0, Integer.MAX_VALUE);
    int flags = in.readUnsignedByte();
    if ((flags & ~(LEAVING | AWAY)) != 0) {
      throw new DecodeException("a member of flags " + flags);
    }
    return new MemberEntry(member, weight, (flags & LEAVING) != 0, (flags & AWAY) != 0);
  }

  private static void encode(Member member, ByteWriter out) {
    out.writeVarInt(member.number()).writeString(member.name()).writeString(member.zone());
    out.writeString(member.host()).writeVarInt(member.ports().byDoor().size());
    member.ports().byDoor().forEach((door, port) -> out.writeString(door).writeVarInt(port));
  }

  private static Member member(ByteReader in) {
    return new Member(
        in.readVarIntIn(0, Member.MAX_NUMBER),
        in.readString(),
        in.readString(),
        in.readString(),
        ports(in));
  }

  private static Member.Ports ports(ByteReader in) {
    TreeMap<String, Integer> byDoor = new TreeMap<>();
    for (int i = in.readCount(2); i > 0; i--) {
      String door = in.readString();
      boolean inOrder = byDoor.isEmpty() || door.compareTo(byDoor.lastKey()) > 0;
      if (!inOrder || !Member.Ports.isName(door)) {
        throw new DecodeException("a door called " + door);
      }
      byDoor.put(door, in.readVarIntIn(1, Member.Ports.MAX));
    }
    return new Member.Ports(byDoor);
  }

  private static KeyspaceDefinition keyspace(ByteReader in) {
    return new KeyspaceDefinition(in.readVarInt(), KeyHash.decode(in), KeyspaceSettings.decode(in));
  }

  static void encode(PlacementPolicy policy, ByteWriter out) {
    out.writeVarInt(policy.n()).writeByte(policy.zones().ordinal());
  }

  static PlacementPolicy policy(ByteReader in) {
    return new PlacementPolicy(in.readVarInt(), in.readOneOf(ZONES));
  }

  private static void numbers(List<Integer> numbers, ByteWriter out) {
    out.writeVarInt(numbers.size());
    numbers.forEach(out::writeVarInt);
  }

  private static SortedMap<Integer, Long> lives(ByteReader in) {
    TreeMap<Integer, Long> lives = new TreeMap<>();
    for (int i = in.readCount(1 + Long.BYTES); i > 0; i--) {
      lives.put(in.readVarInt(), in.readLong());
    }
    return lives;
  }

  private static <T> List<T> list(ByteReader in, Function<ByteReader, T> element) {
    int count = in.readLength();
    List<T> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      list.add(element.apply(in));
    }
    return list;
  }
}
