package dev.tern.cli;

import picocli.CommandLine.Command;

/// The benchmarks.
@Command(
    name = "bench",
    description = "Measures Tern, side by side with peers where they are installed.",
    mixinStandardHelpOptions = true,
    subcommands = {
      BenchRedisCommand.class,
      BenchClusterCommand.class,
      BenchQuorumCommand.class,
      BenchRepairCommand.class,
      BenchEngineCommand.class,
      BenchRaftCommand.class,
      BenchTopologyCommand.class,
      BenchGossipCommand.class,
      BenchPlannerCommand.class
    })
final class BenchCommand {}
