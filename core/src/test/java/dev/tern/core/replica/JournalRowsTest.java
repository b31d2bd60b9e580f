package dev.tern.core.replica;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// The bytes of the journal's rows and of the log of dots.
class JournalRowsTest {
  private static final long TIME = 1_790_000_000_000L << 16 | 7;
  private static final int MOST_BYTES = 1 << 18;

  private static byte[] entry() {
    ByteWriter changes = new ByteWriter();
    JournalRows.dots(1, 2, -7, 300, 41, changes);
    JournalRows.counts(1, 1023, 5, 1, 1, 16_777_216, changes);
    JournalRows.counts(3, 0, 6, -1, 0, -300, changes);
    JournalRows.counts(3, 0, 6, 0, -1, Long.MIN_VALUE, changes);
    ByteWriter out = new ByteWriter();
    JournalRows.entry(12, TIME, changes, out);
    return out.toByteArray();
  }

  private static String shown(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    StringBuilder text = new StringBuilder(JournalRows.entry(in).toString());
    JournalRows.changes(
        in,
        new JournalRows.Changes() {
          @Override
          public void dots(int set, int partition, int replica, long counter, long further) {
            text.append(
                "; dots %d %d %d %d %d".formatted(set, partition, replica, counter, further));
          }

          @Override
          public void counts(
              int set, int partition, int keyspace, int keys, int expiring, long bytes) {
            text.append(
                "; counts %d %d %d %d %d %d"
                    .formatted(set, partition, keyspace, keys, expiring, bytes));
          }
        });
    return text.toString();
  }

  @Test
  void entriesOfFormat3() throws IOException {
    byte[] wanted = Golden.of("journal-3-entry", entry());
    assertArrayEquals(wanted, entry());
    assertEquals(
        "Head[round=12, time=%d]; dots 1 2 -7 300 41; counts 1 1023 5 1 1 16777216".formatted(TIME)
            + "; counts 3 0 6 -1 0 -300; counts 3 0 6 0 -1 -9223372036854775808",
        shown(wanted));
    Hostile hostile = new Hostile(JournalRowsTest::shown, MOST_BYTES);
    hostile.all(wanted);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  @Test
  void roundsOfFormat3() throws IOException {
    JournalRows.Head head = new JournalRows.Head(12, TIME);
    ByteWriter out = new ByteWriter();
    JournalRows.round(head, out);
    byte[] wanted = Golden.of("journal-3-round", out.toByteArray());
    assertArrayEquals(wanted, out.toByteArray());
    assertEquals(head, JournalRows.round(wanted));
    Hostile hostile = new Hostile(JournalRows::round, MOST_BYTES);
    hostile.all(wanted);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  @Test
  void rowsOfTheFormatBeforeAreRefused() throws IOException {
    byte[] round = Golden.read("journal-2-round");
    assertThrows(DecodeException.class, () -> JournalRows.round(round));
    byte[] entry = Golden.read("journal-2-entry");
    assertThrows(DecodeException.class, () -> shown(entry));
  }

  @Test
  void aDotsRowNamesARecordOrIsOfAnotherKind() {
    byte[] key = "a storage key".getBytes(US_ASCII);
    byte[] row = JournalRows.dot(key);
    assertEquals(1, row[0]);
    assertArrayEquals(key, Objects.requireNonNull(JournalRows.dotKey(row)));
    row[0] = 2;
    assertNull(JournalRows.dotKey(row));
    assertNull(JournalRows.dotKey(new byte[0]));
  }

  @Test
  void dotsOfNoReplicaAreRefused() {
    ByteWriter changes = new ByteWriter();
    JournalRows.dots(1, 2, 0, 7, 0, changes);
    ByteWriter out = new ByteWriter();
    JournalRows.entry(12, TIME, changes, out);
    assertThrows(DecodeException.class, () -> shown(out.toByteArray()));
  }
}
