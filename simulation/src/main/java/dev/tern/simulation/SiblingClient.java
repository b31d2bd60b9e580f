package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.world.SimulatedClock;
import dev.tern.world.World;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// A client of a keyspace with siblings: reads, writes with what it last read of the key or with
/// nothing, deletes.
final class SiblingClient {
  static final List<String> KEYS = List.of("sib-0", "sib-1", "sib-2", "sib-3");

  /// Two of whoever is there.
  private static final Level SLOPPY = new Level(0, 2, 0, 0, 0, 0, /* sloppy= */ true, 0);

  private static final byte[] NOTHING = {};

  /// Follows a value that shall be large.
  private static final char PADDING = ' ';

  private final ClusterRun run;
  private final World world;
  private final int number;
  private int operations;

  /// What was last shown of a key, with its context.
  private record Seen(Set<String> values, byte[] context) {}

  private final Map<String, Seen> seen = new TreeMap<>();

  SiblingClient(ClusterRun run, int number) {
    this.run = run;
    this.world = run.world;
    this.number = number;
  }

  static List<String> values(Versions versions) {
    List<String> values = new ArrayList<>();
    for (Versions.Sibling sibling : versions.siblings()) {
      if (sibling.value() != null) {
        String value = new String(sibling.value(), US_ASCII);
        int end = value.indexOf(PADDING);
        values.add(end < 0 ? value : value.substring(0, end));
      }
    }
    values.sort(null);
    return values;
  }

  /// What is stored for a value: some are large in some runs.
  private byte[] bytes(String value) {
    int most = run.siblingBytes();
    boolean large = most > 0 && world.chance(0.3);
    String padding = large ? String.valueOf(PADDING).repeat((int) world.between(1, most)) : "";
    return (value + padding).getBytes(US_ASCII);
  }

  void request(Keyspace keyspace, Runnable answered) {
    String key = KEYS.get(world.random.nextInt(KEYS.size()));
    switch (world.random.nextInt(10)) {
      case 0, 1, 2, 3 -> fetch(keyspace, key, answered);
      case 4 -> store(keyspace, key, /* deletes= */ true, Update.Match.NONE, answered);
      case 5 -> {
        boolean absent = world.chance(0.5);
        Update.Match match = absent ? Update.Match.ABSENT : Update.Match.UNMODIFIED;
        store(keyspace, key, /* deletes= */ false, match, answered);
      }
      default -> store(keyspace, key, /* deletes= */ false, Update.Match.NONE, answered);
    }
  }

  private void fetch(Keyspace keyspace, String key, Runnable answered) {
    fetch(keyspace, key, world.chance(0.8), answered);
  }

  /// Reads a key at the keyspace's level.
  void look(Keyspace keyspace, String key) {
    fetch(keyspace, key, /* strict= */ true, () -> {});
  }

  /// Writes or deletes a key at the keyspace's level, over what was last shown of it.
  void replace(Keyspace keyspace, String key, boolean deletes) {
    Seen shown = seen.getOrDefault(key, new Seen(new TreeSet<>(), NOTHING));
    String value = (deletes ? "-" : "") + "s" + number + "." + ++operations;
    SiblingHistory.Write write = run.siblings.begin(key, value, shown.values(), world.nanos());
    Update.Store store =
        new Update.Store(
            deletes ? null : bytes(value),
            Update.NO_EXPIRY,
            shown.context(),
            /* overwrites= */ false,
            Update.Match.NONE,
            /* returnVersions= */ true);
    update(keyspace, key, store, Level.DEFAULT, write, null, () -> {});
  }

