package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeterminismTest {
  private static final List<Long> SEEDS = List.of(1L, 77L, 4242L);

  @Test
  void aSeedRunsAlikeTwiceInOneJvm() {
    for (long seed : SEEDS) {
      assertEquals(Simulation.run(seed, "NONE"), Simulation.run(seed, "NONE"));
    }
    assertNotEquals(Simulation.run(1, "NONE").hash(), Simulation.run(2, "NONE").hash());
  }

  @Test
  void aSeedRunsAlikeInAnotherJvmWithAnotherHeap() throws IOException, InterruptedException {
    for (long seed : SEEDS) {
      Process other =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx300m",
                  "-XX:+UseParallelGC",
                  "-XX:+UnlockExperimentalVMOptions",
                  "-XX:hashCode=2",
                  "-cp",
                  System.getProperty("java.class.path"),
                  HashOfSeed.class.getName(),
                  Long.toString(seed))
              .redirectErrorStream(true)
              .start();
      String said =
          new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      other.waitFor();
      String last = said.substring(said.lastIndexOf('\n') + 1);
      assertEquals(Long.toString(Simulation.run(seed, "NONE").hash()), last, said);
    }
  }
}
