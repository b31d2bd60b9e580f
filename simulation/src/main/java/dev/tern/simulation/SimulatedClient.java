package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.node.Node;
import dev.tern.world.World;
import java.util.Objects;

/// One client: one request after the other, each to a random node that is up.
final class SimulatedClient {
  /// After this the answer is not waited for any more.
  private static final long PATIENCE = 3 * ClusterRun.SECOND;

  /// No request is carried out after this; its own time-out is no longer.
  private static final long LONGEST = 10 * ClusterRun.SECOND;

  private final ClusterRun run;
  private final World world;
  private final int number;
  private int operations;
  private boolean stopped;

  private final PlainClient plain;
  private final MixedClient mixed;
  private final RespClient resp;
  private final RiakClient riak;
  private final SiblingClient siblings;

  /// Counts the requests; an answer to an earlier one is recorded but starts nothing.
  private int current;

  /// Of these, those without an answer: some never get one, as their node ended.
  private int unanswered;

  /// When none of them can have an effect any more.
  private long givesUpNanos;

  /// The last request that was answered.
  private int lastAnswered;

  /// Increments of the one counter: acknowledged, and perhaps done.
  int incremented;

  int perhapsIncremented;

  SimulatedClient(ClusterRun run, int number) {
    this.run = run;
    this.world = run.world;
    this.number = number;
    this.plain = new PlainClient(run, number);
    this.mixed = new MixedClient(run, number);
    this.resp = new RespClient(run, number);
    this.riak = new RiakClient(run, number);
    this.siblings = new SiblingClient(run, number);
  }

  void stop() {
    stopped = true;
  }

  void next() {
    if (stopped) {
      return;
    }
    int mine = ++current;
    long pause = run.theme == Theme.OUTVOTED ? 12_000_000 : 30_000_000;
    world.schedule(world.between(100_000, pause), 0, () -> operate(mine));
  }

  private void operate(int mine) {
    Node node = run.node(1 + world.random.nextInt(run.nodeCount));
    if (node == null || stopped) {
      next();
      return;
    }
    long began = world.nanos();
    // What is pipelined waits for one another's time-outs.
    boolean pipelines = world.chance(run.theme == Theme.OUTVOTED ? 0.01 : 0.1);
    boolean bursts = !pipelines && world.chance(run.theme == Theme.BURSTS ? 0.3 : 0.03);
    long patience = pipelines ? PATIENCE * RespClient.MAX_PIPELINED : PATIENCE;
    unanswered++;
    givesUpNanos = Math.max(givesUpNanos, began + patience + LONGEST);
    world.schedule(
        patience,
        0,
        () -> {
          if (mine == current && mine != lastAnswered) {
            if (!bursts) {
              mustHaveAnswered(node, began);
            }
            next();
          }
        });
    int target = node.self().number();
    int shard = world.random.nextInt(run.shards(target));
    // On the node's loop: if it dies before, the request is lost.
    if (pipelines) {
      boolean redis = world.chance(0.7);
      world.schedule(
          0,
          target,
          () -> {
            if (redis) {
              resp.request(node, shard, () -> answered(mine));
            } else {
              riak.request(node, shard, () -> answered(mine));
            }
          });
      return;
    }
    if (bursts) {
      burst(node, () -> answered(mine));
      return;
    }
    boolean last = world.chance(run.theme == Theme.OUTVOTED ? 0.98 : 0.7);
    Keyspace keyspace = node.keyspace(shard, last ? "data" : "siblings");
    Runnable request =
        last
            ? () -> request(node, keyspace, mine)
            : () -> siblings.request(keyspace, () -> answered(mine));
    world.schedule(0, target, request);
  }

