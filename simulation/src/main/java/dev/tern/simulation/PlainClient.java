package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.Update.Condition;
import dev.tern.core.keyspace.Update.ExpiryCondition;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.node.Node;
import dev.tern.world.SimulatedClock;
import dev.tern.world.World;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A client of the keys of a keyspace where the last write wins: puts and deletes of every kind,
/// with and without a time at which they go, at levels of every kind. [History] checks the answers.
final class PlainClient {
  /// A level that any one node satisfies, replica or not.
  private static final Level SLOPPY = new Level(0, 1, 1, 0, 0, 0, /* sloppy= */ true, 0);

  private final ClusterRun run;
  private final World world;
  private final int number;
  private int operations;

  /// By key: the context that the last fetch told.
  private final Map<String, byte[]> contexts = new TreeMap<>();

  PlainClient(ClusterRun run, int number) {
    this.run = run;
    this.world = run.world;
    this.number = number;
  }

  /// What a level comes to: replicas that a read meets, that have an acknowledged write, and that a
  /// read before a write meets; 0 for those that nothing is promised of.
  ///
  /// @param took replicas that have an acknowledged write then, whether or not reads meet them
  /// @param copies nodes that have it, replicas or not
  private record Reach(int r, int w, int updating, int took, int copies) {}

  /// Picks one of a few keys that many clients ask for.
  String hotKey() {
    return "key-" + world.random.nextInt(3);
  }

  void request(Keyspace keyspace, Runnable answered) {
    // A few hot keys and some others.
    String key = world.chance(0.6) ? hotKey() : "key-" + world.random.nextInt(run.shape.keys());
    request(keyspace, key, answered);
  }

  /// What the life of a key asks for next that is written a few times only.
  ///
  /// @param node that is asked
  void brief(Node node, Keyspace keyspace, Runnable answered) {
    BriefKeys.Task task = run.brief.next(key -> run.isAway(node, key));
    String key = task.key().name;
    Runnable then =
        () -> {
          task.key().answered();
          answered.run();
        };
    switch (task.step()) {
      case PUT -> put(keyspace, key, Update.NO_EXPIRY, Condition.NONE, false, then);
      case PUT_SOON_GONE -> {
        long expiry = SimulatedClock.EPOCH_MILLIS + world.millis() + world.between(1_000, 4_000);
        put(keyspace, key, expiry, Condition.NONE, false, then);
      }
      case PUT_AWAY -> putAway(keyspace, key, then);
      case PERSIST -> {
        History.Write write = run.history.beginExpire(key, Update.NO_EXPIRY, world.nanos());
        Update persist = new Update.Expire(Update.NO_EXPIRY, ExpiryCondition.NONE);
        update(keyspace, key, persist, write, then);
      }
      case DELETE -> delete(keyspace, key, then);
      case READ -> read(keyspace, key, answered);
    }
  }

  void request(Keyspace keyspace, String key, Runnable answered) {
    boolean expires = run.theme == Theme.EXPIRY || run.theme == Theme.CLOCKS;
    if (expires && world.chance(0.5)) {
      expiring(keyspace, key, answered);
      return;
    }
    switch (world.random.nextInt(40)) {
      case 0, 1 -> delete(keyspace, key, answered);
      case 2, 3 -> conditional(keyspace, key, answered);
      case 4 -> put(keyspace, key, Update.KEEP_EXPIRY, Condition.NONE, false, answered);
      case 5, 6 -> put(keyspace, key, expiry(), Condition.NONE, world.chance(0.2), answered);
      case 7, 8 -> expire(keyspace, key, answered);
      case 9 -> fetch(keyspace, key, answered);
      case 10 -> store(keyspace, key, answered);
      case 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22 -> {
        boolean previous = world.chance(0.05);
        put(keyspace, key, Update.NO_EXPIRY, Condition.NONE, previous, answered);
      }
      default -> read(keyspace, key, answered);
    }
  }

  /// Writes a value that expires soon, or puts off the expiry of one.
  private void expiring(Keyspace keyspace, String key, Runnable answered) {
    switch (world.random.nextInt(6)) {
      case 0, 1 -> {
        long expiry = run.theme == Theme.CLOCKS ? expiry() : soon();
        put(keyspace, key, expiry, Condition.NONE, world.chance(0.1), answered);
      }
      case 2 -> put(keyspace, key, Update.NO_EXPIRY, Condition.NONE, false, answered);
      case 3 -> expire(keyspace, key, answered);
      default -> read(keyspace, key, answered);
    }
  }

  private String value() {
    return "c" + number + "-" + ++operations;
  }

  private long soon() {
    return SimulatedClock.EPOCH_MILLIS + world.millis() + world.between(200, 2_000);
  }

