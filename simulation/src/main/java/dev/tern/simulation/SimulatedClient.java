package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.Node;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import java.util.Objects;

/// One client: one request after the other, each to a random node that is up.
final class SimulatedClient {
  /// After this the answer is not waited for any more.
  private static final long PATIENCE = 3 * ClusterRun.SECOND;

  private final ClusterRun run;
  private final World world;
  private final int number;
  private final int keys;
  private int operations;
  private boolean stopped;

  private final SiblingClient siblings;

  /// Counts the requests; an answer to an earlier one is recorded but starts nothing.
  private int current;

  /// Increments of the one counter: acknowledged, and perhaps done.
  int incremented;

  int perhapsIncremented;

  SimulatedClient(ClusterRun run, int number, int keys) {
    this.run = run;
    this.world = run.world;
    this.number = number;
    this.keys = keys;
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
    world.schedule(world.between(100_000, 30_000_000), 0, () -> operate(mine));
  }

  private void operate(int mine) {
    Node node = run.node(1 + world.random.nextInt(run.nodeCount));
    if (node == null || stopped) {
      next();
      return;
    }
    world.schedule(
        PATIENCE,
        0,
        () -> {
          if (mine == current) {
            next();
          }
        });
    int target = node.self().number();
    int shard = world.random.nextInt(run.shards(target));
    // On the node's loop: if it dies before, the request is lost.
    boolean plain = world.chance(0.7);
    Keyspace keyspace = node.keyspace(shard, plain ? "data" : "siblings");
    Runnable request =
        plain
            ? () -> request(keyspace, mine)
            : () -> siblings.request(keyspace, () -> answered(mine));
    world.schedule(0, target, request);
  }

  private void request(Keyspace keyspace, int mine) {
    // A few hot keys and some others.
    int spread = world.chance(0.6) ? 3 : keys;
    String key = "key-" + world.random.nextInt(spread);
    switch (world.random.nextInt(20)) {
      case 0, 1, 2, 3, 4, 5, 6, 7 -> read(keyspace, key, mine);
      case 8, 9 -> write(keyspace, key, null, mine);
      case 10 -> increment(keyspace, mine);
      case 11 -> append(keyspace, mine);
      default -> write(keyspace, key, "c" + number + "-" + ++operations, mine);
    }
  }

  private void answered(int mine) {
    if (mine == current) {
      next();
    }
  }

  private void read(Keyspace keyspace, String key, int mine) {
    long began = world.nanos();
    boolean strict = world.chance(0.8);
    int r = strict ? run.keyspace.r() : 1;
    Level level = strict ? Level.DEFAULT : new Level(1, 0, 0);
    keyspace.read(
        key.getBytes(US_ASCII),
        level,
        outcome -> {
          int met = run.diskLost ? 0 : r;
          switch (outcome) {
            case ReadOutcome.Found found -> {
              String value = new String(found.value(), US_ASCII);
              run.history.read(key, value, began, world.nanos(), met);
            }
            case ReadOutcome.Missing missing ->
                run.history.read(key, null, began, world.nanos(), met);
            case Unanswered why -> {}
          }
          answered(mine);
        });
  }

  private void write(
      Keyspace keyspace, String key, @org.jspecify.annotations.Nullable String value, int mine) {
    History.Write write = run.history.begin(key, value, world.nanos());
    Update update =
        value == null
            ? new Update.Delete(false)
            : new Update.Put(
                value.getBytes(US_ASCII), Update.NO_EXPIRY, Update.Condition.NONE, false);
    keyspace.update(
        key.getBytes(US_ASCII),
        update,
        world.chance(0.1) ? new Level(0, 3, 0) : Level.DEFAULT,
        outcome -> {
          switch (outcome) {
            case UpdateOutcome.Done done -> {
              // A delete of what is not there writes nothing: the reads it made say no more.
              write.refused = !done.applied();
              if (done.applied()) {
                write.acknowledged(world.nanos());
              }
            }
            case UpdateOutcome.Rejected rejected ->
                throw new History.Violation("a put was rejected: " + rejected.why());
            case UpdateOutcome.Stored stored ->
                throw new History.Violation("nobody stored with a context");
            case Unanswered.Refused refused -> write.refused = true;
            case Unanswered.Unknown unknown -> {}
          }
          answered(mine);
        });
  }

  private void increment(Keyspace keyspace, int mine) {
    perhapsIncremented++;
    keyspace.update(
        "counter".getBytes(US_ASCII),
        new Update.Add(1),
        Level.DEFAULT,
        outcome -> {
          switch (outcome) {
            case UpdateOutcome.Done done -> incremented++;
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
