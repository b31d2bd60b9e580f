package dev.tern.core.replica;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.Golden;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
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
    JournalRows.change(1, 2, -7, 300, 41, 0, 0, changes);
    JournalRows.change(0, 1023, 0, 0, 0, 5, 1, changes);
    JournalRows.change(3, 0, 0, 0, 0, 6, -1, changes);
    ByteWriter out = new ByteWriter();
    JournalRows.entry(12, TIME, changes, out);
    return out.toByteArray();
  }

  private static String shown(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    StringBuilder text = new StringBuilder(JournalRows.entry(in).toString());
    JournalRows.changes(
        in,
        (group, partition, replica, counter, further, keyspace, delta) ->
            text.append(
                "; %d %d %d %d %d %d %d"
                    .formatted(group, partition, replica, counter, further, keyspace, delta)));
    return text.toString();
  }

  @Test
  void entriesOfFormat2() throws IOException {
    byte[] wanted = Golden.of("journal-2-entry", entry());
    assertArrayEquals(wanted, entry());
    assertEquals(
        "Head[round=12, time=%d]; 1 2 -7 300 41 0 0; 0 1023 0 0 0 5 1; 3 0 0 0 0 6 -1"
            .formatted(TIME),
        shown(wanted));
    Hostile hostile = new Hostile(JournalRowsTest::shown, MOST_BYTES);
    hostile.all(wanted);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  @Test
  void roundsOfFormat2() throws IOException {
    JournalRows.Head head = new JournalRows.Head(12, TIME);
    ByteWriter out = new ByteWriter();
    JournalRows.round(head, out);
    byte[] wanted = Golden.of("journal-2-round", out.toByteArray());
    assertArrayEquals(wanted, out.toByteArray());
    assertEquals(head, JournalRows.round(wanted));
    Hostile hostile = new Hostile(JournalRows::round, MOST_BYTES);
    hostile.all(wanted);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  /// Format 1 was led by nothing: a round, and for an entry its changes.
  @Test
  void rowsOfTheFormatBeforeAreRefused() {
    byte[] round = {12};
    assertThrows(DecodeException.class, () -> JournalRows.round(round));
    byte[] entry = {12, 0, 1, 0, 2, 0, 0, 0, 3, 7, 0, 0, 0, 0, 5, 1};
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
}
