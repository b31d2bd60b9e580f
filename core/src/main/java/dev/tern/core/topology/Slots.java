package dev.tern.core.topology;

import org.jspecify.annotations.Nullable;

/// The slot of a key: Redis Cluster's rule, so that its clients route straight to a replica.
///
/// CRC16 of the XModem kind (polynomial 0x1021, initial 0, not reflected) modulo 16384 over the
/// key, or over what stands between the first `{` and the next `}` after it if that is not empty
/// (Redis Cluster specification, "Hash tags").
public final class Slots {
  public static final int COUNT = 16384;

  private static final short[] TABLE = table();

  private Slots() {}

  /// Why the slots cannot be cut into so many equal arcs; null if they can.
  static @Nullable String problem(int partitions) {
    return partitions < 1 || Integer.bitCount(partitions) != 1 || partitions > COUNT
        ? "the number of partitions is a power of two up to " + COUNT + ", not " + partitions
        : null;
  }

  /// The slot of a key, 0 to 16383.
  public static int of(byte[] key) {
    return of(key, 0, key.length);
  }

  public static int of(byte[] key, int offset, int length) {
    int end = offset + length;
    for (int open = offset; open < end; open++) {
      if (key[open] == '{') {
        for (int close = open + 1; close < end; close++) {
          if (key[close] == '}') {
            return close == open + 1
                ? crc16(key, offset, end) & (COUNT - 1)
                : crc16(key, open + 1, close) & (COUNT - 1);
          }
        }
        break;
      }
    }
    return crc16(key, offset, end) & (COUNT - 1);
  }

  private static int crc16(byte[] bytes, int from, int to) {
    int crc = 0;
    for (int i = from; i < to; i++) {
      crc = ((crc << 8) ^ TABLE[((crc >>> 8) ^ bytes[i]) & 0xff]) & 0xffff;
    }
    return crc;
  }

  private static short[] table() {
    short[] table = new short[256];
    for (int i = 0; i < 256; i++) {
      int crc = i << 8;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
      }
      table[i] = (short) crc;
    }
    return table;
  }
}
