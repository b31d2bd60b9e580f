package dev.tern.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// A cluster on this machine, one process a node.
@Command(
    name = "playground",
    description = "Runs a local cluster until it is interrupted; data stays in its directory.",
    mixinStandardHelpOptions = true)
final class PlaygroundCommand implements Callable<Integer> {
  @Option(names = "--nodes", description = "how many (default ${DEFAULT-VALUE})")
  private int nodes = 3;

  @Option(names = "--dir", description = "where the data lies (default ${DEFAULT-VALUE})")
  private Path dir = Path.of("playground");

  @Option(names = "--port-offset", description = "added to every port")
  private int portOffset;

  @Option(names = "--durability", description = "none, os or sync (default ${DEFAULT-VALUE})")
  private String durability = "sync";

  @Option(names = "--shards", description = "event loops a node; 0: by the cores there are")
  private int shards;

  @Override
  public Integer call() throws Exception {
    if (nodes < 1 || nodes > 64 || portOffset < 0) {
      throw new IllegalArgumentException("nodes lie between 1 and 64, the offset is not negative");
    }
    LocalNodes local = new LocalNodes(nodes, dir, portOffset, durability, shards, System.out);
    Runtime.getRuntime().addShutdownHook(new Thread(local::close, "tern-shutdown"));
    local.start();
    System.out.println("ready: " + nodes + " nodes, data in " + dir.toAbsolutePath().normalize());
    int redis = local.redisPort(1);
    int admin = local.adminPort(1);
    System.out.printf("  redis-cli -p %d            any node serves every key%n", redis);
    System.out.printf("  redis-cli -c -p %d         or as a cluster%n", redis);
    System.out.printf(
        "  Riak clients: port %d     bucket types default and plain%n", local.riakPort(1));
    System.out.printf("  curl 127.0.0.1:%d/health   /metrics /cluster%n", admin);
    System.out.printf("  ./tern cluster status --admin 127.0.0.1:%d%n", admin);
    System.out.println("  ./tern keyspace list         and more: docs/administration.md");
    System.out.println("Ctrl-C stops it.");
    local.awaitEnd();
    throw new IOException("all nodes have ended");
  }
}
