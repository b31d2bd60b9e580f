package dev.tern.server;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The settings of a node, checked.
///
/// `seeds` are members' addresses: `[number@]host:internode[/redis/admin[/zone[/weight[/riak]]]]`,
/// separated by commas. A node that finds itself among them founds the cluster with the others,
/// which must be told the same; one that does not asks them to be let in. What is left out follows
/// from the rest: the number from the place in the list, the ports from the internode port (Redis
/// 6379, Riak 8087 and administration 7070 go with 7071), the zone is `zone-` and the number. A
/// node alone needs none. Once a node knows its cluster, its directory decides.
///
/// @param data directory of the node's files
/// @param bind address to listen on
/// @param advertise address that others reach
/// @param number this node's member number; 0 to find it by its address
/// @param zone where it stands; empty for what the seeds say
/// @param weight what it shall hold in proportion to others
/// @param seeds as above
/// @param redisPort of the Redis door
/// @param riakPort of the Riak door
/// @param adminPort of the HTTP door
/// @param internodePort between nodes
/// @param shards event loops
/// @param partitions a power of two, the same on every founder, for ever
/// @param n replicas of a key of the first keyspaces
/// @param r its default read level
/// @param w its default write level
/// @param durability of an acknowledged write of it
/// @param memoryMegabytes memtables and block cache
/// @param transport `auto` (the best there is), `io_uring`, `epoll` or `nio`
public record ServerConfig(
    String data,
    String bind,
    String advertise,
    int number,
    String zone,
    int weight,
    String seeds,
    int redisPort,
    int riakPort,
    int adminPort,
    int internodePort,
    int shards,
    int partitions,
    int n,
    int r,
    int w,
    Durability durability,
    int memoryMegabytes,
    String transport) {
  private static final int INTERNODE = 7071;
  private static final int REDIS = 6379;
  private static final int ADMIN = 7070;
  private static final int RIAK = 8087;
  private static final int MAX_PORT = 65_535;

  public ServerConfig {
    check(!data.isBlank(), "a data directory is needed: --data DIR");
    check(shards >= 1 && shards <= 256, "shards lie between 1 and 256, not " + shards);
    check(memoryMegabytes >= 16, "the memory is at least 16 MiB");
    check(n >= 1 && r >= 1 && w >= 1 && r <= n && w <= n, "r and w lie between 1 and n");
    for (int port : new int[] {redisPort, riakPort, adminPort, internodePort}) {
      check(port >= 0 && port <= MAX_PORT, "a port lies between 0 and 65535, not " + port);
    }
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
      String[] parts = entry.substring(at + 1).split("/", -1);
      int colon = parts[0].lastIndexOf(':');
      String host = colon < 0 ? parts[0] : parts[0].substring(0, colon);
      int internode = colon < 0 ? INTERNODE : Integer.parseInt(parts[0].substring(colon + 1));
      check(!host.isEmpty() && parts.length != 2 && parts.length <= 6, "its parts");
      boolean ports = parts.length > 2;
      int redis = ports ? Integer.parseInt(parts[1]) : REDIS + internode - INTERNODE;
      int admin = ports ? Integer.parseInt(parts[2]) : ADMIN + internode - INTERNODE;
      String zone = parts.length > 3 ? parts[3] : "zone-" + number;
      int weight = parts.length > 4 ? Integer.parseInt(parts[4]) : MemberEntry.USUAL_WEIGHT;
      int riak = parts.length > 5 ? Integer.parseInt(parts[5]) : riakPort(internode);
      for (int port : new int[] {internode, redis, admin, riak}) {
        check(port >= 0 && port <= MAX_PORT, "a port");
      }
      return entry(number, zone, weight, host, ports(internode, redis, riak, admin));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "a seed is [number@]host:internode[/redis/admin[/zone[/weight[/riak]]]], not " + entry,
          e);
    }
  }

  /// The Riak door's port where nothing else is said; 0 if there is none so high.
  public static int riakPort(int internodePort) {
    int port = internodePort == 0 ? 0 : RIAK + internodePort - INTERNODE;
    return port > 0 && port <= MAX_PORT ? port : 0;
  }

  private static MemberEntry entry(
      int number, String zone, int weight, String host, Member.Ports ports) {
    return new MemberEntry(
        new Member(number, name(number), zone, host, ports), weight, /* leaving= */ false);
  }

  /// What clients that want such a name call a member.
  static String name(int number) {
    return "%040x".formatted(0x7465726eL << 32 | number);
  }

  private static Member.Ports ports(int internode, int redis, int riak, int admin) {
    return Member.Ports.NONE
        .with(Member.Ports.INTERNODE, internode)
        .with(Member.Ports.REDIS, redis)
        .with(Member.Ports.RIAK, riak)
        .with(Member.Ports.ADMIN, admin);
  }

  /// Where this node's doors are.
  Member.Ports ports() {
    return ports(internodePort, redisPort, riakPort, adminPort);
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
    KeyspaceSettings usual = KeyspaceSettings.usual(name);
    return new KeyspaceSettings(
        name,
        n,
        usual.zones(),
        resolution,
        r,
        w,
        durability,
        usual.ttlMillis(),
        usual.compaction(),
        usual.timeoutMillis());
  }
}
