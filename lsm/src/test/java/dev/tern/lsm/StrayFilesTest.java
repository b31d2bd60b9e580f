package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileReport;
import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Files that somebody else put into the directory of a store.
class StrayFilesTest {
  private static final byte[] KEY = "key".getBytes(US_ASCII);

  private final MemoryFiles files = new MemoryFiles();
  private final WaitingJobs jobs = new WaitingJobs();

  private Lsm open() throws IOException {
    return jobs.open(files, LsmOptions.DEFAULT);
  }

  private void write() throws IOException {
    try (Lsm lsm = open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      lsm.write(new WriteBatch().put(family, KEY, KEY));
    }
  }

  private void read() throws IOException {
    try (Lsm lsm = open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      assertArrayEquals(KEY, lsm.get(family, KEY));
    }
  }

  @Test
  void theLargestNumberUsesNoNumberUp() throws IOException {
    for (String name :
        List.of(
            "999999999999.log",
            "999999999999.table",
            "999999999990.table",
            "100000000000.log",
            "MANIFEST-999999999999")) {
      write();
      files.put("store/" + name, new byte[100]);
      write();
      read();
      assertFalse(files.exists("store/" + name));
    }
  }

  @Test
  void whatCannotBeDeletedHoldsNoOpeningUp() throws IOException {
    write();
    for (String name : List.of("000777.log", "000777.table", "MANIFEST-000778")) {
      files.put("store/" + name, new byte[100]);
      files.keep("store/" + name);
    }
    write();
    read();
    assertTrue(files.exists("store/000777.table"));
  }

  @Test
  void aCurrentOrAManifestThatIsTooLongIsNotRead() throws IOException {
    write();
    byte[] current = files.bytes("store/CURRENT");
    files.put("store/CURRENT", new byte[1 << 20]);
    assertThrows(CorruptionException.class, this::open);
    List<FileReport> reports = Inspection.directory(files, "store");
    assertTrue(reports.stream().anyMatch(report -> !report.problems().isEmpty()));
    files.put("store/CURRENT", current);
    read();
  }

  @Test
  void anInspectionGoesOnBehindAFileThatCannotBeRead() throws IOException {
    write();
    files.put("store/000777.table", new byte[100]);
    files.forbid("store/000777.table");
    List<FileReport> reports = Inspection.directory(files, "store");
    assertTrue(reports.stream().anyMatch(report -> report.path().endsWith("CURRENT")));
    List<FileReport> wrong =
        reports.stream().filter(report -> !report.problems().isEmpty()).toList();
    assertTrue(wrong.size() == 1 && wrong.getFirst().path().endsWith("000777.table"));
  }
}
