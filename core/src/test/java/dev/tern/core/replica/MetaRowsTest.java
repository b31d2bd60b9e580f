package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.replica.Store.Reservation;
import dev.tern.core.store.PartitionRecords;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Stamp;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// The bytes of the rows in `meta` of stores of format 5.
class MetaRowsTest {
  /// The first message of a refusal loads what formats it.
  private static final int MOST_BYTES = 1 << 20;

  private static Partition partition() {
    return new Partition(PartitionRecords.of(7, 5, 5 * 16, 16), 0);
  }

  private static DotSet dots() {
    DotSet dots = new DotSet();
    dots.addRun(-7, 1, 300);
    dots.add(-7, 302);
    dots.add(9, 1L << 40);
    return dots;
  }

  private static byte[] encoded(Partition partition) {
    ByteWriter out = new ByteWriter();
    MetaRows.partition(partition, out);
    return out.toByteArray();
  }

  private static byte[] partitionAgain(byte[] row) {
    Partition read = partition();
    MetaRows.partition(row, read);
    return encoded(read);
  }

  private static Hostile check(String name, byte[] made, UnaryOperator<byte[]> again)
      throws IOException {
    byte[] wanted = Golden.of("meta-5-" + name, made);
    assertArrayEquals(wanted, made, name);
    assertArrayEquals(wanted, again.apply(wanted), name);
    Hostile hostile = new Hostile(row -> assertNotNull(again.apply(row)), MOST_BYTES);
    hostile.all(wanted);
    return hostile;
  }

  private static void checkClosely(String name, byte[] made, UnaryOperator<byte[]> again)
      throws IOException {
    Hostile hostile = check(name, made, again);
    assertTrue(hostile.refused() > hostile.tried() / 3, name + ": refused " + hostile.refused());
  }

  @Test
  void rowsOfAPartition() throws IOException {
    Partition partition = partition();
    partition.admit(300);
    partition.load(dots());
    partition.records().count(3, 70_000, 1, 9_000_000_000L);
    partition.records().count(4, 0, 0, 0);
    checkClosely("partition", encoded(partition), MetaRowsTest::partitionAgain);
    checkClosely("trimmed", dots().encoded(), row -> MetaRows.trimmed(row).encoded());
    Stamp floor = new Stamp(1L << 60, -9, 7, 3, false);
    checkClosely("floor", MetaRows.floor(floor), row -> MetaRows.floor(MetaRows.floor(row)));
    check("segment", MetaRows.number(-5), row -> MetaRows.number(MetaRows.number(row)));
    assertEquals(0, Golden.of("meta-5-filled", MetaRows.filled()).length);
    assertThrows(DecodeException.class, () -> MetaRows.filled(new byte[1]));
  }

  @Test
  void theRowOfASnapshot() throws IOException {
    Partition partition = partition();
    partition.records().count(3, 70_000, 1, 9_000_000_000L);
    Stamp floor = new Stamp(1L << 60, -9, 7, 3, false);
    MetaRows.Installed made =
        new MetaRows.Installed(300, dots(), new DotSet(), floor, 5, partition.records());
    checkClosely(
        "installed",
        MetaRows.encoded(made),
        row -> MetaRows.encoded(MetaRows.installed(row, partition().records())));
  }

  @Test
  void rowsOfTheStore() throws IOException {
    Reservation reservation = new Reservation(1L << 21, 1L << 60);
    check(
        "reservation",
        MetaRows.encoded(reservation),
        row -> MetaRows.encoded(MetaRows.reservation(row)));
    check("walk", MetaRows.number(70_000), row -> MetaRows.number(MetaRows.number(row)));
  }

  @Test
  void whatNoStoreWritesIsRefused() {
    for (Reservation wrong :
        List.of(
            new Reservation(-1, 0), new Reservation(Long.MAX_VALUE, 0), new Reservation(0, -1))) {
      refused(() -> MetaRows.reservation(MetaRows.encoded(wrong)));
    }
    for (int keyspace : new int[] {0, -1, 1 << 20, Integer.MAX_VALUE}) {
      ByteWriter row = new ByteWriter().writeByte(0x10).writeVarInt(1);
      new DotSet().encode(row);
      row.writeVarInt(1).writeInt(keyspace).writeVarLong(1).writeVarLong(0).writeVarLong(1);
      refused(() -> MetaRows.partition(row.toByteArray(), partition()));
    }
  }

  private static boolean loaded(int slot, byte[] restOfKey, byte[] row) {
    return MetaRows.load(partition(), slot, 16, new ByteReader(restOfKey), row);
  }

  /// Whose keys nobody writes.
  @Test
  void aRowThatStandsWhereNoneStandsIsRefused() {
    byte[] row = encoded(partition());
    byte[] hash = MetaRows.number(7);
    assertTrue(loaded(5 * 16, new byte[] {Rows.PARTITION}, row));
    assertFalse(loaded(5 * 16, new byte[] {Rows.SEGMENT, 15}, hash));
    for (int slot : new int[] {5 * 16 + 1, 5 * 16 + 15, 6 * 16, 0}) {
      refused(() -> loaded(slot, new byte[] {Rows.PARTITION}, row));
    }
    refused(() -> loaded(5 * 16, new byte[] {Rows.PARTITION, 0}, row));
    refused(() -> loaded(5 * 16, new byte[0], row));
    for (int segment : new int[] {16, 64, 80, 255}) {
      refused(() -> loaded(5 * 16, new byte[] {Rows.SEGMENT, (byte) segment}, hash));
    }
    refused(() -> loaded(5 * 16, new byte[] {6}, hash));
  }

  private static void refused(Executable decoding) {
    assertThrows(DecodeException.class, decoding);
  }

  /// A figure that the loss of records has brought below zero is kept as it is.
  @Test
  void aFigureBelowZeroComesBack() {
    Partition partition = partition();
    partition.records().count(3, -1, 0, -16);
    Partition read = partition();
    MetaRows.partition(encoded(partition), read);
    assertEquals(-1, read.records().keys(3));
    assertEquals(-16, read.records().bytes(3));
  }

  /// Rows of stores of format 4 began with the clock.
  @Test
  void aRowOfTheFormatBeforeIsRefused() {
    byte[] row = new ByteWriter().writeBytes(dots().encoded()).writeVarInt(0).toByteArray();
    assertThrows(DecodeException.class, () -> MetaRows.partition(row, partition()));
  }
}
