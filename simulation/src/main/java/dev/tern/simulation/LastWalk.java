package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.node.Node;
import dev.tern.world.World;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// When all is quiet: a walk through all keys shows those that reads showed and no others, the
/// parts of the nodes add up to it, and every node counts so many keys.
///
/// Where a disk rots, pages may be refused and a count may be off by what one replica cannot read,
/// see docs/known-gaps.md: there only the pages that are answered are checked. Where a store lost
/// records, counts may be off by as many: one that is written before the hash trees find it counts
/// as new.
final class LastWalk {
  /// Expired keys count until they are removed, and the last writes come to all replicas.
  private static final long PATIENCE = 20 * ClusterRun.SECOND;

  private static final long STEP_NANOS = 10_000_000;

  private final ClusterRun run;
  private final World world;

  LastWalk(ClusterRun run) {
    this.run = run;
    this.world = run.world;
  }

  /// @param alive by key that no time takes away: whether the last reads have shown a value
  void check(Map<String, Boolean> alive) {
    Set<String> all = walk();
    if (all == null) {
      return;
    }
    alive.forEach(
        (key, present) -> {
          if (present != all.contains(key)) {
            throw new History.Violation(
                "after the heal a walk through the keys %s %s, and reads do not"
                    .formatted(present ? "misses" : "shows", key));
          }
        });
    if (!run.mayRot()) {
      counts(all);
    }
  }

  private void counts(Set<String> first) {
    Set<String> all = first;
    long until = world.nanos() + PATIENCE;
    @Nullable String wrong = wrong(all);
    while (wrong != null && world.nanos() < until) {
      world.runUntil(world.nanos() + ClusterRun.SECOND / 2);
      Set<String> again = walk();
      all = again == null ? all : again;
      wrong = wrong(all);
    }
    if (wrong != null) {
      throw new History.Violation("after the heal " + wrong + " although there are " + all);
    }
  }

  private @Nullable String wrong(Set<String> all) {
    long sum = 0;
    List<String> parts = new ArrayList<>();
    for (int number = 1; number <= run.nodeCount; number++) {
      long whole = count(number, Scope.CLUSTER);
      if (isWrong(whole, all)) {
        return "node %d counts %d keys".formatted(number, whole);
      }
      sum += count(number, Scope.NODE);
      parts.addAll(part(number));
    }
    if (isWrong(sum, all)) {
      return "the nodes count %d keys together".formatted(sum);
    }
    parts.sort(null);
    return parts.equals(List.copyOf(all)) ? null : "the nodes' parts are " + parts;
  }

  private boolean isWrong(long count, Set<String> all) {
    return Math.abs(count - all.size() - waiting(all)) > run.lostRecords;
  }

  /// Keys whose time has passed and whose records wait for their removal: nothing is removed for
  /// its age where a node has not been told the time, as its members' clocks disagree.
  private long waiting(Set<String> all) {
    boolean timeKnown = true;
    for (int number = 1; number <= run.nodeCount; number++) {
      Node node = run.node(number);
      timeKnown &= node != null && node.time().clocks().set();
    }
    long waiting = 0;
    for (String key : run.history.keys()) {
      waiting += !timeKnown && !all.contains(key) && isStored(key) ? 1 : 0;
    }
    return waiting;
  }

  private boolean isStored(String key) {
    try {
      Node replica = run.node(run.replicas(key)[0]);
      return replica != null
          && !replica.record(run.keyspace.id(), key.getBytes(US_ASCII)).isEmpty();
    } catch (IOException e) {
      throw new History.Violation("what is stored of " + key + " cannot be read: " + e);
    }
  }

  /// A whole walk, each page by any node; null if pages are refused where a disk rots.
  private @Nullable Set<String> walk() {
    KeyWalk walk = new KeyWalk(run);
    while (true) {
      int node = 1 + world.random.nextInt(run.nodeCount);
      if (run.node(node) != null || !run.mayRot()) {
        long began = world.nanos();
        ScanOutcome.Page page = page(node, walk.cursor(), Scope.CLUSTER);
        if (page == null) {
          return null;
        }
        if (walk.page(names(page), page.next(), began)) {
          return walk.shown();
        }
      }
    }
  }

  private List<String> part(int number) {
    List<String> keys = new ArrayList<>();
    long cursor = 0;
    do {
      ScanOutcome.Page page = page(number, cursor, Scope.NODE);
      if (page == null) {
        return keys;
      }
      keys.addAll(names(page));
      cursor = page.next();
    } while (cursor != 0);
    return keys;
  }

  private static List<String> names(ScanOutcome.Page page) {
    return page.keys().stream().map(key -> new String(key, US_ASCII)).toList();
  }

  private ScanOutcome.@Nullable Page page(int number, long cursor, Scope scope) {
    List<ScanOutcome> outcomes = new ArrayList<>();
    int count = 1 + world.random.nextInt(20);
    Keyspace keyspace = keyspace(number);
    world.schedule(0, number, () -> keyspace.scan(cursor, count, scope, outcomes::add));
    return switch (answer(number, outcomes)) {
      case ScanOutcome.Page page -> page;
      case Unanswered why when run.mayRot() -> null;
      case Unanswered why -> throw refused(number, why);
    };
  }

  private long count(int number, Scope scope) {
    List<CountOutcome> outcomes = new ArrayList<>();
    Keyspace keyspace = keyspace(number);
    world.schedule(0, number, () -> keyspace.count(scope, outcomes::add));
    return switch (answer(number, outcomes)) {
      case CountOutcome.Count count -> count.keys();
      case Unanswered why -> throw refused(number, why);
    };
  }

  private Keyspace keyspace(int number) {
    Node node = run.upNode(number);
    return node.keyspace(0, "data");
  }

  private <T> T answer(int number, List<T> outcomes) {
    long until = world.nanos() + 2 * ClusterRun.SECOND;
    while (outcomes.isEmpty() && world.nanos() < until) {
      world.runUntil(world.nanos() + STEP_NANOS);
    }
    if (outcomes.isEmpty()) {
      throw new History.Violation("no answer of node " + number + " about all keys");
    }
    return outcomes.getFirst();
  }

  private static History.Violation refused(int number, Unanswered why) {
    return new History.Violation("after the heal node " + number + " says " + why);
  }
}
