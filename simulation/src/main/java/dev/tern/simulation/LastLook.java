package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.node.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// After the heal: every key is read at r = n through every node; each must answer, all alike, and
/// nothing acknowledged may be missing. Then every node must take writes again.
///
/// Where a disk rots, one node may be missing for good, or refuse what it cannot read: reads ask
/// two.
final class LastLook {
  private static final long STEP_NANOS = 10_000_000;

  /// Where few requests are too many at a time, writes are tried again for so long.
  private static final long PATIENCE = 3 * ClusterRun.SECOND;

  private static final int WRITES = 4;

  private final ClusterRun run;
  private final List<SimulatedClient> clients;
  private final int r;

  /// By key that no time takes away: whether it has shown a value.
  private final Map<String, Boolean> alive = new TreeMap<>();

  LastLook(ClusterRun run, List<SimulatedClient> clients) {
    this.run = run;
    this.clients = clients;
    this.r = run.mayRot() ? run.shape.n() - 1 : run.shape.n();
  }

  void run() {
    for (SimulatedClient client : clients) {
      // What is still under way may be done between two of these reads.
      run.world.runUntil(Math.max(run.world.nanos(), client.endsNanos()));
    }
    for (String key : run.history.keys()) {
      String first = null;
      boolean any = false;
      for (int node = 1; node <= run.nodeCount; node++) {
        if (run.node(node) == null && run.mayRot()) {
          continue;
        }
        long began = run.world.nanos();
        ReadOutcome outcome = read(node, key);
        String value = text(outcome);
        long expiry =
            outcome instanceof ReadOutcome.Found found
                ? found.expiryMillis()
                : History.UNKNOWN_EXPIRY;
        run.history.read(new History.Read(key, value, expiry, began, run.world.nanos(), r, r));
        if (value != null) {
          run.isNewest(key, value);
        }
        boolean alike =
            Objects.equals(first, value)
                || (first == null || value == null)
                    && run.history.mayExpire(key, first == null ? value : first);
        if (any && !alike) {
          throw new History.Violation(
              "%s: one node says %s, node %d says %s".formatted(key, first, node, value));
        }
        first = value;
        any = true;
        if (!run.history.mayExpire(key, value)) {
          alive.put(key, value != null);
        } else {
          alive.remove(key);
        }
      }
    }
    for (String key : run.siblings.keys()) {
      siblings(key);
    }
    counter();
    tokens();
    mixed();
    new LastWalk(run).check(alive);
    for (int node = 1; node <= run.nodeCount; node++) {
      if (run.node(node) != null || !run.mayRot()) {
        write(node);
      }
    }
  }

  private void siblings(String key) {
    List<String> first = null;
    for (int node = 1; node <= run.nodeCount; node++) {
      if (run.node(node) == null && run.mayRot()) {
        continue;
      }
      long began = run.world.nanos();
      List<String> values = fetch(node, key);
      run.siblings.read(
          key, values, began, run.world.nanos(), /* strict= */ true, /* last= */ true);
      List<String> lasting = run.siblings.lasting(key, values);
      if (first != null && !first.equals(lasting)) {
        throw new History.Violation(
            "%s: one node says %s, node %d says %s".formatted(key, first, node, lasting));
      }
      first = lasting;
    }
  }

  private List<String> fetch(int number, String key) {
    Node node = run.upNode(number);
    List<FetchOutcome> outcomes = new ArrayList<>();
    run.world.schedule(
        0,
        number,
        () ->
            node.keyspace(0, "siblings")
                .fetch(key.getBytes(US_ASCII), new Level(r, 0, 0), outcomes::add));
    await(outcomes, 1);
    if (outcomes.isEmpty()) {
      throw new History.Violation(key + ": no answer after the heal");
    }
    return switch (outcomes.getFirst()) {
      case FetchOutcome.Held held -> SiblingClient.values(held.versions());
      case Unanswered why ->
          throw new History.Violation(key + ": after the heal node " + number + " says " + why);
    };
  }

  private int anyNode() {
    int node = 1;
    while (run.node(node) == null) {
      node++;
    }
    return node;
  }

