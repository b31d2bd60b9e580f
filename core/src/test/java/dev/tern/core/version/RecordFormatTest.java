package dev.tern.core.version;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// The bytes of records, of each form, and of sets of dots.
class RecordFormatTest {
  private static final Stamp UPDATED = new Stamp(1L << 60, -9, 7, 3, false);
  private static final int MOST_BYTES = 1 << 18;

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  private static DotSet clock() {
    DotSet clock = new DotSet();
    clock.addRun(4, 2, 900);
    clock.addRun(4, 1_000_000, 1_000_000);
    clock.addRun(-7, 1, 299);
    return clock;
  }

  private static DotSet dots() {
    DotSet dots = new DotSet();
    dots.addRun(3, 7, 8);
    dots.add(3, 300);
    dots.add(-7, 1L << 40);
    return dots;
  }

  /// Every flag, type and field at least once.
  private static Siblings siblings() {
    Version object =
        new Version(
            -7, 300, UPDATED, 1_780_000_000_000L, ValueType.RIAK_OBJECT, bytes("an object"));
    Version extended =
        new Version(
            5,
            1,
            Stamp.put(1L << 50, 5),
            0,
            ValueType.BYTES,
            bytes("bytes"),
            bytes("of a later version"));
    Version deleted =
        new Version(6, 2, Stamp.put(1L << 49, 6).ofExpiry(), 0, ValueType.NONE, null, bytes("x"));
    Version properties =
        new Version(8, 1, Stamp.put(9, 8), 0, ValueType.RIAK_PROPERTIES, new byte[0]);
    DotSet none = new DotSet();
    Siblings record = Siblings.written(Siblings.of(properties), none, deleted);
    return Siblings.written(Siblings.written(record, none, extended), clock(), object);
  }

  private static byte[] encoded(Cell cell) {
    ByteWriter out = new ByteWriter();
    cell.encode(out);
    return out.toByteArray();
  }

  private static Siblings decoded(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    Siblings record = Siblings.decode(in);
    in.expectEnd();
    return record;
  }

