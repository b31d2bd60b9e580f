package dev.tern.cli;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// A cluster on this machine, one process a node.
@Command(
    name = "playground",
    description = {
      "Runs a local cluster until it is interrupted; data stays in its directory.",
      "Node 1 listens on 6379 (Redis), 8087 (Riak, Java client), 7070 (admin), 7071 (internode);"
          + " each further node 100 above the one before."
    },
    mixinStandardHelpOptions = true,
    subcommands = {PlaygroundCommand.Add.class, PlaygroundCommand.Remove.class})
final class PlaygroundCommand implements Callable<Integer> {
  private static final long LOOK_NANOS = 200_000_000;

  /// Where the process group and that of its terminal's foreground stand in Linux's
  /// `/proc/self/stat`, behind the command's name.
  private static final int GROUP = 2;

  private static final int FOREGROUND = 5;

  @Option(names = "--nodes", description = "how many (default: those of the directory, else 3)")
  private @Nullable Integer nodes;

  @Option(names = "--dir", description = "where the data lies (default ${DEFAULT-VALUE})")
  private Path dir = Path.of("playground");

  @Option(names = "--port-offset", description = "added to every port (default 0)")
  private int portOffset;

  @Option(
      names = "--durability",
      description = "none, os or sync, of a cluster that is made (default ${DEFAULT-VALUE})")
  private String durability = "sync";

  @Option(
      names = "--shards",
      description =
          "event loops a node (default: as its directory says, else its part of the cores)")
  private int shards;

  private volatile boolean failed;

