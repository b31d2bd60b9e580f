package dev.tern.cli;

import dev.tern.core.ring.Candidate;
import dev.tern.core.ring.Plan;
import dev.tern.core.ring.Planner;
import dev.tern.core.ring.ZonePolicy;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The planner's moves against the least possible, and its time.
@Command(
    name = "planner",
    description = "Plans joins and leaves from 3 to 100 members, and a cluster of 1000.",
    mixinStandardHelpOptions = true)
final class BenchPlannerCommand implements Callable<Integer> {
  private static final int N = 3;
  private static final int LARGEST = 100;

  @Option(names = "--partitions", description = "of the sequence (default ${DEFAULT-VALUE})")
  private int partitions = 1024;

  @Option(names = "--zones", description = "members stand in turn in (default ${DEFAULT-VALUE})")
  private int zones = 3;

  @Option(names = "--rounds", description = "of the large plans (default ${DEFAULT-VALUE})")
  private int rounds = 5;

  @Override
  public Integer call() {
    sequence();
    for (int zoneCount : new int[] {1, 3, 10, 1_000}) {
      large(zoneCount);
    }
    return 0;
  }

  private static long copies(Plan plan) {
    return plan.moves().stream().filter(move -> move.to() != 0).count();
  }

  private List<Candidate> members(int count, int zoneCount, int leaving) {
    List<Candidate> members = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      members.add(new Candidate(i, "zone-" + i % zoneCount, 100, i == leaving));
    }
    return members;
  }

  private void sequence() {
    System.out.printf(
        "%d partitions, n = %d, %d zones; replicas moved, and the least possible%n"
            + "members    join   least   leave   least%n",
        partitions, N, zones);
    int[][] lists =
        Planner.plan(members(N, zones, 0), N, ZonePolicy.SPREAD, new int[partitions][0]).lists();
    long all = 0;
    long least = 0;
    for (int n = N + 1; n <= LARGEST; n++) {
      Plan join = Planner.plan(members(n, zones, 0), N, ZonePolicy.SPREAD, lists);
      Plan leave = Planner.plan(members(n, zones, n), N, ZonePolicy.SPREAD, join.lists());
      lists = join.lists();
      all += copies(join) + copies(leave);
      least += join.leastMoves() + leave.leastMoves();
      if (n <= 10 || n % 10 == 0) {
        System.out.printf(
            "%7d %7d %7d %7d %7d%n",
            n, copies(join), join.leastMoves(), copies(leave), leave.leastMoves());
      }
    }
    System.out.printf("all %d steps: %d, least %d%n%n", 2 * (LARGEST - N), all, least);
  }

  private void large(int zoneCount) {
    for (int round = 1; round <= rounds; round++) {
      long begun = cpuNanos();
      Plan fresh =
          Planner.plan(members(1_000, zoneCount, 0), N, ZonePolicy.SPREAD, new int[16_384][0]);
      long planned = cpuNanos();
      Plan join = Planner.plan(members(1_001, zoneCount, 0), N, ZonePolicy.SPREAD, fresh.lists());
      long joined = cpuNanos();
      if (round == 1 || round == rounds) {
        System.out.printf(
            "1000 members, 16384 partitions, %d zones, round %d, CPU time: new %.0f ms; a join %.0f"
                + " ms, %d moves, least %d%n",
            zoneCount,
            round,
            (planned - begun) / 1e6,
            (joined - planned) / 1e6,
            copies(join),
            join.leastMoves());
      }
    }
  }

  /// Of this thread: what else the machine does is not the planner's.
  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }
}