  /// Picks an expiry: soon, within the error of clocks, or long after the run.
  private long expiry() {
    long inMillis =
        switch (world.random.nextInt(5)) {
          case 0, 1, 2 -> world.between(50, 5_000);
          case 3 -> world.between(10_000, 300_000);
          default -> world.between(3_600_000, 40_000_000);
        };
    return SimulatedClock.EPOCH_MILLIS + world.millis() + inMillis;
  }

  /// Picks a level: mostly that of the keyspace, else any.
  private Level level() {
    boolean sloppy = run.theme == Theme.SLOPPY && world.chance(0.5);
    if (!sloppy && world.chance(run.theme == Theme.BURSTS ? 0.4 : 0.75)) {
      return Level.DEFAULT;
    }
    int n = run.shape.n();
    if (!run.asksLess()) {
      int reads = (int) world.between(run.keyspace.r(), n + 1);
      return sloppy ? sloppy(n) : new Level(reads, (int) world.between(run.keyspace.w(), n + 1), 0);
    }
    if (run.moves() && world.chance(0.4)) {
      // What one replica alone has is what a move may lose.
      return new Level(0, 1, 0);
    }
    int r = world.random.nextInt(n + 1);
    int w = world.random.nextInt(n + 1);
    if (sloppy || world.chance(0.4)) {
      return sloppy(n);
    }
    if (world.chance(0.5)) {
      return new Level(r, w, 0);
    }
    int some = world.chance(0.5) ? 0 : 1 + world.random.nextInt(n);
    int pr = world.random.nextInt(n);
    int pw = world.random.nextInt(n);
    return new Level(some, r, w, pr, pw, world.random.nextInt(n), world.chance(0.3), 0);
  }

  private Level sloppy(int n) {
    return new Level(0, 0, world.chance(0.5) ? n : 0, 0, 0, 0, /* sloppy= */ true, 0);
  }

  private Reach reach(Level level) {
    int n = run.shape.n();
    int asked = level.n() == 0 ? n : Math.min(n, level.n());
    int r = level.reads(run.keyspace.r(), asked);
    int w = level.writes(run.keyspace.w(), asked);
    int updating = Math.max(r, asked - w + 1);
    if (level.sloppy()) {
      return new Reach(0, level.pw(), 0, level.pw(), n);
    }
    // One replica may have said it a while ago, where that is the keyspace's own promise.
    boolean cached = r == 1 && 1 + run.keyspace.w() <= n;
    if (run.moves()) {
      // A step waits for so many replicas that default levels meet one of those. A weaker read or
      // write may meet a replica of before only, until all have come to all.
      int least = run.keyspace.r();
      int met = cached || r < least ? 0 : r;
      int lasting = w < run.keyspace.w() ? 0 : w;
      return new Reach(met, lasting, updating < least ? 0 : updating, w, w);
    }
    return new Reach(cached ? 0 : r, w, updating, w, w);
  }

  /// An update with a value of its own.
  void exchange(Keyspace keyspace, String key, Runnable answered) {
    put(keyspace, key, Update.NO_EXPIRY, Condition.NONE, /* previous= */ true, answered);
  }

  private void read(Keyspace keyspace, String key, Runnable answered) {
    Level level = run.asksLess() && world.chance(0.1) ? new Level(1, 0, 0) : level();
    read(keyspace, key, level, answered);
  }

  private void read(Keyspace keyspace, String key, Level level, Runnable answered) {
    long began = world.nanos();
    int losses = run.history.losses();
    keyspace.read(
        key.getBytes(US_ASCII),
        level,
        outcome -> {
          switch (outcome) {
            case ReadOutcome.Found found ->
                saw(
                    key,
                    text(found.value()),
                    found.expiryMillis(),
                    began,
                    reach(level).r(),
                    losses);
            case ReadOutcome.Missing missing ->
                saw(key, null, History.UNKNOWN_EXPIRY, began, reach(level).r(), losses);
            case Unanswered why -> {}
          }
          answered.run();
        });
  }

  private void saw(
      String key, @Nullable String value, long expiryMillis, long began, int r, int losses) {
    saw(key, value, expiryMillis, began, r, r == 0 ? 0 : repaired(r), losses);
  }

  /// Replicas that have what a read of `r` returned: so many that no later one sees less, if these
  /// are most.
  private int repaired(int r) {
    int n = run.shape.n();
    return 2 * r > n ? n - r + 1 : 1;
  }

  private void saw(
      String key,
      @Nullable String value,
      long expiryMillis,
      long began,
      int r,
      int held,
      int losses) {
    int lost = run.history.losses() - losses;
    int met = Math.max(0, r - lost);
    int have = Math.max(0, held - lost);
    run.history.read(new History.Read(key, value, expiryMillis, began, world.nanos(), met, have));
  }

