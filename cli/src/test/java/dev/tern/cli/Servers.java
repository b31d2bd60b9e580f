package dev.tern.cli;

import dev.tern.core.context.FillBounds;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.server.ServerConfig;
import dev.tern.server.TernServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Nodes of a cluster in this process, for tests of its clients.
final class Servers {
  /// Ports of a node.
  private static final int PORTS = 4;

  private Servers() {}

  /// Ports by door.
  static Map<String, Integer> doors(int redis, int riak, int admin) {
    return Map.of("redis", redis, "riak", riak, "admin", admin);
  }

  /// The settings of a node alone, on ports of its own.
  static ServerConfig alone(Path data) throws IOException {
    List<Integer> ports = Ports.free(PORTS);
    return new ServerConfig(
        data.toString(),
        "127.0.0.1",
        "127.0.0.1",
        0,
        "",
        100,
        "",
        doors(ports.get(0), ports.get(1), ports.get(2)),
        ports.get(3),
        2,
        64,
        3,
        2,
        2,
        Durability.OS,
        64,
        ServerConfig.USUAL_AWAY_MILLIS,
        0,
        FillBounds.USUAL,
        "auto");
  }

  /// Told when a node must stop, which no test wants.
  static final Consumer<Throwable> BROKEN =
      cause -> {
        throw new AssertionError("a node broke", cause);
      };

  /// Founders of one cluster, with one and two shards in turn; they may not have found each other
  /// yet.
  static List<TernServer> start(Path data, int nodes) throws IOException {
    List<Integer> ports = Ports.free(PORTS * nodes);
    StringBuilder members = new StringBuilder();
    for (int i = 0; i < nodes; i++) {
      List<Integer> own = ports.subList(PORTS * i, PORTS * (i + 1));
      members.append(i == 0 ? "" : ",");
      members.append(
          "%d@127.0.0.1:%d/%d/%d/zone-%d/100/%d"
              .formatted(i + 1, own.get(0), own.get(1), own.get(2), i + 1, own.get(3)));
    }
    List<TernServer> servers = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      List<Integer> own = ports.subList(PORTS * i, PORTS * (i + 1));
      servers.add(
          TernServer.start(
              new ServerConfig(
                  data.resolve("node-" + i).toString(),
                  "127.0.0.1",
                  "127.0.0.1",
                  i + 1,
                  "",
                  100,
                  members.toString(),
                  doors(own.get(1), own.get(3), own.get(2)),
                  own.get(0),
                  1 + i % 2,
                  256,
                  3,
                  2,
                  2,
                  Durability.OS,
                  64,
                  ServerConfig.USUAL_AWAY_MILLIS,
                  0,
                  FillBounds.USUAL,
                  "auto"),
              BROKEN));
    }
    return servers;
  }
}
