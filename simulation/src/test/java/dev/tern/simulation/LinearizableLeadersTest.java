package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.env.Randomness;
import dev.tern.simulation.Linearizability.Effect;
import dev.tern.simulation.Linearizability.Operation;
import dev.tern.simulation.Linearizability.Value;
import dev.tern.simulation.Linearizability.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Gets, puts and updates at LINEARIZABLE while replicas disagree about who leads: paths between
/// two of them end, in one direction or both, and the first replica of the key starts again. What
/// clients saw of each key must have an order.
class LinearizableLeadersTest {
  private static final long MILLI = Cluster.MILLI;
  private static final int NODES = 3;
  private static final int CLIENTS = 6;
  private static final int EPISODES = 3;

  /// Of one key, so that its history can be searched.
  private static final int MAX_OPERATIONS = 50;

  private static final int MAX_LOST = 5;

  /// One seed's run.
  private static final class Run {
    final Cluster cluster;
    final Script script;
    final Randomness random;
    final List<Linearizability> histories = new ArrayList<>();
    final boolean[] down = new boolean[NODES + 1];
    final int[] life = new int[NODES + 1];
    Linearizability history = new Linearizability();
    String key = "";
    int begun;
    int lost;
    int values;
    boolean stopped;

    Run(long seed, PlantedBug planted) {
      this.cluster = new Cluster(NODES, planted);
      this.script = new Script(cluster, NODES);
      this.random = Randomness.of(seed);
      nextKey();
    }

    /// All keys are of one slot: one list of replicas.
    private void nextKey() {
      key = "{k}" + histories.size();
      history = new Linearizability();
      histories.add(history);
      begun = 0;
      lost = 0;
    }

    private void client(int node) {
      int ofLife = life[node];
      cluster.world.schedule(
          random.nextInt(12) * MILLI,
          0,
          () -> {
            if (!stopped && !down[node] && life[node] == ofLife) {
              cluster.world.schedule(0, node, () -> request(node));
            }
          });
    }

    private static Effect requires(@Nullable String before, Effect effect) {
      return value -> Objects.equals(value, before) ? effect.on(value) : Linearizability.IMPOSSIBLE;
    }

    private void request(int node) {
      if (begun++ >= MAX_OPERATIONS || lost >= MAX_LOST) {
        nextKey();
      }
      Keyspace data = cluster.node(node).keyspace(0, "data");
      String value = "v" + ++values;
      byte[] bytes = value.getBytes(US_ASCII);
      Effect puts = before -> new Value(value);
      Effect ifAbsent = before -> new Value(before == null ? value : before);
      Effect deletes = before -> new Value(null);
      switch (random.nextInt(11)) {
        case 0, 1, 2, 3 -> get(node, data);
        case 4 -> {
          Update put =
              new Update.Put(
                  bytes, Update.NO_EXPIRY, Update.Condition.NONE, /* returnPrevious= */ false);
          update(node, data, "put " + value, put, puts, false);
        }
        case 5 -> {
          Update swap =
              new Update.Put(
                  bytes, Update.NO_EXPIRY, Update.Condition.NONE, /* returnPrevious= */ true);
          update(node, data, "swap " + value, swap, puts, true);
        }
        case 10 ->
            // It brings what it finds to other replicas without a ballot, as anti-entropy does.
            data.read(key.getBytes(US_ASCII), Level.DEFAULT, outcome -> client(node));
        case 6 -> update(node, data, "delete", new Update.Delete(true), deletes, true);
        default -> {
          Update put =
              new Update.Put(
                  bytes, Update.NO_EXPIRY, Update.Condition.ABSENT, /* returnPrevious= */ true);
          update(node, data, "if absent " + value, put, ifAbsent, true);
        }
      }
    }

    private void get(int node, Keyspace data) {
      Operation operation = history.begin("get " + node, cluster.world.nanos(), Value::new);
      data.read(
          key.getBytes(US_ASCII),
          Level.LINEARIZABLE,
          outcome -> {
            switch (outcome) {
              case ReadOutcome.Found found -> got(operation, new String(found.value(), US_ASCII));
              case ReadOutcome.Missing missing -> got(operation, null);
              case Unanswered why -> operation.refused();
            }
            client(node);
          });
    }

