package dev.tern.gateway.resp;

import dev.tern.core.topology.Member;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.gateway.session.ClusterStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// `CLUSTER`: the topology in the terms of Redis Cluster. The master of a slot is its first live
/// replica. Every node is a master of the slots that it leads, and nowhere a replica.
final class ClusterCommands {
  private ClusterCommands() {}

  /// Slots from first to last with the same list, live ones first.
  private record Range(int first, int last, int[] replicas) {}

  static Reply run(RedisSession session, List<byte[]> arguments) {
    ClusterStatus cluster = session.cluster;
    Topology topology = session.topology();
    String what = Arguments.word(arguments, 1);
    if (List.of("INFO", "MYID", "SLOTS", "SHARDS", "NODES", "HELP").contains(what)) {
      expect(arguments, 2);
    }
    if (List.of("SLOTS", "SHARDS", "NODES").contains(what)) {
      session.mode.askedForSlots();
    }
    return switch (what) {
      case "HELP" -> CommandHelp.of("CLUSTER");
      case "INFO" -> info(cluster, topology);
      case "MYID" -> Reply.text(cluster.self().name());
      case "SLOTS" -> slots(cluster, topology);
      case "SHARDS" -> shards(cluster, topology);
      case "NODES" -> nodes(cluster, topology);
      case "KEYSLOT" -> {
        expect(arguments, 3);
        yield Reply.number(Slots.of(arguments.get(2)));
      }
      case "COUNTKEYSINSLOT" -> throw new IllegalStateException("asked of the keyspace");
      default -> throw CommandException.subcommand("CLUSTER", arguments, Set.of());
    };
  }

  static int slot(List<byte[]> arguments) {
    expect(arguments, 3);
    long slot = Arguments.integer(arguments.get(2));
    if (slot < 0 || slot >= Slots.COUNT) {
      throw new CommandException("ERR Invalid slot");
    }
    return (int) slot;
  }

  private static void expect(List<byte[]> arguments, int count) {
    if (arguments.size() != count) {
      throw CommandException.arity("cluster|" + Arguments.word(arguments, 1));
    }
  }

  private static int[] liveFirst(ClusterStatus cluster, int[] replicas) {
    int[] ordered = new int[replicas.length];
    int count = 0;
    for (boolean live : new boolean[] {true, false}) {
      for (int member : replicas) {
        if (cluster.live(member) == live) {
          ordered[count++] = member;
        }
      }
    }
    return ordered;
  }

  private static List<Range> ranges(ClusterStatus cluster, Topology topology) {
    List<Range> ranges = new ArrayList<>();
    Range open = null;
    for (int p = 0; p < topology.partitions(); p++) {
      int[] replicas = liveFirst(cluster, topology.replicas(p));
      int last = p + 1 == topology.partitions() ? Slots.COUNT - 1 : topology.firstSlot(p + 1) - 1;
      if (open != null && Arrays.equals(open.replicas(), replicas)) {
        open = new Range(open.first(), last, replicas);
      } else {
        if (open != null) {
          ranges.add(open);
        }
        open = new Range(topology.firstSlot(p), last, replicas);
      }
    }
    ranges.add(java.util.Objects.requireNonNull(open));
    return ranges;
  }

  /// One node a range, the one that leads it. Any other of its replicas leads other slots: named
  /// here, clients would take it for a replica and not ask it for its own.
  private static Reply slots(ClusterStatus cluster, Topology topology) {
    List<Reply> slots = new ArrayList<>();
    led(cluster, topology)
        .forEach(
            (number, ranges) -> {
              Member member = topology.member(number);
              Reply master =
                  new Reply.Array(
                      List.of(
                          Reply.text(member.host()),
                          Reply.number(member.ports().redis()),
                          Reply.text(member.name()),
                          Reply.EMPTY));
              for (Range range : ranges) {
                slots.add(
                    new Reply.Array(
                        List.of(Reply.number(range.first()), Reply.number(range.last()), master)));
              }
            });
    return new Reply.Array(slots);
  }