  private static void hostile(Hostile.Decoder decoder, byte[] good) {
    Hostile hostile = new Hostile(decoder, MOST_BYTES);
    hostile.all(good);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  @Test
  void versionsOfFormat3() throws IOException {
    byte[] wanted = Golden.of("record-3-versions", siblings().encoded());
    assertArrayEquals(wanted, siblings().encoded());
    Siblings read = decoded(wanted);
    assertArrayEquals(wanted, read.encoded());
    assertEquals(4, read.count());
    assertEquals(ValueType.RIAK_OBJECT, read.get(0).type());
    assertEquals(ValueType.BYTES, read.get(1).type());
    assertEquals(ValueType.NONE, read.get(2).type());
    assertArrayEquals(bytes("x"), read.get(2).extension());
    assertEquals(ValueType.RIAK_PROPERTIES, read.get(3).type());
    assertNull(read.get(3).extension());
    hostile(RecordFormatTest::decoded, wanted);
  }

  /// What a later version adds to a write goes where the write goes, and replicas that differ in it
  /// find out.
  @Test
  void anExtensionIsKeptThroughMergesAndHashed() {
    Siblings record = siblings();
    Siblings merged = Siblings.merged(record, Siblings.nothing(new DotSet()));
    assertArrayEquals(bytes("of a later version"), merged.get(1).extension());
    Version with = Objects.requireNonNull(record.get(1));
    Version without =
        new Version(
            with.replica(),
            with.counter(),
            with.stamp(),
            with.expiryMillis(),
            with.type(),
            with.value());
    RecordHash hash = new RecordHash();
    byte[] key = bytes("key");
    assertNotEquals(hash.whole(key, Siblings.of(with)), hash.whole(key, Siblings.of(without)));
  }

  @Test
  void anExtensionIsBounded() {
    byte[] tooLong = new byte[Version.MAX_EXTENSION_BYTES + 1];
    Version version =
        new Version(5, 1, Stamp.put(1, 5), 0, ValueType.BYTES, bytes("bytes"), tooLong);
    byte[] encoded = Siblings.of(version).encoded();
    String message =
        assertThrows(DecodeException.class, () -> Siblings.decode(encoded)).getMessage();
    assertTrue(message.contains("an extension of 1025 bytes"), message);
  }

  @Test
  void cellsOfFormat3() throws IOException {
    List<Cell> cells =
        List.of(
            new Cell.Bare(ValueType.BYTES, bytes("a field of a hash")),
            new Cell.Dots(dots(), clock()),
            new Cell.Lattice(dots(), clock(), ValueType.BYTES, bytes("the join")));
    List<String> names = List.of("record-3-bare", "record-3-dots", "record-3-lattice");
    for (int i = 0; i < cells.size(); i++) {
      byte[] made = encoded(cells.get(i));
      byte[] wanted = Golden.of(names.get(i), made);
      assertArrayEquals(wanted, made);
      Cell read = Cell.decode(new ByteReader(wanted));
      assertEquals(cells.get(i).getClass(), read.getClass());
      assertArrayEquals(wanted, encoded(read));
      // The payload of a bare cell is whatever stands there: only its first two bytes can be wrong.
      Hostile hostile = new Hostile(b -> Cell.decode(new ByteReader(b)), MOST_BYTES);
      hostile.all(wanted);
      assertTrue(i == 0 || hostile.refused() > hostile.tried() / 3, names.get(i));
    }
  }

  @Test
  void aCellIsNoRecordOfAKeyAndARecordIsNoCell() {
    byte[] cell = encoded(new Cell.Dots(dots(), clock()));
    String message = assertThrows(DecodeException.class, () -> decoded(cell)).getMessage();
    assertTrue(message.contains("form DOTS where VERSIONS belongs"), message);
    byte[] record = siblings().encoded();
    assertThrows(DecodeException.class, () -> Cell.decode(new ByteReader(record)));
  }

  @Test
  void dotsOfACellStandInOneOrder() {
    byte[][] wrong = {
      {0x32, 2, 0, 0, 0, 3, 7, 0, 0, 0, 3, 7, 0}, // twice
      {0x32, 2, 0, 0, 0, 3, 8, 0, 0, 0, 3, 7, 0}, // falling
      {0x32, 1, 0, 0, 0, 0, 7, 0}, // of no replica
      {0x32, 1, 0, 0, 0, 3, 0, 0}, // counted from 1
      {0x32, 3, 0, 0, 0, 3, 7, 0, 0, 0, 4, 7, 0, 0, 0, 3, 9, 0}, // of one replica, apart
    };
    for (byte[] bytes : wrong) {
      assertThrows(DecodeException.class, () -> Cell.decode(new ByteReader(bytes)));
    }
  }

  @Test
  void dotSets() throws IOException {
    byte[] wanted = Golden.of("dots-1", clock().encoded());
    assertArrayEquals(wanted, clock().encoded());
    assertArrayEquals(wanted, DotSet.decode(new ByteReader(wanted)).encoded());
    hostile(
        b -> {
          ByteReader in = new ByteReader(b);
          DotSet.decode(in);
          in.expectEnd();
        },
        wanted);
  }

  /// Behind a right checksum.
  @Test
  void dotsThatNobodyWritesAreRefused() {
    byte[][] wrong = {
      {2, 0, 0, 0, 3, 1, 1, 1, 0, 0, 0, 3, 1, 5, 1}, // one replica twice
      {1, 0, 0, 0, 0, 1, 1, 1}, // no replica
      {1, 0, 0, 0, 3, 1, 0, 1}, // counted from 1
      {1, 0, 0, 0, 3, 2, 1, 4, 1, 1}, // two runs that are one
      {1, 0, 0, 0, 3, 2, 1, 4, 0, 1}, // a run within another
      {1, 0, 0, 0, 3, 1, 1, 0}, // nothing in a run
    };
    for (byte[] bytes : wrong) {
      assertThrows(DecodeException.class, () -> DotSet.decode(new ByteReader(bytes)));
    }
    int many = DotSet.MAX_RUNS + 1;
    ByteWriter out = new ByteWriter().writeVarInt(1).writeInt(3).writeVarInt(many);
    for (int i = 0; i < many; i++) {
      out.writeVarInt(2).writeVarInt(1);
    }
    byte[] runs = out.toByteArray();
    String message =
        assertThrows(DecodeException.class, () -> DotSet.decode(new ByteReader(runs))).getMessage();
    assertTrue(message.contains(many + " runs"), message);
    ByteWriter last = new ByteWriter().writeVarInt(1).writeInt(3).writeVarInt(1);
    byte[] beyond = last.writeVarLong(1L << 62).writeVarLong(1L << 62).toByteArray();
    assertThrows(DecodeException.class, () -> DotSet.decode(new ByteReader(beyond)));
  }

  /// A replica writes one form of what it means.
  @Test
  void whatAVersionNeedNotSayIsRefused() {
    int[][] wrong = {
      {2, 1, 0, 0, 0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 'v'}, // it expires never
      {4, 1, 0, 0, 0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 1, 'v'}, // a put's stamp
    };
    for (int[] version : wrong) {
      ByteWriter out = new ByteWriter().writeByte(0x30).writeVarInt(1);
      for (int each : version) {
        out.writeByte(each);
      }
      new DotSet().encode(out);
      assertThrows(DecodeException.class, () -> decoded(out.toByteArray()));
    }
  }

  /// Two versions of one dot may differ in their stamps, and stand apart.
  @Test
  void aRecordWithOneDotTwiceIsRefused() {
    List<Version> versions = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      int counter = i == 4 ? 1 : i + 1;
      versions.add(Version.put(7, counter, 100 - i, 0, bytes("v" + i)));
    }
    ByteWriter out = new ByteWriter().writeByte(0x30).writeVarInt(versions.size());
    versions.forEach(version -> version.encode(out));
    new DotSet().encode(out);
    String message =
        assertThrows(DecodeException.class, () -> decoded(out.toByteArray())).getMessage();
    assertTrue(message.contains("one dot twice"), message);
    ByteWriter fewer = new ByteWriter().writeByte(0x30).writeVarInt(versions.size() - 1);
    versions.subList(0, 4).forEach(version -> version.encode(fewer));
    new DotSet().encode(fewer);
    assertEquals(4, decoded(fewer.toByteArray()).count());
  }

  /// A number that was given out stays what it is.
  @Test
  void typesAreNumberedForEver() {
    assertEquals(0, ValueType.NONE.number());
    assertEquals(1, ValueType.BYTES.number());
    assertEquals(2, ValueType.RIAK_OBJECT.number());
    assertEquals(3, ValueType.RIAK_PROPERTIES.number());
    TreeSet<Integer> numbers = new TreeSet<>();
    for (ValueType type : ValueType.values()) {
      assertTrue(numbers.add(type.number()));
    }
    assertThrows(
        DecodeException.class, () -> ValueType.decode(new ByteReader(new byte[] {(byte) 99})));
    assertThrows(DecodeException.class, () -> ValueType.decode(new ByteReader(new byte[] {0})));
  }
}
