package dev.tern.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A process that writes is killed (SIGKILL) at random moments, over and over, on one store: all
/// that it said was acknowledged is there, and nothing that nobody wrote. Every other life takes in
/// tables beside its writes. `-Dproof=N` kills N times as often.
class KillTest {
  private static final int KILLS = 5 * Integer.getInteger("proof", 1);

  @TempDir Path directory;
  private final int[] acknowledged = new int[KilledWriter.THREADS];

  private Process start(boolean ingests) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-ea",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            KilledWriter.class.getName(),
            directory.toString(),
            Boolean.toString(ingests))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /// Reads acknowledgements until the process dies, which is after so many of them.
  ///
  /// @param ingests how many tables it takes in before others are counted; 0 for none at all
  private void live(int kill, int ingests, int writes) throws Exception {
    Process process = start(ingests > 0);
    int ingestedBefore = acknowledged[KilledWriter.INGESTING];
    try (BufferedReader out = process.inputReader(US_ASCII)) {
      int read = 0;
      StringBuilder line = new StringBuilder();
      for (int c = out.read(); c >= 0; c = out.read()) {
        if (c != '\n') {
          line.append((char) c);
          continue;
        }
        acknowledge(kill, line.toString());
        line.setLength(0);
        if (acknowledged[KilledWriter.INGESTING] - ingestedBefore < ingests) {
          continue;
        }
        if (++read == writes) {
          // Not of the process, which would close the stream that has more to say.
          assertTrue(process.toHandle().destroyForcibly());
        }
      }
      assertTrue(read >= writes, "kill " + kill + ": it died by itself after " + read);
    } finally {
      process.destroyForcibly();
      assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    }
  }

  private void acknowledge(int kill, String line) {
    String[] words = line.split(" ", -1);
    assertEquals(2, words.length, "kill " + kill + ": " + line);
    int thread = Integer.parseInt(words[0]);
    int number = Integer.parseInt(words[1]);
    // One may have been done and not told before the last kill: the next life began behind it.
    assertTrue(
        number == acknowledged[thread] + 1 || number == acknowledged[thread] + 2,
        "kill %d: %s after %d".formatted(kill, line, acknowledged[thread]));
    acknowledged[thread] = number;
  }

  private void check(int kill) throws IOException {
    try (KilledWriter.Store store = KilledWriter.Store.open(directory)) {
      TreeMap<String, String> wanted = new TreeMap<>();
      for (int thread = 0; thread < KilledWriter.THREADS; thread++) {
        int last = store.last(thread);
        int told = acknowledged[thread];
        assertTrue(
            last == told || last == told + 1,
            "kill %d: thread %d has %d, told %d".formatted(kill, thread, last, told));
        acknowledged[thread] = last;
        wanted.putAll(KilledWriter.expected(thread, last));
      }
      for (ColumnFamily family : new ColumnFamily[] {store.leveled(), store.tiered()}) {
        TreeMap<String, String> found = new TreeMap<>();
        try (LsmIterator iterator = store.lsm().iterator(family, IteratorOptions.all())) {
          for (iterator.seekToFirst(); iterator.valid(); iterator.next()) {
            found.put(new String(iterator.key(), US_ASCII), new String(iterator.value(), US_ASCII));
          }
        }
        assertEquals(wanted, found, "kill " + kill + ", " + family.name());
      }
      store.lsm().verify();
    }
  }

  @Test
  void whatWasAcknowledgedOutlivesEveryKill() throws Exception {
    Random random = new Random(System.nanoTime());
    for (int kill = 0; kill < KILLS; kill++) {
      live(kill, 0, 1 + random.nextInt(600));
      // Now and then the next life is the first to open it.
      if (random.nextInt(3) > 0) {
        check(kill);
      }
      live(kill, 1 + random.nextInt(3), 1 + random.nextInt(50));
      if (kill == KILLS - 1 || random.nextInt(3) > 0) {
        check(kill);
      }
    }
    int writes = 0;
    for (int last : acknowledged) {
      writes += last;
    }
    assertTrue(writes > 60 * KILLS, "hardly anything was written: " + writes);
  }
}
