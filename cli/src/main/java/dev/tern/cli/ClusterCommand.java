package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Console;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Looks at a running cluster, and says who belongs to it.
@Command(
    name = "cluster",
    description = "Looks at a running cluster, and says who belongs to it.",
    mixinStandardHelpOptions = true,
    subcommands = {
      ClusterCommand.Status.class,
      ClusterCommand.Members.class,
      ClusterCommand.Zones.class,
      ClusterCommand.Plan.class,
      MoveCommands.Moves.class,
      MoveCommands.Rebalance.class,
      MoveCommands.Pause.class,
      MoveCommands.Resume.class,
      MoveCommands.Cancel.class,
      MemberCommands.Join.class,
      MemberCommands.Leave.class,
      MemberCommands.Replace.class,
      MemberCommands.Weight.class,
      MemberCommands.Zone.class,
      MemberCommands.Remove.class
    })
final class ClusterCommand {
  private ClusterCommand() {}

  /// Whom to ask, and how to print.
  static final class Asking {
    @Option(
        names = "--admin",
        description = "HOST:PORT of a node's admin door (default ${DEFAULT-VALUE})")
    String admin = "127.0.0.1:7070";

    @Option(names = "--json", description = "as JSON")
    boolean json;

    JsonNode get(String path) throws IOException {
      return AdminPage.get(admin, path);
    }

    /// Has something done and says so.
    ///
    /// @param done what to say of it where it changed something
    JsonNode post(String path, ObjectNode body, String done) throws IOException {
      JsonNode answer = AdminPage.post(admin, path, body);
      if (json) {
        System.out.println(answer);
      } else {
        boolean changed = answer.path("outcome").asText().equals("changed");
        System.out.printf(
            "%s (the topology is at epoch %d)%n",
            changed ? done : "nothing to change", answer.path("epoch").asLong());
      }
      return answer;
    }

    /// Has something done to the keyspace that a body names, and says where its keys are found.
    int keyspace(String verb, String done, ObjectNode body) throws IOException {
      String name = body.path("name").asText();
      post("/keyspace/" + verb, body, "keyspace %s %s".formatted(name, done));
      if (!json && verb.equals("create")) {
        System.out.printf(
            "It is bucket type %s of Riak and Java clients; the Redis door has one keyspace,"
                + " redis.%n",
            name);
      }
      return 0;
    }

    /// Prints a page as it is if JSON is wanted; whether it did.
    boolean printed(JsonNode page) {
      if (json) {
        System.out.println(page.toPrettyString());
      }
      return json;
    }
  }

  /// How the cluster is.
  @Command(
      name = "status",
      description = "How the cluster is: its topology log, keyspaces and members.",
      mixinStandardHelpOptions = true)
  static final class Status implements Callable<Integer> {
    @Mixin private final Asking asking = new Asking();

    @Override
    public Integer call() throws Exception {
      JsonNode cluster = asking.get("/cluster");
      if (asking.printed(cluster)) {
        return 0;
      }
      String id = cluster.path("cluster").asText("");
      JsonNode log = cluster.path("log");
      System.out.printf(
          "cluster %s, epoch %d, %d partitions, protocol level %d%n",
          cluster.path("cluster").isNull() ? "not founded yet" : id,
          cluster.path("epoch").asLong(),
          cluster.path("partitions").asInt(),
          cluster.path("level").asInt());
      int leader = log.path("leader").asInt();
      System.out.printf(
          "topology log: voters %s, %d live, %s%n",
          log.path("voters"),
          log.path("votersLive").asInt(),
          leader == 0 ? "leader not known here" : "leader " + leader);
      redundancy(cluster.path("redundancy"));
      JsonNode repair = cluster.path("repair");
      if (repair.path("lacking").asInt() > 0) {
        System.out.printf(
            "this node catches up: %d of %d partitions lack something, %d of them are taken"
                + " whole%n",
            repair.path("lacking").asInt(),
            repair.path("partitions").asInt(),
            repair.path("rebuilding").asInt());
      }
      handingOn(cluster);
      if (log.path("frozen").asBoolean()) {
        System.out.println("FROZEN: " + log.path("why").asText());
      }
      if (log.path("forgetful").asBoolean()) {
        System.out.println(
            "this node has lost its part of it, and will be let in again when it has learned it");
      }
      if (log.has("failed")) {
        System.out.println("this node takes no part in it: " + log.path("failed").asText());
      }
      for (var stranger : log.path("strangers").properties()) {
        System.out.printf(
            "node %s is not let in: %s%n", stranger.getKey(), stranger.getValue().asText());
      }
      for (JsonNode keyspace : cluster.path("keyspaces")) {
        System.out.printf(
            "keyspace %s: n=%d r=%d w=%d %s%n",
            keyspace.path("name").asText(),
            keyspace.path("n").asInt(),
            keyspace.path("r").asInt(),
            keyspace.path("w").asInt(),
            keyspace.path("durability").asText());
      }
      System.out.println();
      members(cluster);
      return 0;
    }
  }