  @Override
  public Integer call() throws Exception {
    List<Integer> held = LocalNodes.held(dir);
    int count = nodes != null ? nodes : held.isEmpty() ? 3 : held.size();
    if (count < 1 || count > 64 || portOffset < 0) {
      throw new IllegalArgumentException("--nodes is 1 to 64, --port-offset is not negative");
    }
    Durability known = ServerCommand.durability(durability);
    LocalNodes local = new LocalNodes(count, dir, portOffset, durability, shards, System.out);
    local.look();
    Path place = dir.toAbsolutePath().normalize();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(local, place), "tern-shutdown"));
    System.out.printf(
        "starting %d nodes in %s, %s ...%n",
        count,
        place,
        held.isEmpty()
            ? "durability " + known.name().toLowerCase(java.util.Locale.ROOT)
            : "keyspaces as they are there");
    try (PlaygroundRequests requests = PlaygroundRequests.open(dir)) {
      run(local, requests, place);
    } catch (IOException | RuntimeException e) {
      failed = true;
      throw e;
    }
    return 0;
  }

  private void run(LocalNodes local, PlaygroundRequests requests, Path place)
      throws IOException, InterruptedException {
    local.start();
    requests.serve(words -> change(local, words));
    System.out.printf("ready: %d nodes, data in %s%n", local.nodes().size(), place);
    int first = local.nodes().iterator().next();
    int admin = local.adminPort(first);
    String look = admin == 7070 ? "" : " --admin 127.0.0.1:" + admin;
    line("redis-cli -p " + local.redisPort(first), "any node serves every key");
    line("redis-cli -c -p " + local.redisPort(first), "or as a client of a cluster");
    line("port " + local.riakPort(first), "Java client, Riak clients: bucket types default, plain");
    line("curl 127.0.0.1:%d/health".formatted(admin), "also /metrics, /cluster");
    line("./tern cluster status" + look, "members, keyspaces");
    line("./tern keyspace list" + look, "and more: docs/administration.md");
    String where = dir.equals(Path.of("playground")) ? "" : " --dir " + dir;
    line("./tern playground add" + where, "another node joins; tern cluster moves shows it");
    line("./tern playground remove N" + where, "one leaves, when others have its replicas");
    System.out.println("Ctrl-C stops it. Kill a node with kill -9 PID: the others go on.");
    if (isInForeground()) {
      local.onEnd(node -> System.out.printf("  type %d and Enter to start it again%n", node));
      Thread.ofPlatform().daemon().name("tern-typed").start(() -> follow(local));
    }
    local.awaitEnd();
    if (local.isClosing()) {
      return;
    }
    throw new IOException("all nodes have ended; the data stays in " + place);
  }

  /// What another process asks: `add`, or `remove N [anyway]`.
  private static String change(LocalNodes local, List<String> words)
      throws IOException, InterruptedException {
    switch (words.getFirst()) {
      case "add" -> {
        int node = local.add();
        return ("node %d has joined: Redis %d, Riak %d, admin %d; its share of the data moves to it"
                + " now")
            .formatted(node, local.redisPort(node), local.riakPort(node), local.adminPort(node));
      }
      case "remove" -> {
        int node = Integer.parseInt(words.get(1));
        local.remove(node, words.contains("anyway"));
        return "node %d leaves: its process ends when others have its replicas".formatted(node);
      }
      default -> throw new IOException("a playground does not know " + words);
    }
  }

  /// What both have that change a playground.
  abstract static class Change implements Callable<Integer> {
    @Option(names = "--dir", description = "the playground's (default ${DEFAULT-VALUE})")
    Path dir = Path.of("playground");

    abstract String request();

    @Override
    public Integer call() throws Exception {
      System.out.println(PlaygroundRequests.ask(dir, request()));
      return 0;
    }
  }

  /// Another node.
  @Command(
      name = "add",
      description = {
        "Starts another node in a playground that runs. It joins the cluster and gets its share of the"
            + " replicas: cluster moves --watch shows how."
      },
      mixinStandardHelpOptions = true)
  static final class Add extends Change {
    @Override
    String request() {
      return "add";
    }
  }

  /// One node fewer.
  @Command(
      name = "remove",
      description = {
        "Lets a node of a playground that runs leave the cluster. Its process ends when others have"
            + " its replicas; its directory stays."
      },
      mixinStandardHelpOptions = true)
  static final class Remove extends Change {
    @Parameters(index = "0", description = "the node's number")
    private int node;

    @Option(names = "--anyway", description = "also where keys are left with fewer replicas")
    private boolean anyway;

    @Override
    String request() {
      return "remove " + node + (anyway ? " anyway" : "");
    }
  }

  private static void line(String what, String why) {
    System.out.printf("  %-48s %s%n", what, why);
  }

  /// Stops the nodes and, where the user asked for it, ends with code 0: an interrupt is how a
  /// playground ends.
  private void stop(LocalNodes local, Path place) {
    local.close();
    if (!failed) {
      System.out.println("stopped; the data stays in " + place);
      System.out.flush();
      Runtime.getRuntime().halt(0);
    }
  }

  /// Starts the nodes whose numbers are typed. Reads nothing while the process is in the
  /// background, where the terminal would stop it for that.
  private static void follow(LocalNodes local) {
    StringBuilder typed = new StringBuilder();
    while (true) {
      try {
        while (System.in.available() > 0 && isInForeground()) {
          int character = System.in.read();
          if (character != '\n') {
            typed.append((char) character);
          } else {
            String number = typed.toString().strip();
            typed.setLength(0);
            start(local, number);
          }
        }
      } catch (IOException e) {
        System.out.println(e.getMessage());
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  private static void start(LocalNodes local, String number) throws IOException {
    if (number.matches("[0-9]{1,2}")) {
      local.startAgain(Integer.parseInt(number));
    } else if (!number.isEmpty()) {
      throw new IOException("type the number of a node that has ended, and Enter, to start it");
    }
  }

  /// Whether the process runs in the foreground of a terminal. False where that cannot be told.
  private static boolean isInForeground() {
    try {
      String stat = Files.readString(Path.of("/proc/self/stat"), StandardCharsets.ISO_8859_1);
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return fields[GROUP].equals(fields[FOREGROUND]);
    } catch (IOException e) {
      return false;
    }
  }
}