  /// Some requests of one key at the same time, most of them to one node.
  private void burst(Node first, Runnable answered) {
    int size = 2 + world.random.nextInt(5);
    int[] left = {size};
    String key = world.chance(0.5) ? plain.hotKey() : null;
    // Those that wait for the same round may ask for different levels.
    boolean updates = world.chance(run.theme == Theme.BURSTS ? 0.5 : 0.1);
    MixedKeys.Key shared = run.mixed.some();
    for (int i = 0; i < size; i++) {
      Node other = run.node(1 + world.random.nextInt(run.nodeCount));
      Node node = other == null || world.chance(0.6) ? first : other;
      int target = node.self().number();
      Keyspace data = node.keyspace(world.random.nextInt(run.shards(target)), "data");
      boolean[] done = {false};
      Runnable one =
          () -> {
            done[0] = true;
            if (--left[0] == 0) {
              answered.run();
            }
          };
      long delay = world.chance(0.7) ? 0 : world.between(0, 3_000_000);
      long begins = world.nanos() + delay;
      // Each node answers for what it was asked itself.
      world.schedule(
          delay + PATIENCE,
          0,
          () -> {
            if (!done[0] && !stopped) {
              mustHaveAnswered(node, begins);
            }
          });
      world.schedule(
          delay,
          target,
          key == null
              ? () -> mixed.request(data, shared, one)
              : updates
                  ? () -> plain.exchange(data, key, one)
                  : () -> plain.request(data, key, one));
    }
  }

  /// A node that has been up and about since a request came has answered it.
  private void mustHaveAnswered(Node node, long began) {
    int asked = node.self().number();
    if (run.node(asked) == node && !world.pausedSince(asked, began)) {
      throw new History.Violation(
          "node %d has not answered a request for %d ms"
              .formatted(asked, (world.nanos() - began) / 1_000_000));
    }
  }

  private void request(Node node, Keyspace keyspace, int mine) {
    if (run.theme == Theme.LEADERS && world.chance(0.5)) {
      increment(keyspace, mine);
      return;
    }
    if (run.theme == Theme.OUTVOTED && world.chance(0.9)) {
      mixed.request(keyspace, run.mixed.some(), () -> answered(mine));
      return;
    }
    if (world.chance(run.theme.brief())) {
      plain.brief(node, keyspace, () -> answered(mine));
      return;
    }
    switch (world.random.nextInt(20)) {
      case 0 -> increment(keyspace, mine);
      case 1 -> append(keyspace, mine);
      case 2, 3, 4 -> mixed.request(keyspace, run.mixed.some(), () -> answered(mine));
      case 5, 6, 7, 8, 9, 10 -> {
        if (run.theme == Theme.REGISTERS) {
          mixed.request(keyspace, run.mixed.some(), () -> answered(mine));
        } else {
          plain.request(keyspace, () -> answered(mine));
        }
      }
      default -> plain.request(keyspace, () -> answered(mine));
    }
  }

  /// Until when a request of it may still have its effect.
  long endsNanos() {
    return unanswered > 0 ? givesUpNanos : 0;
  }

  private void answered(int mine) {
    unanswered--;
    lastAnswered = Math.max(lastAnswered, mine);
    if (mine == current) {
      next();
    }
  }

  private void increment(Keyspace keyspace, int mine) {
    perhapsIncremented++;
    keyspace.update(
        "counter".getBytes(US_ASCII),
        new Update.Add(1),
        Level.DEFAULT,
        outcome -> {
          switch (outcome) {
            case UpdateOutcome.Done done -> {
              incremented++;
              run.counted(new String(Objects.requireNonNull(done.value()), US_ASCII));
            }
            case UpdateOutcome.Rejected rejected ->
                throw new History.Violation("an increment was rejected: " + rejected.why());
            case UpdateOutcome.Stored stored ->
                throw new History.Violation("nobody stored with a context");
            case Unanswered.Refused refused -> perhapsIncremented--;
            case Unanswered.Unknown unknown -> {}
          }
          answered(mine);
        });
  }

  private void append(Keyspace keyspace, int mine) {
    String token = number + "." + ++operations;
    run.tokens.tried(token);
    keyspace.update(
        "list".getBytes(US_ASCII),
        new Update.Append((token + ";").getBytes(US_ASCII)),
        Level.DEFAULT,
        outcome -> {
          switch (outcome) {
            case UpdateOutcome.Done done -> {
              run.tokens.acknowledged(token);
              run.tokens.check(new String(Objects.requireNonNull(done.value()), US_ASCII));
            }
            case UpdateOutcome.Rejected rejected ->
                throw new History.Violation("an append was rejected: " + rejected.why());
            case UpdateOutcome.Stored stored ->
                throw new History.Violation("nobody stored with a context");
            case Unanswered.Refused refused -> run.tokens.refused(token);
            case Unanswered.Unknown unknown -> {}
          }
          answered(mine);
        });
  }
}
