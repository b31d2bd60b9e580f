package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.Update.Condition;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.simulation.Linearizability.Effect;
import dev.tern.simulation.Linearizability.Operation;
import dev.tern.simulation.Linearizability.Value;
import dev.tern.world.World;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A client that puts blindly, adds, deletes and puts under a condition, or gets and puts at
/// [dev.tern.core.keyspace.Level#LINEARIZABLE], each on one key at a time that it shares with the
/// others: what they come to together must be linearizable.
final class MixedClient {
  private final World world;
  private final Theme theme;
  private final int number;
  private int operations;

  MixedClient(ClusterRun run, int number) {
    this.world = run.world;
    this.theme = run.theme;
    this.number = number;
  }

  /// Of what [#change] chooses from: one blind put, an exchange, puts if absent, a delete.
  private static final int[] OUTVOTED = {0, 3, 4, 4, 4, 5};

  private static Value add(@Nullable String before) {
    return new Value(Long.toString((before == null ? 0 : Long.parseLong(before)) + 1));
  }

  /// Requires a value before, and does what is done if it is not known what was there.
  private static Effect after(@Nullable String required, Effect effect) {
    return before ->
        Objects.equals(before, required) ? effect.on(before) : Linearizability.IMPOSSIBLE;
  }

  void request(Keyspace keyspace, MixedKeys.Key key, Runnable answered) {
    switch (key.kind()) {
      case REGISTER -> {
        if (world.chance(0.5)) {
          get(keyspace, key, answered);
        } else {
          put(keyspace, key, answered);
        }
      }
      case REGISTER_UPDATED -> {
        if (theme == Theme.OUTVOTED && world.chance(0.1)) {
          // It brings what it finds to other replicas without a ballot, as anti-entropy does.
          byte[] name = key.name().getBytes(US_ASCII);
          keyspace.read(name, Level.DEFAULT, outcome -> answered.run());
        } else if (world.chance(theme == Theme.OUTVOTED ? 0.4 : 0.3)) {
          get(keyspace, key, answered);
        } else {
          change(keyspace, key, answered);
        }
      }
      case UPDATES -> change(keyspace, key, answered);
    }
  }

  private void get(Keyspace keyspace, MixedKeys.Key key, Runnable answered) {
    Effect nothing = Value::new;
    Operation operation = key.history().begin("get", world.nanos(), nothing);
    keyspace.read(
        key.name().getBytes(US_ASCII),
        key.level(),
        outcome -> {
          switch (outcome) {
            case ReadOutcome.Found found -> got(operation, new String(found.value(), US_ASCII));
            case ReadOutcome.Missing missing -> got(operation, null);
            case Unanswered why -> operation.refused();
          }
          answered.run();
        });
  }

  private void got(Operation operation, @Nullable String value) {
    operation.answered(world.nanos(), "" + value, after(value, Value::new));
  }

  /// Sums of it and of what others put are told apart.
  private String value() {
    return Long.toString((100_000L * (number + 1) + ++operations) * 1_000_000);
  }

  private void put(Keyspace keyspace, MixedKeys.Key key, Runnable answered) {
    String value = value();
    Effect puts = before -> new Value(value);
    Update put = new Update.Put(value.getBytes(US_ASCII), Update.NO_EXPIRY, Condition.NONE, false);
    update(keyspace, key, put, puts, done -> puts, answered);
  }

  private void change(Keyspace keyspace, MixedKeys.Key key, Runnable answered) {
    String value = value();
    byte[] bytes = value.getBytes(US_ASCII);
    Effect puts = before -> new Value(value);
    switch (theme == Theme.OUTVOTED
        ? OUTVOTED[world.random.nextInt(6)]
        : world.random.nextInt(10)) {
      case 0, 1, 2 -> {
        Update put = new Update.Put(bytes, Update.NO_EXPIRY, Condition.NONE, false);
        update(keyspace, key, put, puts, done -> puts, answered);
      }
      case 3 -> {
        Update put = new Update.Put(bytes, Update.NO_EXPIRY, Condition.NONE, true);
        update(keyspace, key, put, puts, done -> after(text(done), puts), answered);
      }
      case 4 -> {
        Update put = new Update.Put(bytes, Update.NO_EXPIRY, Condition.ABSENT, true);
        Effect ifAbsent = before -> new Value(before == null ? value : before);
        update(keyspace, key, put, ifAbsent, done -> after(text(done), ifAbsent), answered);
      }
      case 5 -> {
        Effect deletes = before -> new Value(null);
        Update delete = new Update.Delete(true);
        update(keyspace, key, delete, deletes, done -> after(text(done), deletes), answered);
      }
      default ->
          update(
              keyspace,
              key,
              new Update.Add(1),
              MixedClient::add,
              done ->
                  before -> {
                    Value sum = add(before);
                    return Objects.equals(sum.value(), text(done))
                        ? sum
                        : Linearizability.IMPOSSIBLE;
                  },
              answered);
    }
  }

  private static String value(Update update) {
    return new String(((Update.Put) update).value(), US_ASCII);
  }

  private static @Nullable String text(UpdateOutcome.Done done) {
    byte[] value = done.value();
    return value == null ? null : new String(value, US_ASCII);
  }

  /// What an outcome says that an operation did.
  private interface Told {
    Effect of(UpdateOutcome.Done done);
  }

  private void update(
      Keyspace keyspace,
      MixedKeys.Key key,
      Update update,
      Effect ifUnknown,
      Told told,
      Runnable answered) {
    boolean puts = update instanceof Update.Put;
    String name = update.getClass().getSimpleName() + " " + (puts ? value(update) : number);
    Operation operation = key.history().begin(name, world.nanos(), ifUnknown);
    keyspace.update(
        key.name().getBytes(US_ASCII),
        update,
        key.level(),
        outcome -> {
          switch (outcome) {
            case UpdateOutcome.Done done -> {
              String what = done.value() == null ? "" + done.existed() : text(done);
              operation.answered(world.nanos(), what + "", told.of(done));
            }
            case UpdateOutcome.Rejected rejected ->
                throw new History.Violation("an update was rejected: " + rejected.why());
            case UpdateOutcome.Stored stored ->
                throw new History.Violation("nobody stored with a context");
            case Unanswered.Refused refused -> operation.refused();
            case Unanswered.Unknown unknown -> key.history().lost();
          }
          answered.run();
        });
  }
}