  /// Slot ranges by the member that leads them, in order of member numbers.
  private static Map<Integer, List<Range>> led(ClusterStatus cluster, Topology topology) {
    Map<Integer, List<Range>> led = new LinkedHashMap<>();
    for (Member member : topology.members()) {
      led.put(member.number(), new ArrayList<>());
    }
    for (Range range : ranges(cluster, topology)) {
      List<Range> of = java.util.Objects.requireNonNull(led.get(range.replicas()[0]));
      Range before = of.isEmpty() ? null : of.getLast();
      if (before != null && before.last() + 1 == range.first()) {
        of.set(of.size() - 1, new Range(before.first(), range.last(), range.replicas()));
      } else {
        of.add(range);
      }
    }
    return led;
  }

  private static Reply shards(ClusterStatus cluster, Topology topology) {
    List<Reply> shards = new ArrayList<>();
    led(cluster, topology)
        .forEach(
            (number, ranges) -> {
              Member member = topology.member(number);
              List<Reply> bounds = new ArrayList<>();
              for (Range range : ranges) {
                bounds.add(Reply.number(range.first()));
                bounds.add(Reply.number(range.last()));
              }
              Map<String, Reply> about = new LinkedHashMap<>();
              about.put("id", Reply.text(member.name()));
              about.put("port", Reply.number(member.ports().redis()));
              about.put("ip", Reply.text(member.host()));
              about.put("endpoint", Reply.text(member.host()));
              about.put("role", Reply.text("master"));
              about.put("replication-offset", Reply.ZERO);
              about.put("health", Reply.text(cluster.live(number) ? "online" : "failed"));
              Map<String, Reply> shard = new LinkedHashMap<>();
              shard.put("slots", new Reply.Array(bounds));
              shard.put("nodes", new Reply.Array(List.of(new Reply.Pairs(about))));
              shards.add(new Reply.Pairs(shard));
            });
    return new Reply.Array(shards);
  }

  private static Reply nodes(ClusterStatus cluster, Topology topology) {
    StringBuilder text = new StringBuilder();
    led(cluster, topology)
        .forEach(
            (number, ranges) -> {
              Member member = topology.member(number);
              boolean live = cluster.live(number);
              boolean self = number == cluster.self().number();
              text.append(
                  "%s %s:%d@%d %s - 0 0 %d %s"
                      .formatted(
                          member.name(),
                          member.host(),
                          member.ports().redis(),
                          member.ports().internode(),
                          (self ? "myself," : "") + "master" + (live ? "" : ",fail"),
                          number,
                          live ? "connected" : "disconnected"));
              for (Range range : ranges) {
                text.append(' ').append(range.first());
                if (range.last() != range.first()) {
                  text.append('-').append(range.last());
                }
              }
              text.append('\n');
            });
    return new Reply.Text(text.toString(), true);
  }

  private static Reply info(ClusterStatus cluster, Topology topology) {
    int covered = 0;
    for (int p = 0; p < topology.partitions(); p++) {
      @Nullable Integer leader = null;
      for (int member : topology.replicas(p)) {
        leader = leader == null && cluster.live(member) ? (Integer) member : leader;
      }
      covered += leader == null ? 0 : Slots.COUNT / topology.partitions();
    }
    boolean ok = covered == Slots.COUNT;
    int members = topology.members().size();
    return new Reply.Text(
        "cluster_enabled:1\r\ncluster_state:%s\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:%d\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:%d\r\ncluster_known_nodes:%d\r\ncluster_size:%d\r\ncluster_current_epoch:%d\r\ncluster_my_epoch:%d\r\n"
            .formatted(
                ok ? "ok" : "fail",
                covered,
                Slots.COUNT - covered,
                members,
                members,
                topology.epoch(),
                topology.epoch()),
        true);
  }
}
