package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.node.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// After the heal, where siblings may be too large together for a frame: somebody reads each key at
/// all replicas and writes it with the context of that read, as an application does that merges
/// siblings. Until then replicas may differ for good.
final class SiblingMerge {
  /// A node that was down at the heal is up and knows the others by then.
  private static final long WITHIN = 20 * ClusterRun.SECOND;

  private static final long STEP_NANOS = ClusterRun.SECOND / 20;
  private static final int TIMEOUT_MILLIS = 2_000;

  private final ClusterRun run;
  private int merges;

  SiblingMerge(ClusterRun run) {
    this.run = run;
  }

  void run() {
    for (String key : SiblingClient.KEYS) {
      long until = run.world.nanos() + WITHIN;
      Object last = "nothing";
      while (!(last instanceof UpdateOutcome.Stored)) {
        if (run.world.nanos() >= until) {
          throw new History.Violation(key + ": siblings cannot be merged after the heal: " + last);
        }
        run.world.runUntil(run.world.nanos() + STEP_NANOS);
        Node node = up();
        last = node == null ? "no node is up" : merge(node, key);
      }
    }
  }

  private @Nullable Node up() {
    for (int number = 1; number <= run.nodeCount; number++) {
      Node node = run.node(number);
      if (node != null) {
        return node;
      }
    }
    return null;
  }

  private Object merge(Node node, String key) {
    byte[] bytes = key.getBytes(US_ASCII);
    Level all = new Level(0, run.shape.n(), run.shape.n(), 0, 0, 0, false, TIMEOUT_MILLIS);
    List<Object> outcomes = new ArrayList<>();
    int number = node.self().number();
    run.world.schedule(
        0, number, () -> node.keyspace(0, "siblings").fetch(bytes, all, outcomes::add));
    await(outcomes);
    if (outcomes.isEmpty() || !(outcomes.getFirst() instanceof FetchOutcome.Held held)) {
      return outcomes.isEmpty() ? "no answer" : outcomes.getFirst();
    }
    String value = "m" + ++merges;
    TreeSet<String> shown = new TreeSet<>(SiblingClient.values(held.versions()));
    SiblingHistory.Write write = run.siblings.begin(key, value, shown, run.world.nanos());
    outcomes.clear();
    Update.Store store =
        new Update.Store(
            value.getBytes(US_ASCII),
            Update.NO_EXPIRY,
            held.versions().context(),
            /* overwrites= */ false,
            Update.Match.NONE,
            /* returnVersions= */ false);
    run.world.schedule(
        0, number, () -> node.keyspace(0, "siblings").update(bytes, store, all, outcomes::add));
    await(outcomes);
    if (outcomes.isEmpty()) {
      return "no answer";
    }
    switch (outcomes.getFirst()) {
      case UpdateOutcome.Stored stored -> write.acknowledged = run.world.nanos();
      case Unanswered.Refused refused -> write.refused = true;
      default -> {}
    }
    return outcomes.getFirst();
  }

  private void await(List<Object> outcomes) {
    long until = run.world.nanos() + 3 * ClusterRun.SECOND;
    while (outcomes.isEmpty() && run.world.nanos() < until) {
      run.world.runUntil(run.world.nanos() + STEP_NANOS);
    }
  }
}
