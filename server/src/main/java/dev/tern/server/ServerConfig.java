package dev.tern.server;

import dev.tern.core.context.FillBounds;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The settings of a node, checked.
///
/// `seeds` are members' addresses: `[number@]host:internode[/redis/admin[/zone[/weight[/riak]]]]`,
/// separated by commas; a part `door=port` anywhere behind the first names the port of a door. A
/// node that finds itself among them founds the cluster with the others, which must be told the
/// same; one that does not asks them to be let in. What is left out follows from the rest: the
/// number from the place in the list, the ports from the internode port (Redis 6379, Riak 8087 and
/// administration 7070 go with 7071), the zone is `zone-` and the number. A node alone needs none.
/// Once a node knows its cluster, its directory decides.
///
/// @param data directory of the node's files
/// @param bind address to listen on
/// @param advertise address that others reach
/// @param number this node's member number; 0 to find it by its address
/// @param zone where it stands; empty for what the seeds say
/// @param weight what it shall hold in proportion to others
/// @param seeds as above
/// @param doorPorts by the names of doors, 0 for any that is free; all of [#DOORS]
/// @param internodePort between nodes
/// @param shards event loops
/// @param partitions a power of two, the same on every founder, for ever
/// @param n replicas of a key of the first keyspaces
/// @param r its default read level
/// @param w its default write level
/// @param durability of an acknowledged write of it
/// @param memoryMegabytes memtables and block cache
/// @param awayMillis a member that is down for so long is away, and others get its replicas, while
///   this node leads the topology log; 0 for never
/// @param diskReserveMegabytes that writes leave free on the disk, but no more than a sixteenth of
///   it
/// @param fill how fast the node takes and gives records of other replicas
/// @param transport `auto` (the best there is), `io_uring`, `epoll` or `nio`
public record ServerConfig(
    String data,
    String bind,
    String advertise,
    int number,
    String zone,
    int weight,
    String seeds,
    Map<String, Integer> doorPorts,
    int internodePort,
    int shards,
    int partitions,
    int n,
    int r,
    int w,
    Durability durability,
    int memoryMegabytes,
    long awayMillis,
    int diskReserveMegabytes,
    FillBounds fill,
    String transport) {
  /// A machine that is gone for half an hour seldom comes back by itself.
  public static final long USUAL_AWAY_MILLIS = 1_800_000;

  /// A restart takes seconds, and a vote is given to another member after 30 s.
  private static final long LEAST_AWAY_MILLIS = 30_000;

  private static final long MOST_AWAY_MILLIS = 366L * 24 * 3_600_000;

  /// Of a node.
  static final int MAX_SHARDS = 256;

  private static final int INTERNODE = 7071;

  /// The doors there are, and their ports beside internode port 7071. A new door is named here.
  private static final Map<String, Integer> USUAL_PORTS =
      Map.of(Member.Ports.REDIS, 6379, Member.Ports.RIAK, 8087, Member.Ports.ADMIN, 7070);

  /// The names of the doors, in order.
  public static final List<String> DOORS = USUAL_PORTS.keySet().stream().sorted().toList();

  private static final int MAX_PORT = 65_535;

  public ServerConfig {
    check(!data.isBlank(), "a data directory is needed: --data DIR");
    check(
        shards >= 1 && shards <= MAX_SHARDS,
        "shards lie between 1 and %d, not %d".formatted(MAX_SHARDS, shards));
    if (!zone.isEmpty()) {
      Member.checkedZone(zone);
    }
    MemberEntry.checkedWeight(weight);
    check(memoryMegabytes >= 16, "the memory is at least 16 MiB");
    check(
        awayMillis == 0 || awayMillis >= LEAST_AWAY_MILLIS && awayMillis <= MOST_AWAY_MILLIS,
        "a member is away after 30 s to 366 days, or never (0), not after %d ms"
            .formatted(awayMillis));
    check(diskReserveMegabytes >= 0, "the disk's reserve is 0 MiB or more");
    check(n >= 1 && r >= 1 && w >= 1 && r <= n && w <= n, "r and w lie between 1 and n");
    doorPorts = Map.copyOf(doorPorts);
    check(doorPorts.keySet().equals(USUAL_PORTS.keySet()), "the doors are " + DOORS);
    check(isPort(internodePort), "a port lies between 0 and 65535, not " + internodePort);
    for (int port : doorPorts.values()) {
      check(isPort(port), "a port lies between 0 and 65535, not " + port);
    }
  }

  private static boolean isPort(int port) {
    return port >= 0 && port <= MAX_PORT;
  }

  /// The port of a door, 0 for any that is free.
  public int port(String door) {
    return Objects.requireNonNull(doorPorts.get(door), door);
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }

  /// The seeds, in their order.
  ///
  /// @throws IllegalArgumentException if an entry cannot be read
  public List<MemberEntry> seedList() {
    List<MemberEntry> list = new ArrayList<>();
    for (String entry : seeds.isBlank() ? new String[0] : seeds.split(",", -1)) {
      list.add(seed(entry.strip(), list.size() + 1));
    }
    return list;
  }

  private static MemberEntry seed(String entry, int place) {
    try {
      int at = entry.indexOf('@');
      int number = at < 0 ? place : Integer.parseInt(entry.substring(0, at));
      List<String> parts = new ArrayList<>();
      Map<String, Integer> named = new TreeMap<>();
      for (String part : entry.substring(at + 1).split("/", -1)) {
        int equals = part.indexOf('=');
        if (equals > 0 && DOORS.contains(part.substring(0, equals))) {
          named.put(part.substring(0, equals), Integer.parseInt(part.substring(equals + 1)));
        } else {
          parts.add(part);
        }
      }
      int colon = parts.getFirst().lastIndexOf(':');
      String host = colon < 0 ? parts.getFirst() : parts.getFirst().substring(0, colon);
      int internode =
          colon < 0 ? INTERNODE : Integer.parseInt(parts.getFirst().substring(colon + 1));
      check(!host.isEmpty() && parts.size() != 2 && parts.size() <= 6, "its parts");
      check(internode > 0, "nobody can reach a port that is not said");
      Map<String, Integer> ports = new TreeMap<>();
      DOORS.forEach(door -> ports.put(door, usualPort(door, internode)));
      if (parts.size() > 2) {
        ports.put(Member.Ports.REDIS, Integer.parseInt(parts.get(1)));
        ports.put(Member.Ports.ADMIN, Integer.parseInt(parts.get(2)));
      }
      String zone = parts.size() > 3 ? parts.get(3) : "zone-" + number;
      int weight = parts.size() > 4 ? Integer.parseInt(parts.get(4)) : MemberEntry.USUAL_WEIGHT;
      if (parts.size() > 5) {
        ports.put(Member.Ports.RIAK, Integer.parseInt(parts.get(5)));
      }
      ports.putAll(named);
      check(isPort(internode) && ports.values().stream().allMatch(ServerConfig::isPort), "a port");
      return entry(number, zone, weight, host, ports(internode, ports));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "a seed is [number@]host:internode[/redis/admin[/zone[/weight[/riak]]]], not " + entry,
          e);
    }
  }

  private static int usual(String door) {
    return Objects.requireNonNull(USUAL_PORTS.get(door), door);
  }

  /// A door's port where nothing else is said: as far from its usual one as the internode port is
  /// from 7071; 0 if that is none.
  ///
  /// @param door one of [#DOORS]
  public static int usualPort(String door, int internodePort) {
    int usual = usual(door);
    int port = internodePort == 0 ? 0 : usual + internodePort - INTERNODE;
    return port > 0 && port <= MAX_PORT ? port : 0;
  }

  private static MemberEntry entry(
      int number, String zone, int weight, String host, Member.Ports ports) {
    return new MemberEntry(
        new Member(number, name(number), zone, host, ports), weight, /* leaving= */ false);
  }

  /// How many shards a node's directory was written with; 0 for one whose node has not started yet.
  public static int writtenShards(Path data) {
    // Written when the stores of all shards are made.
    if (!Files.exists(data.resolve("gossip").resolve("generation"))) {
      return 0;
    }
    int shards = 0;
    for (int shard = 0; shard < MAX_SHARDS; shard++) {
      if (Files.exists(data.resolve("shard-" + shard))) {
        shards = shard + 1;
      }
    }
    return shards;
  }

  /// What clients that want such a name call a member.
  static String name(int number) {
    return name(number, "");
  }

  /// What a member is called that was let in with a token: the name keeps it, so that the member is
  /// known when it asks again.
  ///
  /// @param token up to 24 hexadecimal digits
  static String name(int number, String token) {
    return "%24s%08x%08x".formatted(token, 0x7465726e, number).replace(' ', '0');
  }

  /// Where a member's doors are.
  ///
  /// @param byDoor 0 for a door that is not open
  static Member.Ports ports(int internode, Map<String, Integer> byDoor) {
    Member.Ports ports = Member.Ports.NONE.with(Member.Ports.INTERNODE, internode);
    for (String door : DOORS) {
      ports = ports.with(door, byDoor.getOrDefault(door, 0));
    }
    return ports;
  }

  /// Where this node's doors are.
  Member.Ports ports() {
    return ports(internodePort, doorPorts);
  }

  /// Whether a member stands where this node does.
  boolean isHere(Member member) {
    return member.host().equals(advertise) && member.ports().internode() == internodePort;
  }

  /// What this node is told of the cluster's beginning; null if it founds none but is to be let in.
  ///
  /// @throws IllegalArgumentException if the settings contradict each other
  public @Nullable Founding founding() {
    List<MemberEntry> founders = new ArrayList<>(seedList());
    if (founders.isEmpty()) {
      int only = Math.max(1, number);
      founders.add(entry(only, zone.isEmpty() ? "zone-" + only : zone, weight, advertise, ports()));
    }
    MemberEntry own = null;
    for (MemberEntry founder : founders) {
      if (number > 0 ? founder.number() == number : isHere(founder.member())) {
        own = founder;
      }
    }
    if (own == null) {
      check(number == 0, "the seeds do not name this node, number " + number);
      return null;
    }
    check(
        own.member().ports().equals(ports()),
        "the seeds say this node's ports are %s, its flags %s: write them into the seed"
            .formatted(own.member().ports(), ports()));
    check(
        zone.isEmpty() || zone.equals(own.zone()),
        "the seeds say this node's zone is %s, not %s: founders are told the same, so write"
                .formatted(own.zone(), zone)
            + " host:internode/redis/admin/zone for each");
    founders.sort(java.util.Comparator.comparingInt(MemberEntry::number));
    Founding founding = new Founding(partitions, founders, firstKeyspaces());
    String problem = founding.problem();
    check(problem == null, String.valueOf(problem));
    return founding;
  }

  /// What there is from the start: the Redis door's keyspace, and the Riak door's first bucket
  /// types.
  private List<KeyspaceSettings> firstKeyspaces() {
    return List.of(
        settings(TernServer.REDIS_KEYSPACE, Resolution.LWW),
        settings("default", Resolution.SIBLINGS),
        settings("plain", Resolution.SIBLINGS));
  }

  private KeyspaceSettings settings(String name, Resolution resolution) {
    return KeyspaceSettings.usual(name)
        .with(KeyspaceProperty.N, n)
        .with(KeyspaceProperty.RESOLUTION, resolution)
        .with(KeyspaceProperty.R, r)
        .with(KeyspaceProperty.W, w)
        .with(KeyspaceProperty.DURABILITY, durability);
  }
}
