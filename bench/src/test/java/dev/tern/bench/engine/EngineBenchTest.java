package dev.tern.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.bench.engine.Engine.Cursor;
import dev.tern.bench.engine.Engine.Session;
import dev.tern.bench.engine.Engine.Written;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineBenchTest {
  private static final int KEYS = 3_000;

  @TempDir private Path directory;

  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  private EngineBench.Options options(Set<Workload> workloads, int... valueBytes) {
    return new EngineBench.Options(
        EnumSet.allOf(EngineKind.class),
        workloads,
        java.util.Arrays.stream(valueBytes).boxed().toList(),
        EnumSet.allOf(EngineBench.Scenario.class),
        0.03,
        KEYS,
        1 << 20,
        256 << 10,
        4096,
        2,
        directory.resolve("stores"));
  }

  @Test
  void everyWorkloadGivesRightAnswersOnBothEngines() throws Exception {
    Path json = directory.resolve("figures.json");
    EngineBench.run(options(Set.of(), 100, 4096), json, new PrintStream(printed, true));
    String figures = Files.readString(json);
    for (Workload workload : Workload.values()) {
      for (EngineKind kind : EngineKind.values()) {
        long rows =
            figures
                .lines()
                .filter(line -> line.contains("\"workload\":\"" + workload.label() + "\""))
                .filter(line -> line.contains("\"engine\":\"" + kind.label() + "\""))
                .filter(line -> !line.contains("\"operations\":0"))
                .count();
        long sizes = Workload.usual(4096).contains(workload) ? 2 : 1;
        assertEquals((workload.isFresh() ? 1 : 2) * sizes, rows, workload + " of " + kind);
      }
    }
    String table = printed.toString(StandardCharsets.UTF_8);
    assertTrue(table.contains("ratio"), table);
    try (var left = Files.list(directory.resolve("stores"))) {
      assertEquals(List.of(), left.toList(), "stores that were not deleted");
    }
  }

  @Test
  void aLongFillIsPlottedInOneFile() throws Exception {
    Path html = directory.resolve("fill.html");
    LongFill.run(options(Set.of(), 100), 0.01, html, new PrintStream(printed, true));
    String page = Files.readString(html);
    assertTrue(page.contains("<svg") && page.contains("rocksdb") && page.contains("tern"), page);
    assertFalse(page.contains("<script") || page.contains("http"), page);
  }

  @Test
  void openingsAreMeasuredAndLeaveNothing() throws Exception {
    OpeningBench.run(options(Set.of(), 100), 1, new PrintStream(printed, true));
    String table = printed.toString(StandardCharsets.UTF_8);
    for (EngineKind kind : EngineKind.values()) {
      long rows = table.lines().filter(line -> line.startsWith(kind.label() + " ")).count();
      assertEquals(2, rows, table);
    }
    try (var left = Files.list(directory.resolve("stores"))) {
      assertEquals(List.of(), left.toList(), "stores that were not deleted");
    }
  }

  @Test
  void aWrongAnswerEndsIt() throws Exception {
    Records records = new Records(KEYS, 100, 1);
    try (HiccupMeter meter = HiccupMeter.start()) {
      for (Workload workload :
          List.of(
              Workload.READ_RANDOM, Workload.MULTI_GET, Workload.READ_MISSING, Workload.SEEK_10)) {
        Trial trial = new Trial(new Liar(), workload, records, 1_000_000_000, 1);
        IllegalStateException e =
            assertThrows(
                IllegalStateException.class,
                () -> trial.run(meter, new Outcome()),
                workload::label);
        assertTrue(e.getMessage().contains("WRONG ANSWER"), e.getMessage());
      }
    }
  }

  /// Always answers with the same value.
  private static final class Liar implements Engine, Session, Cursor {
    private final byte[] value = new byte[100];

    Liar() {
      new Records(1, 100, 99).value(123_456, 1, value);
    }

    @Override
    public Session session() {
      return this;
    }

    @Override
    public void flush() {}

    @Override
    public void awaitIdle() {}

    @Override
    public Written written() {
      return new Written(0, 0, 0);
    }

    @Override
    public long tableBytes() {
      return 0;
    }

    @Override
    public void put(byte[] key, byte[] given, boolean sync) {}

    @Override
    public void delete(byte[] key) {}

    @Override
    public void putAll(byte[][] keys, byte[][] values) {}

    @Override
    public byte[] get(byte[] key) {
      return value;
    }

    @Override
    public List<byte[]> multiGet(byte[][] keys) {
      return java.util.Collections.nCopies(keys.length, value);
    }

    @Override
    public Cursor cursor() {
      return this;
    }

    @Override
    public void seek(byte[] key) {}

    @Override
    public void seekForPrev(byte[] key) {}

    @Override
    public boolean valid() {
      return true;
    }

    @Override
    public void next() {}

    @Override
    public void prev() {}

    @Override
    public byte[] key() {
      return new byte[Records.KEY_BYTES];
    }

    @Override
    public byte[] value() {
      return value;
    }

    @Override
    public void refresh() {}

    @Override
    public void close() {}
  }
}