  private static void redundancy(JsonNode redundancy) {
    int fewer = redundancy.path("fewer").asInt();
    int catchingUp = redundancy.path("catchingUp").asInt();
    int toMove = redundancy.path("replicasToMove").asInt();
    if (fewer == 0 && catchingUp == 0) {
      System.out.println("redundancy: every partition has all its replicas");
    } else {
      System.out.printf(
          (fewer == 0 ? "redundancy" : "REDUNDANCY")
              + ": %d of %d partitions have fewer than n live replicas (%d no live majority, %d none);"
              + " %d live replicas catch up%n",
          fewer,
          redundancy.path("partitions").asInt(),
          redundancy.path("minority").asInt(),
          redundancy.path("none").asInt(),
          catchingUp);
    }
    if (toMove > 0) {
      System.out.printf(
          "moves: %d replicas to copy%s (tern cluster moves)%n",
          toMove,
          redundancy.has("secondsLeft")
              ? ", done in about " + left(redundancy.path("secondsLeft").asLong())
              : "");
    }
  }

  /// The terminal at which somebody types; null if there is none.
  // JDK 22 to 24 had a console without a terminal, other versions have none then.
  @SuppressWarnings("SystemConsoleNull")
  static @Nullable Console terminal() {
    Console console = System.console();
    return console != null && console.isTerminal() ? console : null;
  }

  /// A time that is left, as people say it.
  static String left(long seconds) {
    return seconds < 120
        ? seconds + " s"
        : seconds < 7_200 ? (seconds + 30) / 60 + " min" : (seconds + 1_800) / 3_600 + " h";
  }

  /// Names the members that hold something of partitions that they left.
  private static void handingOn(JsonNode cluster) {
    for (JsonNode member : cluster.path("members")) {
      int unreadable = member.path("leftUnreadable").asInt();
      if (member.path("left").asInt() > 0) {
        System.out.printf(
            "member %d hands on what it has of %d partitions that it left%s%n",
            member.path("number").asInt(),
            member.path("left").asInt(),
            unreadable == 0
                ? ""
                : "; of %d of them it cannot read all that no other member has"
                    .formatted(unreadable));
      }
    }
  }

  private static void members(JsonNode cluster) {
    TextTable table =
        new TextTable(
            "member", "zone", "weight", "address", "redis", "state", "votes", "holds", "leads",
            "stores");
    for (JsonNode member : cluster.path("members")) {
      String state = member.path("live").asBoolean() ? "live" : "dead";
      table.row(
          member.path("number").asInt(),
          member.path("zone").asText(),
          member.path("weight").asInt(),
          member.path("host").asText() + ":" + member.path("internode").asInt(),
          member.path("redis").asInt(),
          state
              + (member.path("leaving").asBoolean() ? ", leaving" : "")
              + (member.path("away").asBoolean() ? ", away" : ""),
          member.path("leads").asBoolean()
              ? "leads"
              : member.path("votes").asBoolean() ? "yes" : "",
          member.path("partitionsHeld").asInt(),
          member.path("partitionsLed").asInt(),
          stored(member.path("diskUsedMebibytes").asLong()));
    }
    table.print(System.out);
  }

  /// Members tell what their files take in whole MiB; small stores have most in memory.
  private static String stored(long mebibytes) {
    return mebibytes == 0 ? "< 1 MiB" : bytes(mebibytes << 20);
  }

  /// Who the members are and what they hold.
  @Command(
      name = "members",
      description = "Who the members are, who lives, what they hold.",
      mixinStandardHelpOptions = true)
  static final class Members implements Callable<Integer> {
    @Mixin private final Asking asking = new Asking();

