package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.CoverageMarks;
import dev.tern.world.Rounds;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Random operations under random options are answered as a sorted map with versions would.
class ModelTest {
  @Test
  void itAnswersAsASortedMapWould() {
    CoverageMarks.clear();
    Map<String, Integer> done = new TreeMap<>();
    for (long seed = 0; seed < Rounds.of(60); seed++) {
      ModelRun run = new ModelRun(Long.getLong("seed", 0) + seed);
      try {
        run.run(600);
      } catch (IOException | RuntimeException | AssertionError e) {
        throw new AssertionError(
            "seed %d, step %d, %s: %s".formatted(seed, run.step, run, e.getMessage()), e);
      }
      run.done.forEach((what, times) -> done.merge(what, times, Integer::sum));
    }
    for (String what :
        new String[] {
          "flush",
          "compaction",
          "reopen",
          "checkpoint",
          "drop",
          "ingest",
          "called back",
          "failed again and again",
          "account"
        }) {
      assertTrue(done.getOrDefault(what, 0) > 8, "hardly a " + what + ": " + done);
    }
    LsmMarksTest.assertReached(LsmMarksTest.BY_MODEL);
  }

  /// Two stores of a group, in turns: what one does changes no answer of the other, and when both
  /// are closed nothing is held.
  @Test
  void storesThatShareAnswerAsTwoMapsWould() throws IOException {
    for (long seed = 0; seed < Rounds.of(20); seed++) {
      LsmGroup group = new LsmGroup(Bed.options(1024L << seed % 4, 4096L << seed % 6, 256, 2048));
      long held = group.memory().held();
      ModelRun one = new ModelRun(Long.getLong("seed", 0) + 2 * seed);
      ModelRun other = new ModelRun(Long.getLong("seed", 0) + 2 * seed + 1);
      one.join(group);
      other.join(group);
      try {
        one.begin();
        other.begin();
        while (one.step < 400 || other.step < 400) {
          one.next();
          other.next();
        }
        one.end();
        other.end();
      } catch (IOException | RuntimeException | AssertionError e) {
        throw new AssertionError(
            "seed %d, steps %d and %d, %s and %s: %s"
                .formatted(seed, one.step, other.step, one, other, e.getMessage()),
            e);
      }
      LsmStatistics.Memory after = group.memory();
      long kept = after.cache() + after.buffers() + after.memtables();
      assertEquals(after.held(), kept, "seed " + seed + ": " + after);
      assertTrue(after.memtables() == 0 && after.held() >= held, after.toString());
      group.close();
      assertEquals(0, group.memory().held(), group.memory().toString());
    }
  }

  /// Measures the model.
  @ParameterizedTest
  @EnumSource(
      value = LsmBug.class,
      names = {
        "SNAPSHOTS_BEFORE_INPUTS",
        "FOREIGN_FILES_DELETED",
        "LOG_ENDS_NOT_CHECKED",
        "FLUSH_LOSES_DELETED_RANGES",
        "CHECKPOINT_WITHOUT_LOG",
        "CLOSED_BEFORE_HANDOVER",
        "DROP_IGNORES_SNAPSHOTS",
        "INGEST_BELOW_DELETION",
        "STAGED_LOST_BY_CRASH",
        "STAGED_READABLE_EARLY",
        "INGEST_TAKES_ONE_FILE",
        "INGEST_BEHIND_OLDER",
        "FAILED_FLUSH_ADDS_MEMTABLE",
        "EXPIRED_HIDES_NOTHING"
      })
  void aPlantedMistakeIsFound(LsmBug mistake) {
    boolean found = false;
    for (long seed = 0; seed < 400 && !found; seed++) {
      found = fails(new ModelRun(seed, mistake));
    }
    assertTrue(found);
  }

  private static boolean fails(ModelRun run) {
    try {
      run.run(600);
      return false;
    } catch (IOException | RuntimeException | AssertionError e) {
      return true;
    }
  }

  @Test
  void aLargeValueStaysWhatItIs() throws IOException {
    Bed bed = new Bed(1);
    bed.options = Bed.options(64 << 20, 1 << 20, 4096, 1 << 20);
    try (var lsm = bed.open()) {
      var family = lsm.columnFamily("data", dev.tern.lsm.FamilyOptions.DEFAULT);
      TreeMap<byte[], byte[]> model = new TreeMap<>(java.util.Arrays::compareUnsigned);
      for (int bytes : new int[] {0, 65_536, 65_537, 262_143, 262_144, 300_000, 3_000_000, 1}) {
        for (int turn = 0; turn < 3; turn++) {
          byte[] value = new byte[bytes];
          java.util.Arrays.fill(value, (byte) (bytes + turn));
          byte[] key = Bed.bytes("key-" + bytes + "-" + turn);
          model.put(key, value);
          lsm.append(new dev.tern.lsm.WriteBatch().put(family, key, value));
          lsm.append(new dev.tern.lsm.WriteBatch().put(family, Bed.bytes("small"), key));
          model.put(Bed.bytes("small"), key);
        }
      }
      Bed.assertHolds(lsm, family, model, "in memory");
      for (Map.Entry<byte[], byte[]> entry : model.entrySet()) {
        assertArrayEquals(entry.getValue(), lsm.get(family, entry.getKey()));
      }
    }
    try (var lsm = bed.open()) {
      var family = lsm.columnFamily("data", dev.tern.lsm.FamilyOptions.DEFAULT);
      assertEquals(3_000_000, lsm.get(family, Bed.bytes("key-3000000-2")).length);
      lsm.verify();
    }
  }
}
