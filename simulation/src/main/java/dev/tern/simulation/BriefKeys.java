package dev.tern.simulation;

import dev.tern.world.World;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Keys that are written a few times and only read from then on: later writes do not hide what
/// takes a value away or brings one back. All clients share them.
final class BriefKeys {
  /// More would make the last look long.
  private static final int MAX_KEYS = 40;

  /// Keys that are still written.
  private static final int UNDER_WAY = 30;

  /// From one key to the next, at most: they shall last for the run, but where those of its
  /// beginning are what counts.
  private static final long NEXT_KEY_NANOS = ClusterRun.SECOND / 2;

  /// Keys that wait for a node that reaches none of their replicas.
  private static final int WAITING = 8;

  /// Most reads are of so many keys that were written last.
  private static final int RECENT = 12;

  /// What is not answered is given up.
  private static final long PATIENCE = 3 * ClusterRun.SECOND;

  /// What is done to a key.
  enum Step {
    /// Put without a time.
    PUT,
    /// Put, to go soon.
    PUT_SOON_GONE,
    /// Put at a node that reaches none of the key's replicas.
    PUT_AWAY,
    /// Let stay for good.
    PERSIST,
    DELETE,
    READ
  }

  private static final List<List<Step>> LIVES =
      List.of(
          List.of(Step.PUT, Step.DELETE),
          List.of(Step.PUT_AWAY, Step.PUT, Step.DELETE),
          List.of(Step.PUT_SOON_GONE, Step.PUT),
          List.of(Step.PUT_SOON_GONE, Step.PERSIST));

  /// One of them.
  static final class Key {
    final String name;
    private final List<Step> life;
    private int done;
    private boolean busy;
    private long since;
    private long notBefore;

    private Key(String name, List<Step> life) {
      this.name = name;
      this.life = life;
    }

    private boolean waits() {
      return done == 0 && !life.isEmpty() && life.getFirst() == Step.PUT_AWAY;
    }

    /// The step that was taken is answered.
    void answered() {
      busy = false;
    }
  }

  /// What to do next.
  record Task(Key key, Step step) {}

  private final World world;
  private final Theme theme;
  private final List<Key> keys = new ArrayList<>();
  private final List<Key> underWay = new ArrayList<>();
  private long nextKeyNanos;

  BriefKeys(World world, Theme theme) {
    this.world = world;
    this.theme = theme;
  }

  /// A step of a key that is written, or a read of one of the others.
  ///
  /// @param isAway whether the node that is asked reaches no replica of a key
  Task next(Predicate<String> isAway) {
    underWay.removeIf(
        key -> key.busy ? world.nanos() - key.since > PATIENCE : key.done == key.life.size());
    long waiting = underWay.stream().filter(Key::waits).count();
    boolean another = keys.size() < MAX_KEYS && world.nanos() >= nextKeyNanos;
    if (another && underWay.size() - waiting < UNDER_WAY) {
      boolean soon = theme == Theme.SET_BACK;
      nextKeyNanos = world.nanos() + world.between(0, soon ? NEXT_KEY_NANOS / 5 : NEXT_KEY_NANOS);
      List<Step> life = life();
      if (life.getFirst() != Step.PUT_AWAY || waiting < WAITING) {
        Key key = new Key("brief-" + keys.size(), life);
        keys.add(key);
        underWay.add(key);
      }
    }
    Key key = world.chance(0.5) ? ready(isAway) : null;
    if (key != null) {
      key.busy = true;
      key.since = world.nanos();
      key.notBefore = world.nanos() + world.between(0, pauseNanos());
      return new Task(key, key.life.get(key.done++));
    }
    int last = keys.size();
    if (last == 0) {
      keys.add(new Key("brief-0", List.of()));
      last = 1;
    }
    int first = theme != Theme.SET_BACK && world.chance(0.7) ? Math.max(0, last - RECENT) : 0;
    return new Task(keys.get((int) world.between(first, last)), Step.READ);
  }

  private List<Step> life() {
    int first = theme == Theme.EXPIRY || theme == Theme.CLOCKS ? 2 : 0;
    int last = theme == Theme.SET_BACK || theme == Theme.SLOPPY ? 2 : LIVES.size();
    return LIVES.get((int) world.between(first, last));
  }

  /// From one step of a key to the next: a node goes away, or is copied, between them.
  private long pauseNanos() {
    return switch (theme) {
      case EXPIRY, CLOCKS -> ClusterRun.SECOND;
      case SET_BACK -> 4 * ClusterRun.SECOND;
      case ALL, SLOPPY, BURSTS, REGISTERS, LEADERS, OUTVOTED, HELD, HALF_FETCHED ->
          ClusterRun.SECOND / 5;
    };
  }

  private @Nullable Key ready(Predicate<String> isAway) {
    List<Key> ready = new ArrayList<>(underWay.size());
    for (Key key : underWay) {
      if (key.waits() && isAway.test(key.name)) {
        return key;
      }
      if (!key.busy && !key.waits() && world.nanos() >= key.notBefore) {
        ready.add(key);
      }
    }
    return ready.isEmpty() ? null : ready.get(world.random.nextInt(ready.size()));
  }
}