  private void counter() {
    String value = text(read(anyNode(), "counter"));
    long counted = value == null ? 0 : Long.parseLong(value);
    long acknowledged = clients.stream().mapToLong(client -> client.incremented).sum();
    long tried = clients.stream().mapToLong(client -> client.perhapsIncremented).sum();
    if (counted > tried) {
      throw new History.Violation(
          "the counter says %d after %d increments".formatted(counted, tried));
    }
    if (counted < acknowledged && !run.diskLost) {
      throw new History.Violation(
          "the counter says %d although %d increments were acknowledged"
              .formatted(counted, acknowledged));
    }
  }

  /// What came of blind puts and updates together can have come of them in some order.
  private void mixed() {
    for (MixedKeys.Key key : run.mixed.all()) {
      boolean ordered = key.kind() != MixedKeys.Kind.UPDATES || run.shape.ordersWrites();
      if (!ordered) {
        continue;
      }
      key.history().mayRepeat(name -> run.mintedTwice(name.substring(name.indexOf(' ') + 1)));
      long began = run.world.nanos();
      String value = text(read(anyNode(), key.name()));
      Linearizability history = key.history();
      Linearizability.Effect get =
          before ->
              Objects.equals(before, value)
                  ? new Linearizability.Value(before)
                  : Linearizability.IMPOSSIBLE;
      history.begin("get", began, get).answered(run.world.nanos(), "" + value, get);
      if (history.verdict() == Linearizability.Verdict.IMPOSSIBLE) {
        throw new History.Violation(key.name() + " is not linearizable: " + history.conflict());
      }
    }
  }

  private void tokens() {
    String value = text(read(anyNode(), "list"));
    run.tokens.check(value == null ? "" : value);
    if (!run.diskLost) {
      run.tokens.checkAll(value == null ? "" : value);
    }
  }

  private static @Nullable String text(ReadOutcome outcome) {
    return outcome instanceof ReadOutcome.Found found ? new String(found.value(), US_ASCII) : null;
  }

  private ReadOutcome read(int number, String key) {
    Node node = run.upNode(number);
    List<ReadOutcome> outcomes = new ArrayList<>();
    run.world.schedule(
        0,
        number,
        () ->
            node.keyspace(0, "data")
                .read(key.getBytes(US_ASCII), new Level(r, 0, 0), outcomes::add));
    await(outcomes, 1);
    if (outcomes.isEmpty()) {
      throw new History.Violation(key + ": no answer after the heal");
    }
    return switch (outcomes.getFirst()) {
      case ReadOutcome.Found found -> found;
      case ReadOutcome.Missing missing -> missing;
      case Unanswered why ->
          throw new History.Violation(key + ": after the heal node " + number + " says " + why);
    };
  }

  private void await(List<?> outcomes, int wanted) {
    long until = run.world.nanos() + 2 * ClusterRun.SECOND;
    while (outcomes.size() < wanted && run.world.nanos() < until) {
      run.world.runUntil(run.world.nanos() + STEP_NANOS);
    }
  }

  private void write(int number) {
    Node node = run.upNode(number);
    int done = 0;
    long until = run.world.nanos() + PATIENCE;
    while (done < WRITES) {
      List<UpdateOutcome> outcomes = writes(node, done);
      for (UpdateOutcome outcome : outcomes) {
        boolean busy =
            outcome instanceof Unanswered.Refused refused
                && refused.reason() == Unanswered.Reason.OVERLOADED
                && run.world.nanos() < until;
        done += outcome instanceof UpdateOutcome.Done ? 1 : 0;
        if (!busy && !(outcome instanceof UpdateOutcome.Done)) {
          throw new History.Violation("after the heal node " + number + " says " + outcome);
        }
      }
      if (outcomes.isEmpty()) {
        throw new History.Violation("after the heal node " + number + " does not take a write");
      }
    }
  }

  /// Writes that have not been done yet, all at a time, and what came of them.
  private List<UpdateOutcome> writes(Node node, int done) {
    int number = node.self().number();
    List<UpdateOutcome> outcomes = new ArrayList<>();
    Level all = new Level(0, r, 0);
    for (int i = done; i < WRITES; i++) {
      byte[] key = ("after-" + i).getBytes(US_ASCII);
      byte[] value = ("last-" + number + "-" + i).getBytes(US_ASCII);
      Update put = new Update.Put(value, Update.NO_EXPIRY, Update.Condition.NONE, false);
      run.world.schedule(
          0, number, () -> node.keyspace(0, "data").update(key, put, all, outcomes::add));
    }
    await(outcomes, WRITES - done);
    return outcomes.size() < WRITES - done ? List.of() : outcomes;
  }
}
