package dev.tern.server;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.topology.Member;
import java.util.ArrayList;
import java.util.List;

/// The settings of a node, checked.
///
/// Members are a static list for now, the same on every node: `number@host:internode/redis/admin`,
/// separated by commas. A node alone needs none.
///
/// @param data directory of the node's files
/// @param bind address to listen on
/// @param number this node's member number, 1 or more
/// @param zone where it stands
/// @param members all members, this one included, in order of their numbers
/// @param redisPort of the Redis door
/// @param adminPort of the HTTP door
/// @param internodePort between nodes
/// @param shards event loops
/// @param partitions a power of two, the same on every node, for ever
/// @param n replicas of a key
/// @param r default read level
/// @param w default write level
/// @param durability of an acknowledged write
/// @param memoryMegabytes memtables and block cache
/// @param transport `auto` (the best there is), `io_uring`, `epoll` or `nio`
public record ServerConfig(
    String data,
    String bind,
    int number,
    String zone,
    String members,
    int redisPort,
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

  public ServerConfig {
    check(!data.isBlank(), "a data directory is needed: --data DIR");
    check(shards >= 1 && shards <= 256, "shards lie between 1 and 256, not " + shards);
    check(memoryMegabytes >= 16, "the memory is at least 16 MiB");
    check(n >= 1 && r >= 1 && w >= 1 && r <= n && w <= n, "r and w lie between 1 and n");
    for (int port : new int[] {redisPort, adminPort, internodePort}) {
      check(port >= 0 && port <= 65535, "a port lies between 0 and 65535, not " + port);
    }
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }

  /// The members by the list, or this node alone.
  ///
  /// @throws IllegalArgumentException if an entry cannot be read
  public List<Member> memberList() {
    if (members.isBlank()) {
      return List.of(
          member(number, bind, new Member.Ports(internodePort, redisPort, 0, 0, adminPort)));
    }
    List<Member> list = new ArrayList<>();
    for (String entry : members.split(",", -1)) {
      try {
        String[] parts = entry.strip().split("[@:/]", -1);
        check(parts.length == 5, "five parts");
        int internode = Integer.parseInt(parts[2]);
        int redis = Integer.parseInt(parts[3]);
        int admin = Integer.parseInt(parts[4]);
        list.add(
            member(
                Integer.parseInt(parts[0]),
                parts[1],
                new Member.Ports(internode, redis, 0, 0, admin)));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "a member is number@host:internode/redis/admin, not " + entry, e);
      }
    }
    check(
        list.stream().anyMatch(member -> member.number() == number),
        "the members do not name this node, number " + number);
    return list;
  }

  private static Member member(int number, String host, Member.Ports ports) {
    String name = "%040x".formatted(0x7465726eL << 32 | number);
    return new Member(number, name, "zone-" + number, host, ports);
  }
}
