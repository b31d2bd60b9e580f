package dev.tern.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The example of the README and docs/lsm.md, as it stands there.
class EmbeddedExampleTest {
  @Test
  void theExampleOfTheDocumentationWorks(@TempDir Path directory) throws IOException {
    byte[] key = "ada".getBytes(UTF_8);
    byte[] value = "Lovelace".getBytes(UTF_8);
    byte[] other = "alan".getBytes(UTF_8);
    List<String> seen = new ArrayList<>();
    try (var workers = new Workers(3);
        var lsm =
            Lsm.open(
                new DirectoryFileSystem(directory),
                workers,
                new SystemClock(),
                Randomness.of(1),
                "store",
                LsmOptions.ofMemory(256 << 20).withDurability(Durability.OS))) {
      ColumnFamily users = lsm.columnFamily("users", CompactionStyle.LEVELED);
      lsm.write(new WriteBatch().put(users, key, value).delete(users, other));
      assertArrayEquals(value, lsm.get(users, key));
      try (var rows = lsm.iterator(users, IteratorOptions.all().prefix(key))) {
        for (rows.seekToFirst(); rows.valid(); rows.next()) {
          seen.add(new String(rows.key(), UTF_8) + " " + new String(rows.value(), UTF_8));
        }
      }
    }
    assertEquals(List.of("ada Lovelace"), seen);
  }
}
