package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.quorum.Statistics.Counter;
import dev.tern.env.Network;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Answers that no frame takes: pages are cut before, and who asks for what is larger is told so.
class LargeAnswersTest {
  private static final long SECOND = Cluster.SECOND;

  @Test
  void pagesOfAScanWithLargeKeysAreCut() {
    Cluster cluster = new Cluster(3);
    Script script = new Script(cluster, 3);
    String large = "x".repeat(60_000);
    int keys = 700;
    for (int i = 0; i < keys; i++) {
      script.put(1, "{slot}" + i + large, "v", Level.DEFAULT);
    }
    long[] longest = {0};
    cluster.observer = frame -> longest[0] = Math.max(longest[0], frame.length);
    Set<String> found = new TreeSet<>();
    long cursor = 0;
    do {
      List<ScanOutcome> pages = new ArrayList<>();
      long from = cursor;
      cluster.world.schedule(
          0,
          2,
          () -> cluster.node(2).keyspace(0, "data").scan(from, 1_000, Scope.CLUSTER, pages::add));
      cluster.within(10 * SECOND, () -> !pages.isEmpty());
      ScanOutcome.Page page = assertInstanceOf(ScanOutcome.Page.class, pages.getFirst());
      page.keys().forEach(key -> found.add(new String(key, US_ASCII)));
      cursor = page.next();
    } while (cursor != 0);
    assertEquals(keys, found.size());
    assertTrue(longest[0] < Network.MAX_PAYLOAD_BYTES / 4, longest[0] + " bytes");
  }

  /// Each of three nodes minted what the others did not see: together they fit no frame.
  @Test
  void whoAsksForSiblingsThatFitNoFrameIsTold() {
    Cluster cluster = new Cluster(4);
    Script script = new Script(cluster, 4);
    Update.Store store =
        new Update.Store(
            new byte[13 << 20], 0, Script.NO_CONTEXT, false, Update.Match.NONE, false);
    List<UpdateOutcome> outcomes = new ArrayList<>();
    byte[] key = "k".getBytes(US_ASCII);
    for (int node = 1; node <= 4; node++) {
      int at = node;
      cluster.world.schedule(
          0,
          at,
          () ->
              cluster
                  .node(at)
                  .keyspace(0, "siblings")
                  .update(key, store, new Level(0, 1, 1, 0, 0, 0, true, 0), outcomes::add));
    }
    cluster.within(10 * SECOND, () -> outcomes.size() == 4);
    cluster.runFor(3 * SECOND);
    for (int node = 1; node <= 4; node++) {
      List<FetchOutcome> fetched = new ArrayList<>();
      int at = node;
      long began = cluster.world.nanos();
      cluster.world.schedule(
          0,
          at,
          () ->
              cluster.node(at).keyspace(0, "siblings").fetch(key, Level.DEFAULT, fetched::add));
      cluster.within(10 * SECOND, () -> !fetched.isEmpty());
      assertTrue(cluster.world.nanos() - began < 2 * SECOND, fetched::toString);
      boolean told =
          fetched.getFirst() instanceof FetchOutcome.Held
              || fetched.getFirst() instanceof Unanswered;
      assertTrue(told, fetched::toString);
    }
    assertEquals("v", put(script));
    assertTrue(cluster.node(1).statistic(Counter.MESSAGES_SENT) > 0);
  }

  private static String put(Script script) {
    script.put(1, "other", "v", Level.DEFAULT);
    return String.valueOf(script.get(2, "other", Level.DEFAULT));
  }
}
