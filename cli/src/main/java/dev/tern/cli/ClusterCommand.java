package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Looks at a running cluster.
@Command(
    name = "cluster",
    description = "Looks at a running cluster.",
    mixinStandardHelpOptions = true,
    subcommands = ClusterCommand.Status.class)
final class ClusterCommand {
  private ClusterCommand() {}

  /// Who the members are and what they hold.
  @Command(
      name = "status",
      description = "Who the members are, who lives, what they hold.",
      mixinStandardHelpOptions = true)
  static final class Status implements Callable<Integer> {
    @Option(names = "--admin", description = "HOST:PORT of a node's admin door")
    private String admin = "127.0.0.1:7070";

    @Option(names = "--json", description = "as JSON")
    private boolean json;

    @Override
    public Integer call() throws Exception {
      JsonNode cluster = AdminPage.get(admin, "/cluster");
      if (json) {
        System.out.println(cluster.toPrettyString());
        return 0;
      }
      System.out.printf(
          "epoch %d, %d partitions%n",
          cluster.path("epoch").asLong(), cluster.path("partitions").asInt());
      System.out.printf(
          "%-7s %-10s %-22s %-6s %6s %6s%n", "member", "zone", "redis", "state", "holds", "leads");
      for (JsonNode member : cluster.path("members")) {
        System.out.printf(
            "%-7d %-10s %-22s %-6s %6d %6d%n",
            member.path("number").asInt(),
            member.path("zone").asText(),
            member.path("host").asText() + ":" + member.path("redis").asInt(),
            member.path("live").asBoolean() ? "live" : "dead",
            member.path("partitionsHeld").asInt(),
            member.path("partitionsLed").asInt());
      }
      return 0;
    }
  }
}
