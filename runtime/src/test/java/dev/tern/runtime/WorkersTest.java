package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Offload;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorkersTest {
  private static final long NANOS = 20_000_000;

  /// A pause that ended at once would make a thread that waits for something spin.
  @Test
  void aThreadThatIsInterruptedPausesAsLongAndStaysInterrupted() {
    try (Workers workers = new Workers(1)) {
      for (Offload each : List.of(workers, workers.background())) {
        Thread.currentThread().interrupt();
        long began = System.nanoTime();
        each.pause(NANOS);
        long took = System.nanoTime() - began;
        assertTrue(Thread.interrupted(), "the interrupt was lost");
        assertTrue(took >= NANOS, "the pause ended after %d ns".formatted(took));
      }
    }
  }
}
