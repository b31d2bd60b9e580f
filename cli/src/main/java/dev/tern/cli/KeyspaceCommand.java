package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.topology.KeyspaceProperty;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/// The keyspaces of a running cluster.
@Command(
    name = "keyspace",
    description = "Makes, changes and shows keyspaces.",
    mixinStandardHelpOptions = true,
    subcommands = {
      KeyspaceCommand.Create.class,
      KeyspaceCommand.Alter.class,
      KeyspaceCommand.All.class,
      KeyspaceCommand.Describe.class,
      KeyspaceCommand.Drop.class
    })
final class KeyspaceCommand {
  private KeyspaceCommand() {}

  /// Adds the flag of each property to the commands that take them; what is left out stays as it
  /// is, or is as usual. The help of `alter` does not name what a keyspace keeps for ever.
  static void addProperties(CommandLine tern) {
    CommandLine keyspace = Objects.requireNonNull(tern.getSubcommands().get("keyspace"));
    for (String command : List.of("create", "alter")) {
      CommandLine taking = Objects.requireNonNull(keyspace.getSubcommands().get(command));
      CommandSpec spec = taking.getCommandSpec();
      for (KeyspaceProperty<?> property : KeyspaceProperty.ALL) {
        Class<?> type =
            property.kind() == KeyspaceProperty.Kind.NUMBER ? Integer.class : String.class;
        spec.addOption(
            OptionSpec.builder(property.flag())
                .type(type)
                .paramLabel("<" + property.flag().replaceFirst("^-+", "") + ">")
                .description(command.equals("create") ? helpOfCreate(property) : property.help())
                .hidden(command.equals("alter") && property.isKept())
                .build());
      }
    }
  }

  private static <T> String helpOfCreate(KeyspaceProperty<T> property) {
    String help = property.help();
    if (help.contains("(usual:")) {
      return help;
    }
    Object usual = property.told(property.usual());
    boolean hasUnit = usual instanceof Long millis && millis > 0;
    return "%s (usual: %s)".formatted(help, hasUnit ? duration((Long) usual) : usual);
  }

  /// What was said of a keyspace, as the administration wants it.
  private static ObjectNode body(String name, CommandSpec spec) {
    ObjectNode body = AdminPage.body().put("name", name);
    ParseResult said = spec.commandLine().getParseResult();
    for (KeyspaceProperty<?> property : KeyspaceProperty.ALL) {
      Object value = said.matchedOptionValue(property.flag(), (Object) null);
      if (value instanceof Integer number) {
        body.put(property.name(), number);
      } else if (value != null && property.kind() == KeyspaceProperty.Kind.DURATION) {
        body.put(property.name(), millis(value.toString()));
      } else if (value != null) {
        body.put(property.name(), value.toString());
      }
    }
    return body;
  }

  /// A duration as people write it.
  ///
  /// @throws IllegalArgumentException if it is none
  static long millis(String text) {
    int digits = 0;
    while (digits < text.length() && Character.isDigit(text.charAt(digits))) {
      digits++;
    }
    if (digits > 0 && digits < 13) {
      long amount = Long.parseLong(text.substring(0, digits));
      long millis = 1;
      for (Unit unit : Unit.values()) {
        millis *= unit.times;
        if (unit.word().equals(text.substring(digits))) {
          return Math.multiplyExact(amount, millis);
        }
      }
      if (amount == 0 && digits == text.length()) {
        return 0;
      }
    }
    throw new IllegalArgumentException("a duration is 500ms, 90s, 15m, 12h, 30d or 0, not " + text);
  }

  /// Makes one.
  @Command(name = "create", description = "Makes a keyspace.", mixinStandardHelpOptions = true)
  static final class Create implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();
    @Spec private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", description = "its name")
    private String name = "";

    @Override
    public Integer call() throws Exception {
      return asking.keyspace("create", "created", body(name, spec));
    }
  }

  /// Changes one.
  @Command(
      name = "alter",
      description = "Changes levels, durability, time to live or timeout of a keyspace.",
      mixinStandardHelpOptions = true)
  static final class Alter implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();
    @Spec private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", description = "its name")
    private String name = "";

    @Override
    public Integer call() throws Exception {
      return asking.keyspace("alter", "altered", body(name, spec));
    }
  }

  /// All of them.
  @Command(name = "list", description = "Lists the keyspaces.", mixinStandardHelpOptions = true)
  static final class All implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Override
    public Integer call() throws Exception {
      JsonNode keyspaces = asking.get("/keyspaces");
      if (asking.printed(keyspaces)) {
        return 0;
      }
      TextTable table =
          new TextTable(
              "id",
              "name",
              "n",
              "r",
              "w",
              "zones",
              "resolution",
              "durability",
              "ttl",
              "compaction",
              "keys",
              "expiring",
              "bytes");
      for (JsonNode keyspace : keyspaces) {
        table.row(
            keyspace.path("id").asInt(),
            keyspace.path("name").asText(),
            keyspace.path("n").asInt(),
            keyspace.path("r").asInt(),
            keyspace.path("w").asInt(),
            keyspace.path("zones").asText(),
            keyspace.path("resolution").asText(),
            keyspace.path("durability").asText(),
            ttl(keyspace),
            keyspace.path("compaction").asText(),
            keyspace.path("keys").asText("?"),
            keyspace.path("expiringKeys").asText("?"),
            bytes(keyspace));
      }
      table.print(System.out);
      return 0;
    }
  }

  private static String bytes(JsonNode keyspace) {
    JsonNode bytes = keyspace.path("bytes");
    return bytes.isNumber() ? ClusterCommand.bytes(bytes.asLong()) : "?";
  }

  private static String ttl(JsonNode keyspace) {
    long millis = keyspace.path("ttlMillis").asLong();
    return millis == 0 ? "never" : duration(millis);
  }

  /// As [#millis] reads it, in the largest unit that is exact.
  static String duration(long millis) {
    long amount = millis;
    String unit = "";
    for (Unit larger : Unit.values()) {
      if (amount % larger.times != 0) {
        break;
      }
      amount /= larger.times;
      unit = larger.word();
    }
    return amount + unit;
  }

  /// Units of durations, each so many times the one before.
  private enum Unit {
    MS(1),
    S(1000),
    M(60),
    H(60),
    D(24);

    private final int times;

    Unit(int times) {
      this.times = times;
    }

    String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /// One of them.
  @Command(
      name = "describe",
      description = "Shows a keyspace and who holds it.",
      mixinStandardHelpOptions = true)
  static final class Describe implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Parameters(index = "0", description = "its name")
    private String name = "";

    @Override
    public Integer call() throws Exception {
      for (JsonNode keyspace : asking.get("/keyspaces")) {
        if (keyspace.path("name").asText().equals(name)) {
          if (!asking.printed(keyspace)) {
            keyspace
                .properties()
                .forEach(
                    field -> System.out.printf("%-14s %s%n", field.getKey(), field.getValue()));
          }
          return 0;
        }
      }
      throw new IOException("there is no keyspace " + name);
    }
  }

  /// One goes.
  @Command(
      name = "drop",
      description = "Drops a keyspace and erases what is in it.",
      mixinStandardHelpOptions = true)
  static final class Drop implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Parameters(index = "0", description = "its name")
    private String name = "";

    @Override
    public Integer call() throws Exception {
      return asking.keyspace("drop", "dropped", AdminPage.body().put("name", name));
    }
  }
}
