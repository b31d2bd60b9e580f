package dev.tern.core.replica;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.core.store.Bed;
import dev.tern.core.store.RecordKey;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// The rows beside hints that say of which key they are, and rows that nobody wrote among them.
class HintsTest {
  private static final int TARGET = 300;
  private static final byte[] KEY = RecordKey.of(2, 300, 5, 7, "key".getBytes(US_ASCII));
  private static final Siblings RECORD =
      Siblings.of(Version.put(7, 300, 1L << 50, 0, "v".getBytes(US_ASCII)));

  private final Bed bed = new Bed(7, 1 << 20);
  private final Lsm lsm;
  private final ColumnFamily family;
  private final Hints hints;

  HintsTest() throws IOException {
    lsm = bed.open();
    family = lsm.columnFamily("hints", CompactionStyle.LEVELED);
    hints = new Hints(lsm, family);
    hints.add(TARGET, KEY, RECORD, bed.clock);
  }

  private void put(byte[] row, byte[] value) {
    lsm.append(new WriteBatch().put(family, row, value));
  }

  private byte[] read() throws IOException {
    Siblings found = hints.read(TARGET, KEY, Long.MAX_VALUE);
    assertNotNull(found);
    return found.encoded();
  }

  /// Each is put into the store, beside the one that was written. What is held is found all the
  /// same, and nothing else is.
  @Test
  void hostileRowsOfKeys() throws IOException {
    byte[] good = Hints.ofKey(TARGET, KEY, 0);
    Hostile hostile =
        new Hostile(
            row -> {
              if (row.length > 0) {
                put(row, new byte[0]);
                assertArrayEquals(RECORD.encoded(), read());
                if (!Arrays.equals(row, good)) {
                  lsm.append(new WriteBatch().delete(family, row));
                }
              }
            },
            1 << 20);
    hostile.all(good);
    assertEquals(0, hostile.refused());
    byte[] other = RecordKey.of(2, 300, 5, 7, "kez".getBytes(US_ASCII));
    assertNull(hints.read(TARGET, other, Long.MAX_VALUE));
  }

  /// A row that names a hint which cannot be decoded hides nothing: the read fails as one of a
  /// rotten record does.
  @Test
  void aRowOfAHintThatCannotBeDecoded() throws IOException {
    put(Hints.row(TARGET, 9), new byte[] {1, 2, 3});
    put(Hints.ofKey(TARGET, KEY, 9), new byte[0]);
    assertThrows(UnreadableRecordException.class, () -> hints.read(TARGET, KEY, Long.MAX_VALUE));
    assertEquals(1, hints.page(TARGET, 0, 10, 1 << 20).unreadable());
  }

  /// A store with a key of no hint among the hints is not opened: their numbers go by it.
  @Test
  void aKeyOfNoHintEndsTheOpening() throws IOException {
    byte[] longer = new ByteWriter().writeBytes(Hints.row(TARGET, 3)).writeByte(0).toByteArray();
    for (byte[] row : new byte[][] {longer, Hints.row(1 << 30, 3), Hints.row(TARGET, -1)}) {
      put(row, new byte[0]);
      assertThrows(DecodeException.class, () -> new Hints(lsm, family));
      lsm.append(new WriteBatch().delete(family, row));
    }
    assertEquals(1, new Hints(lsm, family).count());
  }
}
