package dev.tern.env;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ByteCodecTest {
  @Test
  void numbersOfEveryWidthComeBack() {
    Randomness random = Randomness.of(7);
    for (int round = 0; round < 10_000; round++) {
      long value = random.nextLong() >>> random.nextInt(64);
      ByteWriter out = new ByteWriter(1);
      out.writeByte((int) value).writeShort((int) value).writeInt((int) value).writeLong(value);
      out.writeVarLong(value).writeVarInt((int) value).writeString("x" + value);
      ByteReader in = new ByteReader(out.toByteArray());
      assertEquals((byte) value, in.readByte());
      assertEquals(value & 0xffff, in.readUnsignedShort());
      assertEquals((int) value, in.readInt());
      assertEquals(value, in.readLong());
      assertEquals(value, in.readVarLong());
      assertEquals((int) value, in.readVarInt());
      assertEquals("x" + value, in.readString());
      in.expectEnd();
    }
  }

  @Test
  void everyTruncationIsRefused() {
    ByteWriter out = new ByteWriter();
    out.writeLong(1).writeVarLong(1L << 62).writeBlob(new byte[300]).writeInt(9);
    byte[] whole = out.toByteArray();
    for (int cut = 0; cut < whole.length; cut++) {
      ByteReader in = new ByteReader(whole, 0, cut);
      assertThrows(
          DecodeException.class,
          () -> {
            in.readLong();
            in.readVarLong();
            in.readBlob();
            in.readInt();
          });
    }
  }

  @Test
  void shortFieldsBehindALargeValueDoNotMakeItBeCopiedAgain() {
    ByteWriter out = new ByteWriter().writeBlob(new byte[1 << 20]);
    byte[] array = out.array();
    out.writeVarLong(Long.MAX_VALUE).writeLong(1).writeVarInt(0);
    assertSame(array, out.array());
  }

  @Test
  void lengthsThatLieAreRefusedBeforeAnythingIsAllocated() {
    ByteWriter out = new ByteWriter().writeVarLong(Integer.MAX_VALUE).writeByte(1);
    assertThrows(DecodeException.class, () -> new ByteReader(out.toByteArray()).readBlob());
    ByteWriter negative = new ByteWriter().writeVarLong(-1).writeByte(1);
    assertThrows(DecodeException.class, () -> new ByteReader(negative.toByteArray()).readBlob());
    byte[] endless = new byte[20];
    java.util.Arrays.fill(endless, (byte) 0xff);
    assertThrows(DecodeException.class, () -> new ByteReader(endless).readVarLong());
  }

  @Test
  void childGeneratorsDependOnSeedAndNameOnly() {
    Randomness one = Randomness.of(42);
    Randomness two = Randomness.of(42);
    two.nextLong();
    assertEquals(one.child("disk").nextLong(), two.child("disk").nextLong());
    assertArrayEquals(
        new long[] {one.child("a").nextLong()}, new long[] {two.child("a").nextLong()});
  }

  @Test
  void aPartThatTheArrayDoesNotHaveIsRefused() {
    byte[] array = new byte[8];
    int[][] wrong = {{0, 9}, {8, 1}, {4, 5}, {9, 0}, {-1, 2}, {0, -1}, {4, Integer.MAX_VALUE}};
    for (int[] part : wrong) {
      assertThrows(DecodeException.class, () -> new ByteReader(array, part[0], part[1]));
      assertThrows(
          DecodeException.class, () -> new ByteReader(array).reset(array, part[0], part[1]));
    }
    assertEquals(4, new ByteReader(array, 4, 4).remaining());
  }
}
