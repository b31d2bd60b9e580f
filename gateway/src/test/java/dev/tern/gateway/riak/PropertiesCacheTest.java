package dev.tern.gateway.riak;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Versions;
import dev.tern.env.Clock;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Which properties a request goes by: its bucket's over its type's, at most some seconds old.
class PropertiesCacheTest {
  private final Clock clock =
      new Clock() {
        @Override
        public long monotonicNanos() {
          return nanos;
        }

        @Override
        public long wallMillis() {
          return 0;
        }
      };

  private final PropertiesCache cache = new PropertiesCache(clock);
  private final TreeMap<String, byte[]> stored = new TreeMap<>();
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private final List<String> failures = new ArrayList<>();
  private long nanos = 1;
  private int fetches;
  private boolean waits;
  private boolean refuses;

  /// Answers fetches from [#stored]; nothing else is asked of it.
  @SuppressWarnings("unchecked")
  private final Keyspace keyspace =
      (Keyspace)
          Proxy.newProxyInstance(
              Keyspace.class.getClassLoader(),
              new Class<?>[] {Keyspace.class},
              (proxy, method, arguments) -> {
                assertEquals("fetch", method.getName());
                fetch((byte[]) arguments[0], (Completion<FetchOutcome>) arguments[2]);
                return null;
              });

  private void fetch(byte[] key, Completion<FetchOutcome> completion) {
    fetches++;
    byte[] value = stored.get(new String(key, ISO_8859_1));
    List<Versions.Sibling> siblings =
        value == null ? List.of() : List.of(new Versions.Sibling("1", value, 0, 0));
    FetchOutcome outcome =
        refuses
            ? new Unanswered.Refused(Unanswered.Reason.UNAVAILABLE, "away", 0)
            : new FetchOutcome.Held(new Versions(siblings, new byte[0]));
    if (waits) {
      waiting.add(() -> completion.complete(outcome));
    } else {
      completion.complete(outcome);
    }
  }

  private void store(String bucket, int r) {
    byte[] key = BucketKey.properties(bucket.getBytes(ISO_8859_1));
    byte[] properties = new Fields.Message().number(BucketProperties.R, r).encoded();
    stored.put(new String(key, ISO_8859_1), properties);
  }

  private int r(String bucket) {
    int[] r = {-1};
    cache.with(
        keyspace,
        "type",
        bucket.getBytes(ISO_8859_1),
        told -> r[0] = told.number(BucketProperties.R, 0),
        why -> failures.add("failed"));
    return r[0];
  }

  @Test
  void aBucketGoesBeforeItsTypeAndItsTypeBeforeNothing() {
    store("", 2);
    store("own", 3);
    assertEquals(3, r("own"));
    assertEquals(2, r("other"));
    assertEquals(2, r(""));
  }

  @Test
  void whatIsFreshIsNotReadAgain() {
    store("b", 1);
    assertEquals(1, r("b"));
    int before = fetches;
    store("b", 2);
    nanos += BucketProperties.FRESH_NANOS;
    assertEquals(1, r("b"));
    assertEquals(before, fetches);
  }

  @Test
  void whatIsOldServesWhileItIsReadOnce() {
    store("b", 1);
    r("b");
    store("b", 2);
    nanos += BucketProperties.FRESH_NANOS + 1;
    waits = true;
    int before = fetches;
    assertEquals(1, r("b"));
    assertEquals(1, r("b"));
    assertEquals(before + 1, fetches, "it is read twice at once");
    while (!waiting.isEmpty()) {
      waiting.remove().run();
    }
    assertEquals(2, r("b"));
  }

  @Test
  void aRefreshThatFailsIsTriedAgain() {
    store("b", 1);
    r("b");
    nanos += BucketProperties.FRESH_NANOS + 1;
    refuses = true;
    assertEquals(1, r("b"), "old ones are better than none");
    refuses = false;
    store("b", 2);
    r("b");
    assertEquals(2, r("b"));
    assertEquals(List.of(), failures);
  }

  @Test
  void whatIsNotKnownAndCannotBeReadIsAFailure() {
    refuses = true;
    assertEquals(-1, r("b"));
    assertEquals(List.of("failed"), failures);
  }

  @Test
  void aTypeThatIsAnotherKeyspaceNowIsForgotten() {
    cache.isKeyspace("type", 7);
    store("b", 1);
    r("b");
    store("b", 2);
    cache.isKeyspace("type", 7);
    assertEquals(1, r("b"));
    cache.isKeyspace("type", 8);
    assertEquals(2, r("b"));
  }

  @Test
  void bytesThatAreNoPropertiesCountAsNone() {
    stored.put("\0b", new byte[] {(byte) 0xff});
    assertEquals(0, r("b"));
  }
}