    private void got(Operation operation, @Nullable String value) {
      operation.answered(cluster.world.nanos(), "" + value, requires(value, Value::new));
    }

    private void update(
        int node, Keyspace data, String name, Update update, Effect effect, boolean tells) {
      Linearizability of = history;
      Operation operation = of.begin(name + " " + node, cluster.world.nanos(), effect);
      data.update(
          key.getBytes(US_ASCII),
          update,
          Level.LINEARIZABLE,
          outcome -> {
            switch (outcome) {
              case UpdateOutcome.Done done -> {
                byte[] value = done.value();
                String before = value == null ? null : new String(value, US_ASCII);
                Effect did = tells ? requires(before, effect) : effect;
                operation.answered(cluster.world.nanos(), tells ? "" + before : "done", did);
              }
              case UpdateOutcome.Rejected no -> throw new IllegalStateException("rejected");
              case UpdateOutcome.Stored no -> throw new IllegalStateException("stored");
              case Unanswered.Refused no -> operation.refused();
              case Unanswered.Unknown unknown -> lost += of == history ? 1 : 0;
            }
            client(node);
          });
    }

    private void start(int node) {
      cluster.start(node);
      down[node] = false;
      clients(node);
    }

    private void clients(int node) {
      for (int client = 0; client < CLIENTS / NODES; client++) {
        client(node);
      }
    }

    private void end(int node) {
      down[node] = true;
      life[node]++;
      lost += CLIENTS / NODES;
      cluster.end(node);
    }

    /// Links that are slow for some time each.
    private void links(long millis) {
      for (long left = millis; left > 0; left -= 100) {
        int from = 1 + random.nextInt(NODES);
        int to = 1 + random.nextInt(NODES);
        cluster.network.slow(from, to, random.nextInt(3) > 0 ? random.nextInt(80) * MILLI : 0);
        cluster.runFor(100 * MILLI);
      }
    }

    /// @return histories that have no order
    int impossible() {
      for (int node = 1; node <= NODES; node++) {
        clients(node);
      }
      int[] replicas = script.replicas("data", key);
      for (int episode = 0; episode < EPISODES; episode++) {
        links(500);
        if (random.nextInt(3) == 0) {
          end(replicas[0]);
          links(1_500);
          start(replicas[0]);
          links(2_500);
        } else {
          int other = replicas[1 + random.nextInt(NODES - 1)];
          boolean both = random.nextInt(2) == 0;
          cluster.network.cut(replicas[0], other, true);
          cluster.network.cut(other, replicas[0], both);
          links(4_000);
          cluster.network.heal();
          links(1_500);
        }
      }
      stopped = true;
      cluster.network.heal();
      cluster.runFor(10_000 * MILLI);
      int impossible = 0;
      for (Linearizability each : histories) {
        if (each.verdict() == Verdict.IMPOSSIBLE) {
          impossible++;
          conflict = each.conflict();
        }
      }
      return impossible;
    }

    String conflict = "";
  }

  @Test
  void whatClientsSeeHasAnOrderWhileLeadersChange() {
    long confirmed = 0;
    int seeds = 12 * Integer.getInteger("proof", 1);
    for (int seed = 1; seed <= seeds; seed++) {
      Run run = new Run(seed, PlantedBug.NONE);
      int impossible = run.impossible();
      assertEquals(0, impossible, "seed " + seed + ": " + run.conflict);
      confirmed += run.script.counted(Counter.CONFIRMED_READS);
      assertTrue(run.histories.size() > 20, run.histories.size() + " keys");
    }
    assertTrue(confirmed > 0);
  }

  @Test
  void withoutConfirmationItHasNone() {
    int impossible = 0;
    for (int seed = 1; seed <= 12; seed++) {
      impossible += new Run(seed, PlantedBug.READ_SHOWS_OUTVOTED).impossible();
    }
    assertTrue(impossible > 0);
  }
}