  private static @Nullable String text(byte @Nullable [] value) {
    return value == null ? null : new String(value, US_ASCII);
  }

  private void conditional(Keyspace keyspace, String key, Runnable answered) {
    Condition condition = world.chance(0.5) ? Condition.ABSENT : Condition.PRESENT;
    long expiry =
        switch (world.random.nextInt(3)) {
          case 0 -> expiry();
          case 1 -> Update.KEEP_EXPIRY;
          default -> Update.NO_EXPIRY;
        };
    put(keyspace, key, expiry, condition, world.chance(0.8), answered);
  }

  private void put(
      Keyspace keyspace,
      String key,
      long expiryMillis,
      Condition condition,
      boolean previous,
      Runnable answered) {
    String value = value();
    Update.Put put = new Update.Put(value.getBytes(US_ASCII), expiryMillis, condition, previous);
    History.Write write = run.history.begin(key, value, expiryMillis, world.nanos());
    if (world.chance(run.theme == Theme.BURSTS ? 0.2 : 0.03)) {
      // Nobody waits so long for it.
      int timeout = (int) world.between(2_000, 12_000);
      update(keyspace, key, put, new Level(0, 0, timeout), write, () -> {});
      answered.run();
      return;
    }
    update(keyspace, key, put, write, answered);
  }

  /// Puts a key at a level that one replica satisfies.
  void putAtOne(Keyspace keyspace, String key) {
    putAt(keyspace, key, new Level(0, 1, 0), () -> {});
  }

  /// Puts a key at a node that reaches none of the key's replicas.
  void putAway(Keyspace keyspace, String key, Runnable answered) {
    putAt(keyspace, key, SLOPPY, answered);
  }

  private void putAt(Keyspace keyspace, String key, Level level, Runnable answered) {
    String value = value();
    Update.Put put =
        new Update.Put(
            value.getBytes(US_ASCII),
            Update.NO_EXPIRY,
            Condition.NONE,
            /* returnPrevious= */ false);
    History.Write write = run.history.begin(key, value, 0, world.nanos());
    update(keyspace, key, put, level, write, answered);
  }

  /// Puts a key at the keyspace's level.
  void putUsual(Keyspace keyspace, String key) {
    putAt(keyspace, key, Level.DEFAULT, () -> {});
  }

  /// Reads a key at the keyspace's level.
  void readUsual(Keyspace keyspace, String key) {
    read(keyspace, key, Level.DEFAULT, () -> {});
  }

  void delete(Keyspace keyspace, String key, Runnable answered) {
    History.Write write = run.history.begin(key, null, 0, world.nanos());
    update(keyspace, key, new Update.Delete(world.chance(0.5)), write, answered);
  }

  private void expire(Keyspace keyspace, String key, Runnable answered) {
    ExpiryCondition condition =
        world.chance(0.6)
            ? ExpiryCondition.NONE
            : ExpiryCondition.values()[world.random.nextInt(ExpiryCondition.values().length)];
    if (world.chance(0.1)) {
      // A time that has passed deletes.
      History.Write write = run.history.begin(key, null, 0, world.nanos());
      Update.Expire expire = new Update.Expire(1_000, condition);
      update(keyspace, key, expire, write, answered);
      return;
    }
    long expiryMillis = world.chance(0.3) ? Update.NO_EXPIRY : expiry();
    History.Write write = run.history.beginExpire(key, expiryMillis, world.nanos());
    update(keyspace, key, new Update.Expire(expiryMillis, condition), write, answered);
  }

  private void update(
      Keyspace keyspace, String key, Update update, History.Write write, Runnable answered) {
    update(keyspace, key, update, level(), write, answered);
  }

  private void update(
      Keyspace keyspace,
      String key,
      Update update,
      Level level,
      History.Write write,
      Runnable answered) {
    Reach reach = reach(level);
    int losses = run.history.losses();
    if (update.blind() && !level.sloppy() && update instanceof Update.Put put) {
      run.blindPut(text(put.value()), reach.took());
    }
    keyspace.update(
        key.getBytes(US_ASCII),
        update,
        level,
        outcome -> {
          switch (outcome) {
            case UpdateOutcome.Done done -> done(key, update, write, done, reach, losses);
            case UpdateOutcome.Rejected rejected ->
                throw new History.Violation("a put was rejected: " + rejected.why());
            case UpdateOutcome.Stored stored ->
                throw new History.Violation("nobody stored with a context");
            case Unanswered.Refused refused -> write.refused = true;
            case Unanswered.Unknown unknown -> {}
          }
          answered.run();
        });
  }

