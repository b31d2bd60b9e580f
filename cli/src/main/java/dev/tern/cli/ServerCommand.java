package dev.tern.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tern.core.context.FillBounds;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.log.RefusedException;
import dev.tern.server.ServerConfig;
import dev.tern.server.TernServer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// One node in the foreground.
@Command(
    name = "server",
    description = "Runs one node until it is interrupted.",
    mixinStandardHelpOptions = true)
final class ServerCommand implements Callable<Integer> {
  private static final long CLOSING_MILLIS = 10_000;

  /// Exit code of a node that had to end before it was closed.
  private static final int NOT_CLOSED = 71;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--config",
      description = "YAML file whose keys are the names of these flags; a flag wins over the file")
  private @Nullable Path config;

  @Option(names = "--data", description = "directory of the node's files; needed")
  private String data = "";

  @Option(names = "--bind", description = "address to listen on (default ${DEFAULT-VALUE})")
  private String bind = "127.0.0.1";

  @Option(names = "--advertise", description = "address that others reach (default: --bind)")
  private String advertise = "";

  @Option(names = "--number", description = "member number (default: by the address)")
  private int number;

  @Option(
      names = "--zone",
      description = "where the node stands, as rack-4 or eu/a (default: zone- and the number)")
  private String zone = "";

  @Option(
      names = "--weight",
      description =
          "its share of the data, beside the weights of others (default ${DEFAULT-VALUE})")
  private int weight = MemberEntry.USUAL_WEIGHT;

  @Option(
      names = {"--seeds", "--members"},
      description =
          "members: [number@]host:internode[/redis/admin[/zone[/weight[/riak]]]],... A node that is among"
              + " them founds the cluster with the others, told the same; one that is not asks"
              + " them to be let in.")
  private String seeds = "";

  @Option(names = "--redis-port", description = "of the Redis door (default ${DEFAULT-VALUE})")
  private int redisPort = 6379;

  @Option(
      names = "--riak-port",
      description =
          "of the Riak door and the Java client (default: as far from 8087 as --internode-port is"
              + " from 7071)")
  private @Nullable Integer riakPort;

  @Option(
      names = "--admin-port",
      description = "HTTP: health, metrics, administration (default ${DEFAULT-VALUE})")
  private int adminPort = 7070;

  @Option(names = "--internode-port", description = "of other nodes (default ${DEFAULT-VALUE})")
  private int internodePort = 7071;

  @Option(
      names = "--shards",
      description =
          "event loops; fixed once the directory is written (default: as the directory was written,"
              + " else half of the cores)")
  private @Nullable Integer shards;

  @Option(
      names = "--partitions",
      description = "a power of two, the same on all nodes, for ever (default ${DEFAULT-VALUE})")
  private int partitions = 1024;

  @Option(
      names = "--replicas",
      description = "n of the first keyspaces: redis, default, plain (default ${DEFAULT-VALUE})")
  private int replicas = 3;

  @Option(names = "-r", description = "their default read level (default ${DEFAULT-VALUE})")
  private int r = 2;

  @Option(names = "-w", description = "their default write level (default ${DEFAULT-VALUE})")
  private int w = 2;

  @Option(
      names = "--durability",
      description = "theirs: none, os or sync (default ${DEFAULT-VALUE})")
  private String durability = "sync";

  @Option(
      names = "--memory",
      description = "MiB for memtables and block cache (default ${DEFAULT-VALUE})")
  private int memory = 512;

  @Option(
      names = "--away-after",
      description =
          "a member that is down for so long is away: others get its replicas. 30s, 15m, 12h, 7d, or"
              + " never; the node that leads the topology log decides, so tell all nodes the same"
              + " (default ${DEFAULT-VALUE})")
  private String awayAfter = "30m";

  @Option(
      names = "--disk-reserve",
      description =
          "MiB of the disk that writes leave free, but no more than a sixteenth of the disk: what"
              + " gives room back needs some (default ${DEFAULT-VALUE})")
  private int diskReserve = 256;

  @Option(
      names = "--fill-floor",
      description =
          "MiB a second of other replicas' records that this node takes and gives in moves and"
              + " repair whatever clients notice of it (default ${DEFAULT-VALUE})")
  private int fillFloor = 2;

  @Option(
      names = "--fill-ceiling",
      description =
          "MiB a second of these records at most, however little clients notice; 0 for no bound"
              + " (default ${DEFAULT-VALUE})")
  private int fillCeiling = 0;

  @Option(
      names = "--transport",
      description = "auto, epoll, io_uring or nio (default ${DEFAULT-VALUE})")
  private String transport = "auto";

  @Option(names = "--end-with-parent", hidden = true, description = "stop when stdin ends")
  private boolean endWithParent;

  @Override
  public Integer call() throws Exception {
    if (config != null) {
      readConfig(config);
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
            doorPorts(),
            internodePort,
            shards == null ? usualShards() : shards,
            partitions,
            replicas,
            r,
            w,
            durability(durability),
            memory,
            awayMillis(awayAfter),
            diskReserve,
            fill(fillFloor, fillCeiling),
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

  /// The bounds that two flags name.
  ///
  /// @throws IllegalArgumentException if they name none
  static FillBounds fill(int floor, int ceiling) {
    if (floor < 1 || ceiling < 0 || ceiling > 0 && ceiling < floor) {
      throw new IllegalArgumentException(
          "--fill-floor is 1 MiB a second or more, and --fill-ceiling no less, or 0 for no bound;"
              + " not %d and %d".formatted(floor, ceiling));
    }
    long most = ceiling == 0 ? FillBounds.UNBOUNDED : (long) ceiling << 20;
    return new FillBounds((long) floor << 20, Math.min(most, FillBounds.UNBOUNDED));
  }

  /// The bound that a flag names, 0 for none.
  ///
  /// @throws IllegalArgumentException if it names none
  private static long awayMillis(String text) {
    try {
      return text.equals("never") ? 0 : KeyspaceCommand.millis(text);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IllegalArgumentException(
          "--away-after is 30s, 15m, 12h, 7d or never, not " + text, e);
    }
  }

  private int usualShards() {
    int written = data.isBlank() ? 0 : ServerConfig.writtenShards(Path.of(data));
    return written > 0 ? written : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
  }

  /// Each door's port by its flag.
  private Map<String, Integer> doorPorts() {
    int riak =
        riakPort == null ? ServerConfig.usualPort(Member.Ports.RIAK, internodePort) : riakPort;
    return Map.of(
        Member.Ports.REDIS, redisPort, Member.Ports.RIAK, riak, Member.Ports.ADMIN, adminPort);
  }

  /// The durability that a flag names.
  ///
  /// @throws IllegalArgumentException if it names none
  static Durability durability(String name) {
    return switch (name) {
      case "none" -> Durability.NONE;
      case "os" -> Durability.OS;
      case "sync" -> Durability.SYNC;
      default ->
          throw new IllegalArgumentException("--durability is none, os or sync, not " + name);
    };
  }

  /// Takes the file's keys as if they were flags; the flags of the command line win over them.
  ///
  /// @throws IllegalArgumentException with the file's name, if a key or a value makes no sense
  private void readConfig(Path file) throws IOException {
    List<String> flags = new ArrayList<>();
    Set<OptionSpec> given = new HashSet<>();
    for (Map.Entry<String, JsonNode> entry : settings(file).properties()) {
      String flag = (entry.getKey().length() == 1 ? "-" : "--") + entry.getKey();
      OptionSpec option = spec.findOption(flag);
      if (option == null || flag.equals("--config")) {
        throw new IllegalArgumentException(
            "%s: there is no setting %s; its keys are the flags of `tern server --help`"
                .formatted(file, entry.getKey()));
      }
      if (!given.add(option)) {
        throw new IllegalArgumentException(
            "%s: %s is given twice".formatted(file, String.join(" or ", option.names())));
      }
      flags.add(flag + "=" + value(file, entry.getKey(), entry.getValue()));
    }
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      option.originalStringValues().forEach(value -> flags.add(option.longestName() + "=" + value));
    }
    try {
      new CommandLine(this)
          .setOverwrittenOptionsAllowed(true)
          .parseArgs(flags.toArray(new String[0]));
    } catch (ParameterException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  /// The value of one key, as its flag takes it: a list of seeds is joined by commas.
  private static String value(Path file, String key, JsonNode value) {
    if (value.isValueNode() && !value.isNull()) {
      return value.asText();
    }
    boolean listed = key.equals("seeds") || key.equals("members");
    List<String> entries = new ArrayList<>();
    for (JsonNode entry : value) {
      listed &= entry.isTextual();
      entries.add(entry.asText());
    }
    if (!listed || entries.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: %s has %s, where one value is needed%s"
              .formatted(
                  file,
                  key,
                  value.isNull() ? "no value" : value,
                  listed ? " or a list of host:internode" : ""));
    }
    return String.join(",", entries);
  }

  private static JsonNode settings(Path file) throws IOException {
    YAMLMapper yaml =
        YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
    try {
      JsonNode root = yaml.readTree(file.toFile());
      if (root == null || root.isMissingNode() || root.isNull()) {
        return yaml.createObjectNode();
      }
      if (root.isObject()) {
        return root;
      }
    } catch (JacksonException e) {
      throw new IllegalArgumentException(file + ": " + e.getOriginalMessage(), e);
    } catch (FileNotFoundException e) {
      throw new IllegalArgumentException("--config " + file + " cannot be read", e);
    }
    throw new IllegalArgumentException(file + ": a line is `setting: value`");
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
