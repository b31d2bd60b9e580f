package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Answers stay well below what a frame takes.
class LargeAnswersTest {
  private static final long SECOND = Cluster.SECOND;

  @Test
  void pagesOfAScanWithLargeKeysAreCut() {
    Cluster cluster = new Cluster(3);
    Script script = new Script(cluster, 3);
    String large = "x".repeat(60_000);
    int keys = 120;
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
    assertTrue(longest[0] < 5 << 20, longest[0] + " bytes");
  }
}
