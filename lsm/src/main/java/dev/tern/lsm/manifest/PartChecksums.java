package dev.tern.lsm.manifest;

/// The CRC32C of any part of some bytes, at a cost that does not grow with the part: whoever looks
/// for a whole record at each offset would else read all that follows at each.
///
/// The checksum of a prefix, moved by as many zero bytes as follow it, is a part of the checksum of
/// the longer prefix. Moving by n bytes is a product with x^8n, modulo the polynomial.
final class PartChecksums {
  /// CRC32C, the lowest power in the highest bit.
  private static final int POLYNOMIAL = 0x82f63b78;

  private static final int ONE = 0x8000_0000;

  /// A checksum is kept of each so many bytes.
  private static final int STRIDE = 64;

  private static final int[] STEPS = new int[256];

  /// By byte of a length and its place: what the checksum before is multiplied by.
  private static final int[][] MOVES = new int[Integer.BYTES][256];

  static {
    for (int i = 0; i < STEPS.length; i++) {
      int crc = i;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ POLYNOMIAL;
      }
      STEPS[i] = crc;
    }
    int byOne = ONE >>> 8;
    for (int[] moves : MOVES) {
      moves[0] = ONE;
      for (int n = 1; n < moves.length; n++) {
        moves[n] = product(moves[n - 1], byOne);
      }
      byOne = product(moves[moves.length - 1], byOne);
    }
  }

  private final byte[] bytes;
  private final int from;

  /// Of the bytes from `from` on, without the complement before and behind.
  private final int[] prefixes;

  PartChecksums(byte[] bytes, int from) {
    this.bytes = bytes;
    this.from = from;
    this.prefixes = new int[(bytes.length - from) / STRIDE + 1];
    for (int i = 1; i < prefixes.length; i++) {
      int at = from + i * STRIDE;
      prefixes[i] = go(prefixes[i - 1], at - STRIDE, at);
    }
  }

  private static int product(int a, int b) {
    int product = 0;
    int factor = b;
    for (int bits = a; bits != 0; bits <<= 1) {
      if (bits < 0) {
        product ^= factor;
      }
      factor = (factor & 1) == 0 ? factor >>> 1 : factor >>> 1 ^ POLYNOMIAL;
    }
    return product;
  }

  private static int moved(int crc, int length) {
    int moved = crc;
    for (int i = 0; i < MOVES.length; i++) {
      moved = product(MOVES[i][length >>> 8 * i & 0xff], moved);
    }
    return moved;
  }

  private int go(int crc, int start, int end) {
    int now = crc;
    for (int i = start; i < end; i++) {
      now = STEPS[(now ^ bytes[i]) & 0xff] ^ now >>> 8;
    }
    return now;
  }

  private int prefix(int end) {
    int nearest = (end - from) / STRIDE;
    return go(prefixes[nearest], from + nearest * STRIDE, end);
  }

  /// The checksum of the `head` bytes at `at` and of the bytes from `start` to `end`, which follow.
  int of(int at, int head, int start, int end) {
    int before = go(-1, at, at + head) ^ prefix(start);
    return ~(moved(before, end - start) ^ prefix(end));
  }
}
