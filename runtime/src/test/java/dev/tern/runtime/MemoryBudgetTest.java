package dev.tern.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A store of a thousand column families and values of 300 KB holds what it says, and no more than
/// it was given: measured in a process of its own, which has little memory.
class MemoryBudgetTest {
  private static final Pattern SUMMARY =
      Pattern.compile("(\\d+) wrong, (\\d+) readings, missed (\\[.*?]), at most (\\d+) held, .*");

  @TempDir Path directory;

  private String run(String main) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx48m",
                "-XX:MarkSweepDeadRatio=0",
                "-XX:MaxDirectMemorySize=2m",
                "-XX:NativeMemoryTracking=summary",
                "-ea",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                main,
                directory.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), said);
    return said;
  }

  @Test
  void aStoreHoldsWhatItSaysAndNoMoreThanItWasGiven() throws Exception {
    String said = run(MeteredStore.class.getName());
    Matcher summary = SUMMARY.matcher(said.strip());
    assertTrue(summary.find(), said);
    assertTrue(Integer.parseInt(summary.group(2)) > 100, said);
    // The meter finds each part that nobody counts.
    assertEquals("[buffers, cache, jobs, log, memtables, tables]", summary.group(3), said);
    // Else there was nothing to bound.
    assertTrue(Long.parseLong(summary.group(4)) > MeteredStore.BUDGET_BYTES * 3 / 4, said);
  }
}