  private void fetch(Keyspace keyspace, String key, boolean strict, Runnable answered) {
    long began = world.nanos();
    Level weak = world.chance(0.5) ? new Level(1, 0, 0) : SLOPPY;
    Level level = strict ? Level.DEFAULT : weak;
    int r = strict ? run.keyspace.r() : 1;
    keyspace.fetch(
        key.getBytes(US_ASCII),
        level,
        outcome -> {
          switch (outcome) {
            case FetchOutcome.Held held -> {
              List<String> values = values(held.versions());
              // Who stands in for a replica may hold what was replaced since.
              boolean all = !level.sloppy() && r + run.keyspace.w() > run.keyspace.n();
              boolean meets = all && !run.diskLost;
              run.siblings.read(key, values, began, world.nanos(), meets);
              seen.put(key, new Seen(new TreeSet<>(values), held.versions().context()));
            }
            case Unanswered why -> {}
          }
          answered.run();
        });
  }

  private void store(
      Keyspace keyspace, String key, boolean deletes, Update.Match match, Runnable answered) {
    Seen last = seen.get(key);
    byte[] foreign = world.chance(0.03) ? foreignContext(key) : null;
    boolean blind = foreign != null || last == null || world.chance(0.3);
    Seen shown =
        blind ? new Seen(new TreeSet<>(), NOTHING) : java.util.Objects.requireNonNull(last);
    String value = (deletes ? "-" : "") + "s" + number + "." + ++operations;
    // What makes sure that a key holds nothing replaces what says so, which nobody was shown.
    SiblingHistory.Write write = run.siblings.begin(key, value, shown.values(), world.nanos());
    write.expires = !deletes && world.chance(0.15);
    long soon = SimulatedClock.EPOCH_MILLIS + world.millis() + world.between(100, 5_000);
    Update.Store store =
        new Update.Store(
            deletes ? null : bytes(value),
            write.expires ? soon : Update.NO_EXPIRY,
            foreign != null ? foreign : shown.context(),
            /* overwrites= */ false,
            match,
            world.chance(0.5));
    write.sloppy = match == Update.Match.NONE && world.chance(0.5);
    Level level = write.sloppy ? new Level(0, 0, 0, 0, 0, 0, /* sloppy= */ true, 0) : Level.DEFAULT;
    update(keyspace, key, store, level, write, foreign, answered);
  }

  private void update(
      Keyspace keyspace,
      String key,
      Update.Store store,
      Level level,
      SiblingHistory.Write write,
      byte @Nullable [] foreign,
      Runnable answered) {
    keyspace.update(
        key.getBytes(US_ASCII),
        store,
        level,
        outcome -> {
          switch (outcome) {
            case UpdateOutcome.Stored stored when foreign != null ->
                throw new History.Violation(key + ": a context of another key was taken");
            case UpdateOutcome.Stored stored -> stored(key, write, stored);
            case UpdateOutcome.Done done -> throw unexpected(outcome);
            case UpdateOutcome.Rejected rejected -> throw unexpected(outcome);
            case Unanswered.Refused refused -> write.refused = true;
            case Unanswered.Unknown unknown -> {}
          }
          answered.run();
        });
  }

  /// A context of another key, null if there is none that says anything.
  private byte @Nullable [] foreignContext(String key) {
    for (Map.Entry<String, Seen> each : seen.entrySet()) {
      if (!each.getKey().equals(key) && each.getValue().context().length > 0) {
        return each.getValue().context();
      }
    }
    return null;
  }

  private void stored(String key, SiblingHistory.Write write, UpdateOutcome.Stored stored) {
    if (!stored.applied()) {
      write.refused = true;
      return;
    }
    write.acknowledged = Math.min(write.acknowledged, world.nanos());
    Versions versions = stored.versions();
    if (versions != null) {
      List<String> values = values(versions);
      boolean deletes = write.value.startsWith("-");
      boolean mayBeMissing = deletes || write.expires;
      if (!mayBeMissing && !values.contains(write.value)) {
        throw new History.Violation("%s: %s was written and not returned".formatted(key, write));
      }
      seen.put(key, new Seen(new TreeSet<>(values), versions.context()));
    }
  }

  private static History.Violation unexpected(UpdateOutcome outcome) {
    return new History.Violation("a store came to " + outcome);
  }
}
