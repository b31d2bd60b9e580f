package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.EventLoop;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeEnvironmentTest {
  @TempDir Path directory;

  private RuntimeEnvironment open(String name, int shards, int port) throws IOException {
    return new RuntimeEnvironment(
        directory.resolve(name),
        shards,
        1,
        "terns",
        "127.0.0.1",
        port,
        Transport.named("auto"),
        cause -> {
          throw new AssertionError(cause);
        });
  }

  @Test
  void anEnvironmentHasAllThatANodeNeeds() throws IOException {
    try (RuntimeEnvironment a = open("a", 3, 0);
        RuntimeEnvironment b = open("b", 1, 0)) {
      assertEquals(3, a.environment().loops().size());
      assertTrue(a.internodePort() > 0);
      assertNotEquals(
          a.environment().randomness().nextLong(), b.environment().randomness().nextLong());
      a.environment().files().create("x").close();
      assertTrue(java.nio.file.Files.exists(directory.resolve("a/x")));
      long before = a.environment().clock().monotonicNanos();
      assertTrue(a.environment().clock().monotonicNanos() >= before);
    }
  }

  @Test
  void closingRunsWhatIsQueuedFirst() throws IOException {
    AtomicInteger ran = new AtomicInteger();
    RuntimeEnvironment environment = open("a", 2, 0);
    for (EventLoop loop : environment.environment().loops()) {
      for (int i = 0; i < 1000; i++) {
        loop.execute(ran::incrementAndGet);
      }
    }
    environment.close();
    assertEquals(2000, ran.get());
    assertTrue(environment.loops().stream().allMatch(loop -> loop.netty().isTerminated()));
  }

  @Test
  void aPortInUseIsNamed() throws IOException {
    try (RuntimeEnvironment first = open("a", 1, 0)) {
      IOException failure =
          assertThrows(IOException.class, () -> open("b", 1, first.internodePort()));
      assertTrue(
          failure.getMessage().contains("127.0.0.1:" + first.internodePort()),
          failure.getMessage());
    }
  }

  @Test
  void anUnknownTransportIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Transport.named("carrier pigeon"));
  }
}
