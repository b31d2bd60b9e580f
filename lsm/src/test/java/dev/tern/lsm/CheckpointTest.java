package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.world.World;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A checkpoint whose making fails at any operation of the disk leaves nothing, or says what; the
/// store goes on, and the same directory can be used again.
class CheckpointTest {
  private static final String COPY = "data/copy";

  private final TreeMap<byte[], byte[]> model = new TreeMap<>(Arrays::compareUnsigned);
  private Bed bed;
  private Lsm lsm;
  private ColumnFamily family;

  private void open(boolean hasLog, long seed) throws IOException {
    bed = new Bed(seed);
    bed.options = hasLog ? bed.options : bed.options.withoutLog();
    lsm = bed.open();
    family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    model.clear();
    put(0, 60);
    bed.settle();
    put(50, 70);
  }

  private void put(int from, int to) {
    for (int i = from; i < to; i++) {
      byte[] key = Bed.bytes("key-" + i);
      model.put(key, new byte[100]);
      lsm.append(new WriteBatch().put(family, key, new byte[100]));
      if (i % 10 == 0) {
        bed.settle();
      }
    }
  }

  private void assertCopy(String when) throws IOException {
    try (Lsm copy = bed.openReadOnly(COPY)) {
      copy.verify();
      ColumnFamily there = copy.columnFamily("data", CompactionStyle.LEVELED);
      Bed.assertHolds(copy, there, model, when);
    }
  }

  /// The files that stay, as the failure tells.
  private static List<String> told(Throwable failure) {
    return Stream.of(failure.getSuppressed())
        .map(each -> String.valueOf(each.getMessage()).split(" ", 2)[0])
        .map(path -> path.substring(COPY.length() + 1))
        .sorted()
        .toList();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 1_000_000})
  void oneThatFailsLeavesNothingOrSaysWhat(long failing) throws IOException {
    int failures = 0;
    int left = 0;
    for (boolean hasLog : new boolean[] {true, false}) {
      boolean failed = true;
      for (long at = 0; failed; at++) {
        String when = failing + " fail from " + at + ", a log: " + hasLog;
        open(hasLog, at);
        bed.settle();
        bed.disk.failAfter(at, failing);
        long errors = bed.disk.errors;
        Throwable failure = null;
        try {
          lsm.checkpoint(COPY);
        } catch (IOException e) {
          failure = e;
        }
        bed.disk.heal();
        failed = bed.disk.errors > errors;
        if (failure != null) {
          failures++;
          assertEquals(told(failure), bed.disk.list(COPY).stream().sorted().toList(), when);
          left += told(failure).size();
        }
        if (lsm.failure() == null && failure != null) {
          for (String name : bed.disk.list(COPY)) {
            bed.disk.delete(COPY + "/" + name);
          }
          bed.settle();
          lsm.retry();
          bed.settle();
          lsm.checkpoint(COPY);
        }
        if (lsm.failure() == null) {
          assertCopy(when);
          put(70, 80);
          Bed.assertHolds(lsm, family, model, when);
          lsm.close();
        } else {
          assertThrows(IllegalStateException.class, () -> lsm.checkpoint(COPY), when);
          try {
            lsm.close();
          } catch (IOException e) {
            assertTrue(e.getMessage().length() > 0, e::toString);
          }
        }
        bed.settle();
        assertEquals(List.of(), bed.disk.open, when);
      }
    }
    assertTrue(failures > 20, "hardly a checkpoint fails: " + failures);
    assertEquals(failing > 1, left > 0, "files stay: " + left);
  }

  /// What a power cut leaves of a checkpoint is a whole copy or no store.
  @Test
  void aPowerCutLeavesAWholeCopyOrNone() throws IOException {
    int copies = 0;
    int cuts = 0;
    for (boolean hasLog : new boolean[] {true, false}) {
      boolean cut = true;
      for (long at = 0; cut; at++) {
        String when = "cut at " + at;
        open(hasLog, at);
        bed.settle();
        bed.disk.crashAfter(at);
        cut = false;
        try {
          lsm.checkpoint(COPY);
        } catch (World.Crash crash) {
          cut = true;
          cuts++;
        }
        bed.powerCut();
        if (bed.disk.exists(COPY + "/CURRENT")) {
          copies++;
          assertCopy(when);
        } else {
          assertTrue(cut, when);
        }
        Map<String, byte[]> all =
            bed.disk.list(Bed.STORE).isEmpty() ? Map.of() : bed.copy(Bed.STORE);
        assertTrue(all.containsKey("CURRENT"), when + all.keySet());
        lsm = bed.open();
        lsm.verify();
        lsm.close();
        bed.settle();
      }
    }
    assertTrue(copies > 3 && cuts > 20, copies + " copies, cuts: " + cuts);
  }
}
