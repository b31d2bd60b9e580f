package dev.tern.gateway.resp;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.topology.Member;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The text of `INFO`: sections of lines, one or several of them or all.
final class Info {

  /// Sections that only `ALL` and their own name bring.
  private static final Set<String> UNUSUAL = Set.of("COMMANDSTATS");

  /// What is counted since the last `CONFIG RESETSTAT`.
  ///
  /// @param clients open connections
  record Counts(
      long clients,
      long connections,
      long commands,
      long errors,
      long hits,
      long misses,
      List<DoorStatistics.OfCommand> byCommand) {

    /// What all loops count together.
    static Counts of(List<DoorStatistics> loops) {
      List<DoorStatistics.OfCommand> byCommand = new ArrayList<>();
      for (CommandTable.Command command : CommandTable.all()) {
        DoorStatistics.OfCommand all = new DoorStatistics.OfCommand(command.name(), 0, 0, 0, 0);
        for (DoorStatistics loop : loops) {
          all = all.and(loop.of(command), 1);
        }
        byCommand.add(all);
      }
      return new Counts(
          0,
          loops.stream().mapToLong(DoorStatistics::accepted).sum(),
          loops.stream().mapToLong(DoorStatistics::commands).sum(),
          loops.stream().mapToLong(DoorStatistics::errors).sum(),
          loops.stream().mapToLong(DoorStatistics::hits).sum(),
          loops.stream().mapToLong(DoorStatistics::misses).sum(),
          List.copyOf(byCommand));
    }

    /// This less what was counted before.
    ///
    /// @param clients connections that are open now
    Counts since(Counts before, long clients) {
      List<DoorStatistics.OfCommand> since = new ArrayList<>();
      for (int i = 0; i < byCommand.size(); i++) {
        since.add(byCommand.get(i).and(before.byCommand.get(i), -1));
      }
      return new Counts(
          clients,
          connections - before.connections,
          commands - before.commands,
          errors - before.errors,
          hits - before.hits,
          misses - before.misses,
          since);
    }
  }

  private final Set<String> wanted = new HashSet<>();

  /// @param arguments of the command, its name first
  Info(List<byte[]> arguments) {
    for (int i = 1; i < arguments.size(); i++) {
      wanted.add(Arguments.word(arguments, i));
    }
    if (wanted.isEmpty()) {
      wanted.add("DEFAULT");
    }
  }

  private boolean wants(String title) {
    String section = title.toUpperCase(Locale.ROOT);
    if (wanted.contains(section) || wanted.contains("ALL") || wanted.contains("EVERYTHING")) {
      return true;
    }
    return wanted.contains("DEFAULT") && !UNUSUAL.contains(section);
  }

  /// Whether the keys must be counted first.
  boolean wantsKeyspace() {
    return wants("Keyspace");
  }

  /// Clients pass over a line that begins so; an empty section would say that there are no keys.
  private static final String NOT_COUNTED = "# not counted: a node did not answer in time\r\n";

  /// @param keys how many there are, null if that could not be found out
  Reply text(
      RedisSession session, long startedMillis, Counts counts, CountOutcome.@Nullable Count keys) {
    Map<String, String> sections = sections(session, startedMillis, counts);
    sections.put("Keyspace", keys == null ? NOT_COUNTED : keyspace(keys));
    List<String> shown = new ArrayList<>();
    sections.forEach(
        (title, lines) -> {
          if (wants(title)) {
            shown.add("# " + title + "\r\n" + lines);
          }
        });
    return new Reply.Text(String.join("\r\n", shown), true);
  }

  /// Nobody keeps a sum of expiries, so `avg_ttl` is 0, which Redis says where it does not know.
  private static String keyspace(CountOutcome.Count count) {
    return count.keys() == 0
        ? ""
        : "db0:keys=%d,expires=%d,avg_ttl=0\r\n".formatted(count.keys(), count.expiring());
  }

  private static Map<String, String> sections(
      RedisSession session, long startedMillis, Counts counts) {
    Member self = session.cluster.self();
    boolean cluster = session.isCluster();
    Map<String, String> sections = new LinkedHashMap<>();
    sections.put(
        "Server",
        "redis_version:%s\r\nredis_mode:%s\r\ntern_version:0.1.0\r\nos:%s\r\narch_bits:64\r\ntcp_port:%d\r\nrun_id:%s\r\nuptime_in_seconds:%d\r\nuptime_in_days:%d\r\n"
            .formatted(
                ServerCommands.REDIS_VERSION,
                cluster ? "cluster" : "standalone",
                System.getProperty("os.name", "?"),
                self.ports().redis(),
                self.name(),
                (session.clock.wallMillis() - startedMillis) / 1000,
                (session.clock.wallMillis() - startedMillis) / 86_400_000));
    sections.put(
        "Clients",
        "connected_clients:%d\r\nmaxclients:50000\r\nblocked_clients:0\r\ntracking_clients:0\r\n"
            .formatted(counts.clients()));
    Runtime runtime = Runtime.getRuntime();
    sections.put(
        "Memory",
        "used_memory:%d\r\nused_memory_rss:%d\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\nmem_allocator:jvm\r\n"
            .formatted(runtime.totalMemory() - runtime.freeMemory(), runtime.totalMemory()));
    sections.put(
        "Persistence",
        "loading:0\r\nasync_loading:0\r\nrdb_bgsave_in_progress:0\r\naof_enabled:1\r\naof_rewrite_in_progress:0\r\n");
    sections.put(
        "Stats",
        "total_connections_received:%d\r\ntotal_commands_processed:%d\r\nkeyspace_hits:%d\r\nkeyspace_misses:%d\r\ntotal_error_replies:%d\r\n"
            .formatted(
                counts.connections(),
                counts.commands(),
                counts.hits(),
                counts.misses(),
                counts.errors()));
    sections.put(
        "Replication",
        "role:master\r\nconnected_slaves:0\r\nmaster_replid:%s\r\nmaster_repl_offset:0\r\n"
            .formatted(self.name()));
    sections.put("CPU", "used_cpu_sys:0.0\r\nused_cpu_user:0.0\r\n");
    sections.put("Commandstats", commands(counts.byCommand()));
    sections.put("Cluster", "cluster_enabled:%d\r\n".formatted(cluster ? 1 : 0));
    return sections;
  }

  private static String commands(List<DoorStatistics.OfCommand> counts) {
    StringBuilder lines = new StringBuilder();
    for (DoorStatistics.OfCommand each : counts) {
      if (each.calls() + each.rejected() > 0) {
        lines.append(
            "cmdstat_%s:calls=%d,usec=%d,usec_per_call=%s,rejected_calls=%d,failed_calls=%d\r\n"
                .formatted(
                    each.name().toLowerCase(Locale.ROOT),
                    each.calls(),
                    each.micros(),
                    each.calls() == 0
                        ? "0.00"
                        : String.format(Locale.ROOT, "%.2f", each.micros() / (double) each.calls()),
                    each.rejected(),
                    each.failed()));
      }
    }
    return lines.toString();
  }
}
