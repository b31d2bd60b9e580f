package dev.tern.simulation;

import dev.tern.core.node.Node;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// Fetches that end between two pages, in runs of the theme [Theme#HALF_FETCHED], of a source whose
/// pages speak of versions that were replaced before they came to it.
///
/// ```
///   first --v1--> third, fourth        acknowledged
///         --v1--> source               late
///   client reads v1, and puts v2 over it at the source, which nobody hears
///   source --v1 was replaced--> fetching    the page with v2 would be the next one
/// ```
///
/// From then on the replica that fetched hears the others in place of the source. Whoever reads it
/// together with them must be shown v1, whatever the page said.
final class HalfFetches {
  private static final long MILLI = 1_000_000;

  /// Keys of an episode, of one partition: more than go on a page.
  private static final int KEYS = 10;

  /// What is put first is on its way to the source for so long.
  private static final long LATE_NANOS = 300 * MILLI;

  /// Something is done to all keys in this time.
  private static final long SPAN_NANOS = 50 * MILLI;

  /// Clocks are told and told again within this, and what is missing is asked for.
  private static final long FETCH_NANOS = 4 * ClusterRun.SECOND;

  /// From a page that ends a fetch to the end of the episode.
  private static final long LOOK_NANOS = 1_500 * MILLI;

  /// How often each key is read meanwhile.
  private static final int LOOKS = 3;

  /// Of the writes of this class, a number that no other client has.
  private static final int CLIENT = 400;

  private final ClusterRun run;
  private final Randomness random;
  private final SiblingClient client;

  /// Counts episodes.
  private int episodes;

  private final List<String> keys = new ArrayList<>();

  /// That of the keys.
  private int partition;

  /// Who gives the pages, and who fetches them.
  private int source;

  private int fetching;

  /// Whether the next page that speaks of what was replaced ends the fetch.
  private boolean waits;

  HalfFetches(ClusterRun run) {
    this.run = run;
    this.random = run.world.random.child("half-fetches");
    this.client = new SiblingClient(run, CLIENT);
  }

  void begin() {
    if (run.theme == Theme.HALF_FETCHED) {
      run.world.schedule(ClusterRun.SECOND / 2, 0, this::episode);
    }
  }

  private void episode() {
    if (!run.inChaos()) {
      return;
    }
    keys.clear();
    String tag = "{half-" + episodes++ + "}";
    for (int i = 0; i < KEYS; i++) {
      keys.add(tag + i);
    }
    partition = run.partitionOf(tag);
    source = 1 + random.nextInt(run.nodeCount);
    fetching = another();
    int first = another();
    for (int node = 1; node <= run.nodeCount; node++) {
      hears(node, source, false);
      cut(fetching, node, true);
    }
    run.network().slow(first, source, LATE_NANOS);
    each(0, first, (node, key) -> client.replace(node.keyspace(0, "siblings"), key, false));
    each(2 * SPAN_NANOS, first, (node, key) -> client.look(node.keyspace(0, "siblings"), key));
    each(
        4 * SPAN_NANOS,
        source,
        (node, key) -> client.replace(node.keyspace(0, "siblings"), key, false));
    long come = LATE_NANOS + 2 * SPAN_NANOS;
    run.world.schedule(
        come,
        0,
        () -> {
          run.network().slow(first, source, 0);
          waits = true;
          cut(fetching, source, false);
        });
    int mine = episodes;
    run.world.schedule(
        come + FETCH_NANOS,
        0,
        () -> {
          if (waits && mine == episodes) {
            end();
          }
        });
  }

  /// A node that is neither the source nor the one that fetches.
  private int another() {
    int node;
    do {
      node = 1 + random.nextInt(run.nodeCount);
    } while (node == source || node == fetching);
    return node;
  }

  /// A message is about to arrive.
  void arrived(int from, int to, @Nullable Message message) {
    if (!waits || from != source || to != fetching || !speaksOfReplaced(message)) {
      return;
    }
    waits = false;
    run.note("node %d fetches no more from node %d".formatted(fetching, source));
    for (int node = 1; node <= run.nodeCount; node++) {
      cut(fetching, node, node == source);
    }
    for (int i = 0; i < LOOKS; i++) {
      int reader = random.nextInt(2) == 0 ? fetching : another();
      each(
          random.nextInt(1_000) * MILLI,
          reader,
          (node, key) -> client.look(node.keyspace(0, "siblings"), key));
    }
    run.world.schedule(LOOK_NANOS, 0, this::end);
  }

  /// Whether a message is a page of the partition that tells of dots whose versions were replaced.
  private boolean speaksOfReplaced(@Nullable Message message) {
    return message instanceof Message.Repaired repaired
        && repaired.partition() == partition
        && repaired.page().answer() == RepairPage.Answer.RECORDS
        && repaired.page().covered().size() > repaired.page().records().size();
  }

  private void end() {
    waits = false;
    for (int node = 1; node <= run.nodeCount; node++) {
      cut(fetching, node, false);
      cut(source, node, false);
    }
    run.world.schedule(ClusterRun.SECOND / 2, 0, this::episode);
  }

  /// Does something to each key, at some time of a span.
  private void each(long from, int number, BiConsumer<Node, String> what) {
    for (String key : keys) {
      long nanos = from + (long) (random.nextDouble() * SPAN_NANOS);
      run.world.schedule(
          nanos,
          number,
          () -> {
            Node node = run.node(number);
            if (node != null && run.inChaos()) {
              what.accept(node, key);
            }
          });
    }
  }

  private void cut(int one, int another, boolean is) {
    hears(one, another, !is);
    hears(another, one, !is);
  }

  /// Whether what one node sends comes to another one.
  private void hears(int node, int from, boolean is) {
    run.network().cut(from, node, !is && run.inChaos());
  }
}
