package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Console;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Commands that change who the members are and what each shall hold.
final class MemberCommands {
  private MemberCommands() {}

  /// A change that moves replicas: shows what will move, asks, and does it.
  abstract static class Change implements Callable<Integer> {
    @Mixin final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Option(names = "--plan-only", description = "shows what would move, changes nothing")
    private boolean planOnly;

    @Option(names = "--yes", description = "asks for no confirmation")
    private boolean yes;

    /// The change as `/cluster/plan` supposes it: a name and a value, or nothing.
    abstract String supposed();

    abstract void make() throws IOException;

    /// What is said where there is nothing to confirm, as nothing would happen; null where
    /// something would.
    @Nullable String needless(JsonNode plan) throws IOException {
      return null;
    }

    @Override
    public Integer call() throws Exception {
      if (planOnly || !asking.json) {
        JsonNode plan = asking.get("/cluster/plan" + supposed());
        if (!asking.printed(plan)) {
          ClusterCommand.print(plan);
        }
        String needless = planOnly ? null : needless(plan);
        if (needless != null) {
          System.out.println(needless);
          return 0;
        }
      }
      if (planOnly) {
        return 0;
      }
      if (!yes && !isConfirmed()) {
        System.err.println("nothing was changed; --yes confirms");
        return 1;
      }
      make();
      return 0;
    }

    private static boolean isConfirmed() {
      Console console = ClusterCommand.terminal();
      return console != null && "yes".equals(console.readLine("Go on? (yes or no) "));
    }

    static String query(String name, Object value) {
      return "?" + name + "=" + URLEncoder.encode(value.toString(), StandardCharsets.UTF_8);
    }
  }

  /// A change of one member, which gives its replicas away unless a command says otherwise.
  abstract static class MemberChange extends Change {
    @Parameters(index = "0", description = "the member's number")
    int member;

    @Override
    String supposed() {
      return query("remove", member);
    }

    ObjectNode body() {
      return AdminPage.body().put("number", member);
    }
  }

  /// A change of one member that is refused where replicas or zones would be too few.
  abstract static class RefusableChange extends MemberChange {
    @Option(
        names = "--anyway",
        description = "also where keys are left with fewer replicas, or fewer zones")
    private boolean anyway;

    @Override
    ObjectNode body() {
      ObjectNode body = super.body();
      return anyway ? body.put("anyway", true) : body;
    }
  }

  /// What a member shall hold.
  @Command(
      name = "weight",
      description = "Sets how much a member shall hold in proportion to others.",
      mixinStandardHelpOptions = true)
  static final class Weight extends RefusableChange {
    @Parameters(index = "1", description = "its weight; 0 for nothing, 100 is usual")
    private int weight;

    @Override
    String supposed() {
      return query("weight", member + ":" + weight);
    }

    @Override
    void make() throws IOException {
      asking.post(
          "/cluster/weight",
          body().put("weight", weight),
          "member %d weighs %d".formatted(member, weight));
    }
  }

  /// Where a member stands.
  @Command(
      name = "zone",
      description = "Sets where a member stands.",
      mixinStandardHelpOptions = true)
  static final class Zone extends RefusableChange {
    @Parameters(index = "1", description = "its zone")
    private String zone = "";

    @Override
    String supposed() {
      return query("zone", member + ":" + zone);
    }

    @Override
    void make() throws IOException {
      asking.post(
          "/cluster/zone",
          body().put("zone", zone),
          "member %d stands in %s".formatted(member, zone));
    }
  }

  /// A member goes in order.
  @Command(
      name = "leave",
      description = {
        "Lets a member go: its replicas move to others, it hands on what it alone has, and its"
            + " process ends. Refused where keys would be left with fewer replicas or zones."
      },
      mixinStandardHelpOptions = true)
  static final class Leave extends RefusableChange {
    @Override
    void make() throws IOException {
      asking.post("/cluster/leave", body(), "member %d is leaving or gone".formatted(member));
    }
  }

  /// A member goes, whatever is left.
  @Command(
      name = "remove",
      description = {
        "Takes a member out for good, also one that is dead and will not be back, and also where keys"
            + " are left with fewer replicas. One that lives hands its replicas on first, as with"
            + " leave."
      },
      mixinStandardHelpOptions = true)
  static final class Remove extends MemberChange {
    @Override
    void make() throws IOException {
      asking.post("/cluster/remove", body(), "member %d is leaving or gone".formatted(member));
    }
  }

  /// Others take the place of a dead member.
  @Command(
      name = "replace",
      description = {
        "Gives the replicas of a dead member to others at once, instead of after half an hour. When"
            + " it is back, it gets its share again; remove takes it out for good."
      },
      mixinStandardHelpOptions = true)
  static final class Replace extends MemberChange {
    @Override
    void make() throws IOException {
      asking.post("/cluster/replace", body(), "member %d is away".formatted(member));
    }
  }

  /// What a newcomer would get.
  @Command(
      name = "join",
      description = {
        "Shows what would move to a new member, and the command that starts it: a node that is started"
            + " with --seeds joins by itself and gets its share. Changes nothing."
      },
      mixinStandardHelpOptions = true)
  static final class Join implements Callable<Integer> {
    private static final int SEEDS = 3;

    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Option(names = "--zone", description = "where it stands (default: a zone of its own)")
    private String zone = "";

    @Option(names = "--weight", description = "its weight (default ${DEFAULT-VALUE})")
    private int weight = 100;

    @Override
    public Integer call() throws Exception {
      JsonNode cluster = asking.get("/cluster");
      String stands = zone.isEmpty() ? "zone-" + cluster.path("nextMember").asInt() : zone;
      JsonNode plan = asking.get("/cluster/plan" + Change.query("add", stands + ":" + weight));
      if (asking.printed(plan)) {
        return 0;
      }
      ClusterCommand.print(plan);
      String seeds =
          cluster
              .path("members")
              .valueStream()
              .filter(member -> member.path("live").asBoolean())
              .limit(SEEDS)
              .map(MemberCommands::seed)
              .collect(Collectors.joining(","));
      System.out.printf(
          "%nTo let it join, start on its machine:%n  ./tern server --data DIR --bind ADDRESS"
              + "%s%s --seeds %s%n",
          zone.isEmpty() ? "" : " --zone " + zone,
          weight == 100 ? "" : " --weight " + weight,
          seeds);
      return 0;
    }
  }

  /// A member as an entry of `--seeds`.
  private static String seed(JsonNode member) {
    return "%s:%d/%d/%d"
        .formatted(
            member.path("host").asText(),
            member.path("internode").asInt(),
            member.path("redis").asInt(),
            member.path("admin").asInt());
  }
}