    @Override
    public Integer call() throws Exception {
      JsonNode cluster = asking.get("/cluster");
      if (!asking.printed(cluster.path("members"))) {
        members(cluster);
      }
      return 0;
    }
  }

  /// What the zones hold.
  @Command(
      name = "zones",
      description = "The zones, their members and what they hold.",
      mixinStandardHelpOptions = true)
  static final class Zones implements Callable<Integer> {
    @Mixin private final Asking asking = new Asking();

    @Override
    public Integer call() throws Exception {
      JsonNode zones = asking.get("/cluster/zones");
      if (asking.printed(zones)) {
        return 0;
      }
      TextTable table =
          new TextTable("zone", "members", "live", "weight", "voters", "holds", "leads");
      for (JsonNode zone : zones) {
        table.row(
            zone.path("zone").asText(),
            zone.path("members").asInt(),
            zone.path("live").asInt(),
            zone.path("weight").asInt(),
            zone.path("voters").asInt(),
            zone.path("partitionsHeld").asInt(),
            zone.path("partitionsLed").asInt());
      }
      table.print(System.out);
      return 0;
    }
  }

  /// Where replicas would go.
  @Command(
      name = "plan",
      description = {
        "Where replicas would go, and what would have to move, as members, zones and weights"
            + " are now, or as the options suppose. Moves nothing."
      },
      mixinStandardHelpOptions = true)
  static final class Plan implements Callable<Integer> {
    @Mixin private final Asking asking = new Asking();

    @Option(names = "--add", description = "suppose a new member: ZONE[:WEIGHT]")
    private List<String> add = new ArrayList<>();

    @Option(names = "--remove", description = "suppose a member leaves: NUMBER")
    private List<String> remove = new ArrayList<>();

    @Option(names = "--weight", description = "suppose another weight: NUMBER:WEIGHT")
    private List<String> weight = new ArrayList<>();

    @Option(names = "--zone", description = "suppose another zone: NUMBER:ZONE")
    private List<String> zone = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
      StringBuilder query = new StringBuilder();
      append(query, "add", add);
      append(query, "remove", remove);
      append(query, "weight", weight);
      append(query, "zone", zone);
      JsonNode plan = asking.get("/cluster/plan" + query);
      if (!asking.printed(plan)) {
        print(plan);
      }
      return 0;
    }

    private static void append(StringBuilder query, String name, List<String> values) {
      for (String value : values) {
        query.append(query.isEmpty() ? '?' : '&').append(name).append('=');
        query.append(URLEncoder.encode(value, StandardCharsets.UTF_8));
      }
    }
  }

  /// A plan as a table for each policy.
  static void print(JsonNode plan) {
    for (JsonNode policy : plan.path("policies")) {
      System.out.printf(
          "n=%d, zones %s (%s), epoch %d: %d replicas to move, %s (about %s each);"
              + " at least %d must%n",
          policy.path("n").asInt(),
          policy.path("zones").asText(),
          String.join(", ", policy.path("keyspaces").valueStream().map(JsonNode::asText).toList()),
          plan.path("epoch").asLong(),
          policy.path("moves").asInt(),
          bytes(policy.path("bytesToMove").asLong()),
          bytes(plan.path("bytesAReplica").asLong()),
          policy.path("leastMoves").asInt());
      TextTable table =
          new TextTable(
              "member", "zone", "holds", "will", "in", "out", "leads", "will lead", "bytes in");
      for (JsonNode row : policy.path("members")) {
        table.row(
            row.path("number").asInt(),
            row.path("zone").asText(),
            row.path("before").asInt(),
            row.path("after").asInt(),
            row.path("in").asInt(),
            row.path("out").asInt(),
            row.path("ledBefore").asInt(),
            row.path("ledAfter").asInt(),
            bytes(row.path("bytesIn").asLong()));
      }
      table.print(System.out);
    }
  }

  static String bytes(long bytes) {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
    double amount = bytes;
    int unit = 0;
    while (amount >= 1024 && unit < units.length - 1) {
      amount /= 1024;
      unit++;
    }
    return unit == 0 ? bytes + " B" : "%.1f %s".formatted(amount, units[unit]);
  }
}
