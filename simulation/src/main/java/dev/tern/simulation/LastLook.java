package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.Node;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// After the heal: every key is read at r = n through every node; each must answer, all alike, and
/// nothing acknowledged may be missing.
final class LastLook {
  private final ClusterRun run;
  private final List<SimulatedClient> clients;

  LastLook(ClusterRun run, List<SimulatedClient> clients) {
    this.run = run;
    this.clients = clients;
  }

  void run() {
    for (String key : run.history.keys()) {
      String first = null;
      for (int node = 1; node <= run.nodeCount; node++) {
        long began = run.world.nanos();
        String value = read(node, key);
        run.history.read(key, value, began, run.world.nanos(), true);
        if (node > 1 && !Objects.equals(first, value)) {
          throw new History.Violation(
              "%s: node 1 says %s, node %d says %s".formatted(key, first, node, value));
        }
        first = value;
      }
    }
    counter();
  }

  private void counter() {
    String value = read(1, "counter");
    long counted = value == null ? 0 : Long.parseLong(value);
    long acknowledged = clients.stream().mapToLong(client -> client.incremented).sum();
    long tried = clients.stream().mapToLong(client -> client.perhapsIncremented).sum();
    if (counted > tried) {
      throw new History.Violation(
          "the counter says %d after %d increments".formatted(counted, tried));
    }
    if (counted < acknowledged && !run.suspicionsMayBeFalse()) {
      throw new History.Violation(
          "the counter says %d although %d increments were acknowledged"
              .formatted(counted, acknowledged));
    }
  }

  private @Nullable String read(int number, String key) {
    Node node = Objects.requireNonNull(run.node(number), "all nodes are up after the heal");
    List<ReadOutcome> outcomes = new ArrayList<>();
    node.keyspace(0, "data").read(key.getBytes(US_ASCII), new Level(3, 0, 0), outcomes::add);
    run.world.runUntil(run.world.nanos() + 2 * ClusterRun.SECOND);
    if (outcomes.isEmpty()) {
      throw new History.Violation(key + ": no answer after the heal");
    }
    return switch (outcomes.getFirst()) {
      case ReadOutcome.Found found -> new String(found.value(), US_ASCII);
      case ReadOutcome.Missing missing -> null;
      case Unanswered why ->
          throw new History.Violation(key + ": after the heal node " + number + " says " + why);
    };
  }
}
