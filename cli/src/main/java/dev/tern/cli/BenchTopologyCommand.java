package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// For how long the topology has no leader after the one there was is killed.
@Command(
    name = "topology",
    description = {
      "Starts three nodes, kills the topology log's leader (kill -9), and measures until another"
          + " leads and until a change is taken; again and again. And how long a change takes at rest."
    },
    mixinStandardHelpOptions = true)
final class BenchTopologyCommand implements Callable<Integer> {
  private static final int NODES = 3;
  private static final int OFFSET = 4_000;
  private static final int CHANGES = 200;

  @Option(names = "--rounds", description = "kills (default ${DEFAULT-VALUE})")
  private int rounds = 10;

  @Option(names = "--verbose", description = "the nodes' lines too")
  private boolean verbose;

  @Override
  public Integer call() throws Exception {
    Path dir = Files.createTempDirectory("tern-bench-topology");
    PrintStream log = verbose ? System.out : new PrintStream(OutputStream.nullOutputStream());
    List<Double> leaderless = new ArrayList<>();
    List<Double> untilChange = new ArrayList<>();
    try (LocalNodes nodes = new LocalNodes(NODES, dir, OFFSET, "sync", 0, log)) {
      nodes.start();
      List<Double> changes = new ArrayList<>();
      for (int i = 0; i < CHANGES; i++) {
        long begun = System.nanoTime();
        change(nodes.adminPort(1), i);
        changes.add(millisSince(begun));
      }
      print("a change at rest", changes);
      for (int round = 1; round <= rounds; round++) {
        int leader = leader(nodes.adminPort(1));
        int other = leader % NODES + 1;
        long begun = System.nanoTime();
        nodes.kill(leader);
        int next = leader;
        while (next == leader || next == 0) {
          next = leader(nodes.adminPort(other));
        }
        leaderless.add(millisSince(begun));
        while (!taken(nodes.adminPort(other), round)) {
          Thread.onSpinWait();
        }
        untilChange.add(millisSince(begun));
        nodes.restart(leader);
      }
    }
    print("kill -9 to a new leader", leaderless);
    print("kill -9 to a change taken", untilChange);
    return 0;
  }

  private static int leader(int admin) throws IOException {
    JsonNode log = AdminPage.get("127.0.0.1:" + admin, "/cluster").path("log");
    return log.path("leader").asInt();
  }

  private static void change(int admin, int i) throws IOException {
    AdminPage.post(
        "127.0.0.1:" + admin,
        "/cluster/weight",
        AdminPage.body().put("number", 1).put("weight", 100 + i % 2));
  }

  private static boolean taken(int admin, int round) {
    try {
      change(admin, round);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static double millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e6;
  }

  private static void print(String what, List<Double> millis) {
    List<Double> sorted = new ArrayList<>(millis);
    Collections.sort(sorted);
    int count = sorted.size();
    System.out.printf(
        "%s: min %.0f ms, median %.0f ms, max %.0f ms of %d%n",
        what, sorted.getFirst(), sorted.get(count / 2), sorted.getLast(), count);
  }
}
