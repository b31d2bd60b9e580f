package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.client.Bucket;
import dev.tern.client.Codec;
import dev.tern.client.Context;
import dev.tern.client.Fetched;
import dev.tern.client.Level;
import dev.tern.client.TernClient;
import dev.tern.client.TernException;
import dev.tern.server.TernServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The Java client against three nodes.
@Timeout(120)
class TernClientTest {
  private static final int NODES = 3;

  @TempDir static Path data;

  private static final List<TernServer> SERVERS = new ArrayList<>();
  private static String[] seeds;

  @BeforeAll
  static void start() throws IOException {
    SERVERS.addAll(Servers.start(data, NODES));
    seeds =
        SERVERS.stream().map(server -> "127.0.0.1:" + server.port("riak")).toArray(String[]::new);
    long deadline = System.nanoTime() + 30_000_000_000L;
    try (TernClient client = TernClient.connect(seeds)) {
      Bucket<String> probe = client.bucket("plain", "probe", Codec.text()).at(Level.ALL);
      while (true) {
        try {
          probe.put("k", "v").join();
          return;
        } catch (CompletionException e) {
          assertTrue(System.nanoTime() < deadline, "the nodes do not find each other");
        }
      }
    }
  }

  @AfterAll
  static void stop() throws IOException {
    for (TernServer server : SERVERS) {
      server.close();
    }
  }

  private static <T> Throwable failure(CompletableFuture<T> future) {
    return assertThrows(CompletionException.class, future::join).getCause();
  }

  @Test
  void theExampleOfTheReadme() {
    try (TernClient client = TernClient.connect(seeds)) {
      Bucket<String> people = client.bucket("plain", "people", Codec.text());
      people.put("ada", "lovelace").join();
      Fetched<String> found = people.get("ada").join();
      assertEquals("lovelace", found.value().orElseThrow());
      people.put("ada", "countess of lovelace", found.context()).join();
      assertEquals("countess of lovelace", people.get("ada").join().value().orElseThrow());
      people.delete("ada").join();
      assertFalse(people.get("ada").join().isPresent());
    }
  }

  @Test
  void concurrentWritersLeaveSiblingsAndAResolverMakesThemOne() {
    try (TernClient one = TernClient.connect(seeds);
        TernClient other = TernClient.connect(seeds)) {
      Bucket<String> mine = one.bucket("plain", "carts", Codec.text());
      Bucket<String> theirs = other.bucket("plain", "carts", Codec.text());
      Context seen = mine.putAndGet("cart", "milk", Context.NONE).join().context();
      mine.put("cart", "milk,bread", seen).join();
      theirs.put("cart", "milk,eggs", seen).join();
      Fetched<String> both = mine.get("cart").join();
      assertEquals(Set.of("milk,bread", "milk,eggs"), Set.copyOf(both.siblings()));
      assertThrows(IllegalStateException.class, both::value);
      Bucket<String> resolving = theirs.resolving(TernClientTest::union);
      assertEquals("bread,eggs,milk", resolving.get("cart").join().value().orElseThrow());
      resolving.update("cart", cart -> cart + ",tea").join();
      assertEquals(List.of("bread,eggs,milk,tea"), mine.get("cart").join().siblings());
    }
  }

  private static String union(List<String> siblings) {
    TreeSet<String> items = new TreeSet<>();
    siblings.forEach(cart -> items.addAll(List.of(cart.split(","))));
    return String.join(",", items);
  }

  @Test
  void aDeleteLeavesWhatItsContextHasNotSeen() {
    try (TernClient client = TernClient.connect(seeds)) {
      Bucket<String> bucket = client.bucket("plain", "deletes", Codec.text()).at(Level.QUORUM);
      Context seen = bucket.putAndGet("k", "old", Context.NONE).join().context();
      bucket.put("k", "new", seen).join();
      bucket.delete("k", seen).join();
      assertEquals(List.of("new"), bucket.get("k").join().siblings());
    }
  }

  @Test
  void outcomesTellWhatHappened() {
    try (TernClient client = TernClient.connect(seeds)) {
      Bucket<String> bucket = client.bucket("plain", "outcomes", Codec.text());
      bucket.putIfAbsent("k", "v").join();
      assertInstanceOf(TernException.NotApplied.class, failure(bucket.putIfAbsent("k", "w")));
      Context seen = bucket.get("k").join().context();
      bucket.putIfUnmodified("k", "w", seen).join();
      assertInstanceOf(
          TernException.NotApplied.class, failure(bucket.putIfUnmodified("k", "x", seen)));
      assertInstanceOf(TernException.Invalid.class, failure(bucket.at(Level.of(4, 4)).get("k")));
      Bucket<String> nowhere = client.bucket("nope", "b", Codec.text());
      assertInstanceOf(TernException.Invalid.class, failure(nowhere.get("k")));
    }
    try (TernClient nobody = TernClient.connect("127.0.0.1:1")) {
      Bucket<String> bucket = nobody.bucket("plain", "b", Codec.text());
      assertInstanceOf(TernException.Refused.class, failure(bucket.put("k", "v")));
    }
  }

  @Test
  void localLevelsAreKnownToTheDoor() {
    // Zones that name no datacenter are all in the same.
    try (TernClient client = TernClient.connect(seeds)) {
      Bucket<String> bucket = client.bucket("plain", "local", Codec.text());
      bucket.at(Level.LOCAL_QUORUM).put("k", "v").join();
      assertEquals("v", bucket.at(Level.LOCAL_ONE).get("k").join().value().orElseThrow());
      assertEquals("v", bucket.at(Level.LOCAL_QUORUM).get("k").join().value().orElseThrow());
    }
  }

  @Test
  void requestsGoStraightToAReplicaAndAreCounted() {
    AtomicInteger observed = new AtomicInteger();
    try (TernClient client =
        TernClient.builder(seeds)
            .observer((operation, nanos, outcome) -> observed.incrementAndGet())
            .build()) {
      Bucket<String> bucket = client.bucket("plain", "hops", Codec.text());
      bucket.put("first", "v").join();
      List<CompletableFuture<Void>> puts = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        puts.add(bucket.put("k" + i, "v" + i));
      }
      puts.forEach(CompletableFuture::join);
      for (int i = 0; i < 500; i++) {
        assertEquals("v" + i, bucket.get("k" + i).join().value().orElseThrow());
      }
      assertEquals(0, client.metrics().elsewhere());
      assertEquals(0, client.metrics().failures());
      // And the one that asked where keys lie.
      assertEquals(1002, client.metrics().requests());
      // The observer hears of an answer beside who waits for it.
      long deadline = System.nanoTime() + 5_000_000_000L;
      while (observed.get() < 1002 && System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
      assertEquals(1002, observed.get());
    }
  }
}
