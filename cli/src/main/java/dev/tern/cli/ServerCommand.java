package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.log.RefusedException;
import dev.tern.server.ServerConfig;
import dev.tern.server.TernServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// One node in the foreground.
@Command(
    name = "server",
    description = "Runs one node until it is interrupted.",
    mixinStandardHelpOptions = true)
final class ServerCommand implements Callable<Integer> {
  private static final long CLOSING_MILLIS = 10_000;

  /// Exit code of a node that had to end before it was closed.
  private static final int NOT_CLOSED = 71;

  @Option(names = "--config", description = "YAML file whose keys are these flags' names")
  private @Nullable Path config;

  @Option(names = "--data", description = "directory of the node's files")
  private String data = "";

  @Option(names = "--bind", description = "address to listen on")
  private String bind = "127.0.0.1";

  @Option(names = "--advertise", description = "address that others reach (default: --bind)")
  private String advertise = "";

  @Option(names = "--number", description = "this node's number (default: by its address)")
  private int number;

  @Option(names = "--zone", description = "where the node stands")
  private String zone = "";

  @Option(names = "--weight", description = "what it shall hold in proportion to others")
  private int weight = MemberEntry.USUAL_WEIGHT;

  @Option(
      names = {"--seeds", "--members"},
      description =
          "members: [number@]host:internode[/redis/admin[/zone[/weight[/riak]]]],... A node that is among"
              + " them founds the cluster with the others, told the same; one that is not asks"
              + " them to be let in.")
  private String seeds = "";

  @Option(names = "--redis-port")
  private int redisPort = 6379;

  @Option(
      names = "--riak-port",
      description = "(default: 8087, as far from it as --internode-port" + " is from 7071)")
  private @Nullable Integer riakPort;

  @Option(names = "--etcd-port", description = "not offered yet")
  private @Nullable Integer etcdPort;

  @Option(names = "--admin-port")
  private int adminPort = 7070;

  @Option(names = "--internode-port")
  private int internodePort = 7071;

  @Option(names = "--shards", description = "event loops; fixed once the directory is written")
  private int shards = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  @Option(names = "--partitions", description = "a power of two, the same on all nodes, for ever")
  private int partitions = 1024;

  @Option(names = "--replicas", description = "n of the Redis keyspace")
  private int replicas = 3;

  @Option(names = "-r", description = "default read level")
  private int r = 2;

  @Option(names = "-w", description = "default write level")
  private int w = 2;

  @Option(names = "--durability", description = "none, os or sync")
  private String durability = "sync";

  @Option(names = "--memory", description = "MiB for memtables and block cache")
  private int memory = 512;

  @Option(names = "--transport", description = "auto, epoll, io_uring or nio")
  private String transport = "auto";

  @Option(names = "--end-with-parent", hidden = true, description = "stop when stdin ends")
  private boolean endWithParent;

  @Override
  public Integer call() throws Exception {
    if (config != null) {
      readConfig(config);
    }
    if (etcdPort != null) {
      throw new IllegalArgumentException("the etcd door does not exist yet");
    }
    ServerConfig settings =
        new ServerConfig(
            data,
            bind,
            advertise.isEmpty() ? bind : advertise,
            number,
            zone,
            weight,
            seeds,
            redisPort,
            riakPort == null ? ServerConfig.riakPort(internodePort) : riakPort,
            adminPort,
            internodePort,
            shards,
            partitions,
            replicas,
            r,
            w,
            durability(),
            memory,
            transport);
    TernServer server = TernServer.start(settings, ServerCommand::fatal);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(server), "tern-shutdown"));
    System.out.println(server.ready());
    System.out.flush();
    if (endWithParent) {
      while (System.in.read() >= 0) {
        // Only its end matters.
      }
      System.exit(0);
    }
    return 0;
  }

  private Durability durability() {
    return switch (durability) {
      case "none" -> Durability.NONE;
      case "os" -> Durability.OS;
      case "sync" -> Durability.SYNC;
      default ->
          throw new IllegalArgumentException("the durability is none, os or sync: " + durability);
    };
  }

  /// Takes the file's keys as if they were flags.
  private void readConfig(Path file) throws IOException {
    JsonNode root = YAMLMapper.builder().build().readTree(file.toFile());
    List<String> flags = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : root.properties()) {
      if (entry.getKey().equals("config")) {
        throw new IllegalArgumentException("a config file cannot name another");
      }
      flags.add((entry.getKey().length() == 1 ? "-" : "--") + entry.getKey());
      flags.add(entry.getValue().asText());
    }
    new CommandLine(this).parseArgs(flags.toArray(new String[0]));
  }

  private static void fatal(Throwable cause) {
    if (cause instanceof RefusedException) {
      System.err.println("tern: " + cause.getMessage());
      Runtime.getRuntime().halt(1);
    }
    LoggerFactory.getLogger(ServerCommand.class)
        .error("this node must stop: a wrong answer is worse than none", cause);
    Runtime.getRuntime().halt(70);
  }

  /// Ends the server within some seconds whatever hangs: what was acknowledged is on the disk.
  private static void close(TernServer server) {
    Thread closing =
        new Thread(
            () -> {
              try {
                server.close();
              } catch (IOException | RuntimeException e) {
                System.err.println("tern: " + e.getMessage());
              }
            },
            "tern-closing");
    closing.setDaemon(true);
    closing.start();
    try {
      closing.join(CLOSING_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (closing.isAlive()) {
      System.err.println(
          "tern: not closed after %d ms, ends now; it waited here:".formatted(CLOSING_MILLIS));
      for (StackTraceElement each : closing.getStackTrace()) {
        System.err.println("  at " + each);
      }
      Runtime.getRuntime().halt(NOT_CLOSED);
    }
  }
}
