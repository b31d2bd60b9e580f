package dev.tern.core.replica;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.store.PartitionRecords;
import dev.tern.core.store.RecordKey;
import dev.tern.core.store.RowKeys;
import dev.tern.core.wire.RoutedKey;
import dev.tern.core.wire.ScanCursor;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Randomness;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class RecordKeyTest {
  private static final int SET = 0x0102;
  private static final int SLOT = 0x3fff;
  private static final int KEYSPACE = 0x00010203;
  private static final int HASH = 0xfedcba98;

  private static byte[] of(byte... key) {
    return RecordKey.of(SET, SLOT, KEYSPACE, HASH, key);
  }

  private static byte[] random(Randomness random, int length) {
    byte[] key = new byte[length];
    for (int i = 0; i < length; i++) {
      // Mostly what escapes are made of.
      key[i] = (byte) (random.nextInt(4) - 1);
    }
    return key;
  }

  @Test
  void itsPartsComeBack() {
    Randomness random = Randomness.of(3);
    for (int i = 0; i < 2_000; i++) {
      byte[] key = random(random, random.nextInt(12));
      byte[] recordKey = of(key);
      assertTrue(RecordKey.isOne(recordKey));
      assertArrayEquals(key, RecordKey.userKey(recordKey));
      assertEquals(SET, RecordKey.set(recordKey));
      assertEquals(SLOT, RecordKey.slot(recordKey));
      assertEquals(KEYSPACE, RecordKey.keyspace(recordKey));
      assertEquals(HASH, RecordKey.hash(recordKey));
    }
  }

  @Test
  void itsOrderIsThatOfItsPartsAndNoneBeginsAnother() {
    Randomness random = Randomness.of(4);
    for (int i = 0; i < 20_000; i++) {
      byte[] one = random(random, random.nextInt(6));
      byte[] other = random(random, random.nextInt(6));
      byte[] a = of(one);
      byte[] b = of(other);
      int order = Integer.signum(Arrays.compareUnsigned(one, other));
      assertEquals(order, Integer.signum(Arrays.compareUnsigned(a, b)));
      boolean begins = a.length < b.length && Arrays.equals(a, 0, a.length, b, 0, a.length);
      assertFalse(begins, () -> Arrays.toString(a) + " begins " + Arrays.toString(b));
    }
    byte[] longest = new byte[40];
    Arrays.fill(longest, (byte) -1);
    byte[] last = RecordKey.of(SET, SLOT, KEYSPACE, -1, longest);
    assertTrue(Arrays.compareUnsigned(RecordKey.first(SET, SLOT, KEYSPACE, HASH), of()) < 0);
    assertTrue(Arrays.compareUnsigned(RecordKey.first(SET, SLOT, KEYSPACE + 1), last) > 0);
    assertTrue(Arrays.compareUnsigned(RecordKey.first(SET, SLOT + 1), last) > 0);
    assertTrue(Arrays.compareUnsigned(RecordKey.first(SET + 1, 0), last) > 0);
  }

  @Test
  void bytesWithoutEscapesOrEndAreNone() {
    byte[] good = of((byte) 'a', (byte) 0, (byte) 'b');
    assertTrue(RecordKey.isOne(good));
    for (int length = 0; length < good.length; length++) {
      byte[] cut = Arrays.copyOf(good, length);
      assertFalse(RecordKey.isOne(cut), "" + length);
      assertThrows(DecodeException.class, () -> RecordKey.userKey(cut));
      ByteWriter blob = new ByteWriter().writeBlob(cut);
      assertThrows(
          DecodeException.class, () -> RecordKey.decode(new ByteReader(blob.toByteArray())));
    }
    assertFalse(RecordKey.isOne(Arrays.copyOf(good, good.length + 1)));
    byte[] unescaped = good.clone();
    unescaped[RecordKey.PREFIX_BYTES + 2] = 1;
    assertFalse(RecordKey.isOne(unescaped));
    byte[] endless = of((byte) 'a', (byte) 'b');
    endless[endless.length - 3] = 0;
    assertFalse(RecordKey.isOne(endless));
  }

  /// A partition's rows in every family lie between the same bounds as its records.
  @Test
  void aPartitionIsOneRangeInEveryFamily() {
    Partition partition = new Partition(PartitionRecords.of(SET, 5, 5 * 16, 16), 0);
    byte[] from = RecordKey.first(SET, 5 * 16);
    byte[] to = RecordKey.first(SET, 6 * 16);
    byte[] recordKey = RecordKey.of(SET, 5 * 16 + 15, KEYSPACE, -1, new byte[] {-1, -1});
    byte[][] rows = {
      recordKey,
      Rows.of(partition, Rows.PARTITION),
      Rows.segment(partition, 63),
      Rows.dot(partition, -1, Long.MAX_VALUE),
      Rows.dot(partition, 0, 0),
      Expired.row(partition, Long.MAX_VALUE, recordKey, -1, Long.MAX_VALUE)
    };
    for (byte[] row : rows) {
      assertTrue(Arrays.compareUnsigned(from, row) < 0);
      assertTrue(Arrays.compareUnsigned(row, to) < 0);
    }
    assertTrue(Arrays.compareUnsigned(Rows.journal(0xffff), RowKeys.PARTITIONS) < 0);
  }

  @Test
  void theKeysAreAsTheyWere() throws IOException {
    Partition partition = new Partition(PartitionRecords.of(SET, 5, 5 * 16, 16), 0);
    byte[] recordKey = RecordKey.of(SET, 5 * 16 + 7, KEYSPACE, HASH, "a\0b".getBytes(US_ASCII));
    ByteWriter all = new ByteWriter();
    all.writeBlob(recordKey);
    all.writeBlob(Rows.of(partition, Rows.PARTITION)).writeBlob(Rows.of(partition, Rows.TRIMMED));
    all.writeBlob(Rows.of(partition, Rows.FLOOR)).writeBlob(Rows.of(partition, Rows.FILLED));
    all.writeBlob(Rows.segment(partition, 9)).writeBlob(Rows.dot(partition, -2, 300));
    all.writeBlob(Expired.row(partition, 1_780_000_000_000L, recordKey, -2, 300));
    all.writeBlob(RowKeys.IDENTITY).writeBlob(Rows.RESERVATION).writeBlob(RowKeys.GROUPS);
    all.writeBlob(Rows.WALK).writeBlob(Rows.ROUND).writeBlob(Rows.journal(513));
    assertArrayEquals(Golden.of("store-keys-4", all.toByteArray()), all.toByteArray());
    ByteWriter later = new ByteWriter().writeBlob(RowKeys.OWNER);
    later.writeBlob(Hints.row(300, 70_000)).writeBlob(Hints.ofKey(300, recordKey, 70_000));
    assertArrayEquals(Golden.of("store-keys-5", later.toByteArray()), later.toByteArray());
    ByteWriter routed = new ByteWriter();
    RoutedKey sent = new RoutedKey(SET, SLOT, KEYSPACE, "a\0b".getBytes(US_ASCII));
    sent.encode(routed);
    byte[] golden = Golden.of("routed-key-5", routed.toByteArray());
    assertArrayEquals(golden, routed.toByteArray());
    RoutedKey back = RoutedKey.decode(new ByteReader(golden));
    assertEquals(sent.slot(), back.slot());
    assertArrayEquals(sent.key(), back.key());
  }

  @Test
  void theRowOfADelete() throws IOException {
    Partition partition = new Partition(PartitionRecords.of(SET, 5, 5 * 16, 16), 0);
    byte[] recordKey = RecordKey.of(SET, 5 * 16 + 7, KEYSPACE, HASH, "a".getBytes(US_ASCII));
    byte[] row = Rows.dot(partition, -2, 300);
    ByteWriter made = new ByteWriter().writeBlob(row).writeBlob(recordKey);
    ByteReader golden = new ByteReader(Golden.of("grave-5", made.toByteArray()));
    Grave grave = Grave.of(golden.readBlob(), golden.readBlob());
    golden.expectEnd();
    assertEquals(-2, grave.replica());
    assertEquals(300, grave.counter());
    assertArrayEquals(recordKey, grave.storageKey());
    assertArrayEquals(row, Rows.dot(partition, grave.replica(), grave.counter()));
    assertEquals(HASH, RecordKey.hash(grave.storageKey()));
    Hostile hostile = new Hostile(bytes -> Grave.of(bytes, recordKey), 1 << 20);
    hostile.all(row);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  private static void hostile(Hostile.Decoder decoder, byte[] good) {
    Hostile hostile = new Hostile(decoder, 1 << 20);
    hostile.all(good);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  @Test
  void hostileKeys() {
    byte[] key = of((byte) 'a', (byte) 0, (byte) 'b');
    hostile(
        bytes -> RecordKey.decode(new ByteReader(bytes)),
        new ByteWriter().writeBlob(key).toByteArray());
    hostile(bytes -> RecordKey.userKey(bytes), key);
    hostile(bytes -> RecordKey.userKeyBytes(bytes), key);
    ByteWriter routed = new ByteWriter();
    new RoutedKey(SET, SLOT, KEYSPACE, "a\0b".getBytes(US_ASCII)).encode(routed);
    hostile(
        bytes -> {
          ByteReader in = new ByteReader(bytes);
          RoutedKey.decode(in);
          in.expectEnd();
        },
        routed.toByteArray());
    Partition partition = new Partition(PartitionRecords.of(SET, 5, 5 * 16, 16), 0);
    hostile(bytes -> Rows.Dot.decode(bytes), Rows.dot(partition, -2, 300));
  }

  /// The key that a dot's row names is looked at before anything is done with it.
  @Test
  void hostileRowsOfDots() {
    PartitionRecords partition = PartitionRecords.of(SET, 5, 5 * 16, 16);
    byte[] recordKey = RecordKey.of(SET, 5 * 16 + 7, KEYSPACE, HASH, "a\0b".getBytes(US_ASCII));
    byte[] row = JournalRows.dot(recordKey);
    int[] taken = {0};
    Hostile hostile =
        new Hostile(
            bytes -> {
              byte[] named = JournalRows.dotKey(bytes);
              if (named != null && partition.isKey(named)) {
                RecordKey.userKey(named);
                taken[0]++;
              }
            },
            1 << 20);
    hostile.all(row);
    assertEquals(0, hostile.refused());
    assertTrue(taken[0] > 0 && taken[0] < hostile.tried() / 2, "taken " + taken[0]);
  }

  @Test
  void rowsOfNoDotAreRefused() {
    Partition partition = new Partition(PartitionRecords.of(SET, 5, 5 * 16, 16), 0);
    assertEquals(new Rows.Dot(-2, 300), Rows.Dot.decode(Rows.dot(partition, -2, 300)));
    byte[][] wrong = {
      Rows.dot(partition, 0, 300),
      Rows.dot(partition, -2, 0),
      Rows.dot(partition, -2, -1),
      Rows.dot(partition, -2, 1L << 62),
      Rows.of(partition, Rows.PARTITION)
    };
    for (byte[] row : wrong) {
      assertThrows(DecodeException.class, () -> Rows.Dot.decode(row));
    }
  }

  @Test
  void theRowOfAnExpiry() {
    Partition partition = new Partition(PartitionRecords.of(SET, 5, 5 * 16, 16), 0);
    byte[] recordKey = RecordKey.of(SET, 5 * 16 + 7, KEYSPACE, HASH, "a\0b".getBytes(US_ASCII));
    byte[] row = Expired.row(partition, 1_780_000_000_000L, recordKey, -2, 300);
    Expired expired = Expired.decode(row);
    assertArrayEquals(recordKey, expired.recordKey());
    assertEquals(1_780_000_000_000L, expired.millis());
    assertEquals(-2, expired.replica());
    assertEquals(300, expired.counter());
    hostile(bytes -> Expired.decode(bytes), row);
    byte[][] wrong = {
      Expired.row(partition, 0, recordKey, -2, 300),
      Expired.row(partition, -1, recordKey, -2, 300),
      Expired.row(partition, 1, recordKey, 0, 300),
      Expired.row(partition, 1, recordKey, -2, 0)
    };
    for (byte[] each : wrong) {
      assertThrows(DecodeException.class, () -> Expired.decode(each));
    }
  }

  @Test
  void theKeyOfAHint() {
    byte[] row = Hints.row(300, 70_000);
    assertEquals(new Hints.Place(300, 70_000), Hints.Place.decode(row));
    Hostile hostile = new Hostile(bytes -> Hints.Place.decode(bytes), 1 << 20);
    hostile.all(row);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  @Test
  void aCursorOfAScanSurvivesADouble() {
    for (int hash : new int[] {0, 1, Integer.MAX_VALUE, Integer.MIN_VALUE, -1}) {
      long cursor = ScanCursor.of(16_383, Integer.toUnsignedLong(hash));
      assertEquals(16_383, ScanCursor.slot(cursor));
      assertEquals(hash, ScanCursor.hash(cursor));
      assertTrue(cursor < 1L << 46);
      assertEquals(cursor, (long) (double) cursor);
    }
    assertEquals(ScanCursor.of(8, 0), ScanCursor.after(7, 0xffff_ffffL));
    assertEquals(ScanCursor.END, ScanCursor.after(16_383, 0xffff_ffffL));
  }
}