  private void done(
      String key,
      Update update,
      History.Write write,
      UpdateOutcome.Done done,
      Reach reach,
      int losses) {
    String before = text(done.value());
    if (update instanceof Update.Expire && done.applied() && write.keepsValue()) {
      run.history.kept(write, java.util.Objects.requireNonNull(before));
    }
    // What was not applied says what a read says: it is what it found that counts.
    write.refused = !done.applied();
    int met = update.blind() ? 0 : reach.updating();
    // What an update wrote over may have been at the leader only.
    int held = done.applied() ? Math.min(reach.w(), repaired(met)) : repaired(met);
    if (tells(update) && (done.existed() == (before != null))) {
      saw(key, before, History.UNKNOWN_EXPIRY, write.began, met, held, losses);
    } else if (!update.blind() && !done.existed()) {
      saw(key, null, History.UNKNOWN_EXPIRY, write.began, met, held, losses);
    }
    if (done.applied()) {
      int newer = update.blind() ? reach.w() : reach.updating();
      run.history.acknowledged(key, write, world.nanos(), reach.w(), reach.copies(), newer);
      if (update instanceof Update.Put put && losses == run.history.losses()) {
        run.isHeld(key, text(put.value()), reach.took());
      }
    }
  }

  /// Whether the outcome of an update carries the value before.
  private static boolean tells(Update update) {
    return switch (update) {
      case Update.Put put -> put.returnPrevious();
      case Update.Delete delete -> delete.returnPrevious();
      case Update.Expire expire -> true;
      case Update.Add add -> false;
      case Update.AddDecimal add -> false;
      case Update.Append append -> false;
      case Update.Store store -> false;
    };
  }

  private void fetch(Keyspace keyspace, String key, Runnable answered) {
    long began = world.nanos();
    int losses = run.history.losses();
    keyspace.fetch(
        key.getBytes(US_ASCII),
        Level.DEFAULT,
        outcome -> {
          switch (outcome) {
            case FetchOutcome.Held held -> {
              boolean any = held.versions().hasValue();
              var newest = any ? held.versions().siblings().getFirst() : null;
              String value = newest == null ? null : text(newest.value());
              long expiry = newest == null ? History.UNKNOWN_EXPIRY : newest.expiryMillis();
              saw(key, value, expiry, began, reach(Level.DEFAULT).r(), losses);
              contexts.put(key, held.versions().context());
            }
            case Unanswered why -> {}
          }
          answered.run();
        });
  }

  /// A context of another key, null if there is none that says anything.
  private byte @Nullable [] foreignContext(String key) {
    for (Map.Entry<String, byte[]> each : contexts.entrySet()) {
      if (!each.getKey().equals(key) && each.getValue().length > 0) {
        return each.getValue();
      }
    }
    return null;
  }

  /// A write that the context of an earlier fetch must allow; that of another key must not.
  private void store(Keyspace keyspace, String key, Runnable answered) {
    byte[] foreign = world.chance(0.1) ? foreignContext(key) : null;
    byte[] context = foreign != null ? foreign : contexts.get(key);
    Update.Match match =
        context == null || world.chance(0.3)
            ? Update.Match.ABSENT
            : world.chance(0.7) ? Update.Match.UNMODIFIED : Update.Match.NONE;
    String value = value();
    Update.Store store =
        new Update.Store(
            value.getBytes(US_ASCII),
            Update.NO_EXPIRY,
            context == null ? new byte[0] : context,
            /* overwrites= */ world.chance(0.3),
            match,
            world.chance(0.5));
    History.Write write = run.history.begin(key, value, 0, world.nanos());
    Level level = level();
    Reach reach = reach(level);
    int losses = run.history.losses();
    keyspace.update(
        key.getBytes(US_ASCII),
        store,
        level,
        outcome -> {
          switch (outcome) {
            case UpdateOutcome.Stored stored when foreign != null ->
                throw new History.Violation(key + ": a context of another key was taken");
            case UpdateOutcome.Stored stored -> {
              write.refused = !stored.applied();
              boolean blind = match == Update.Match.NONE;
              if (stored.applied() && match == Update.Match.ABSENT) {
                int held = Math.min(reach.w(), repaired(reach.updating()));
                saw(key, null, History.UNKNOWN_EXPIRY, write.began, reach.updating(), held, losses);
              }
              if (stored.applied()) {
                int newer = blind ? reach.w() : reach.updating();
                run.history.acknowledged(
                    key, write, world.nanos(), reach.w(), reach.copies(), newer);
              }
            }
            case UpdateOutcome.Done done -> throw new History.Violation("a store came to " + done);
            case UpdateOutcome.Rejected why ->
                throw new History.Violation("a store was rejected: " + why);
            case Unanswered.Refused refused -> write.refused = true;
            case Unanswered.Unknown unknown -> {}
          }
          answered.run();
        });
  }
}
