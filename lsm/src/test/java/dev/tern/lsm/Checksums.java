package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.env.FileHeader;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/// Checksums of files that a test has changed.
public final class Checksums {
  private Checksums() {}

  public static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  public static int crc(byte[] bytes, int from, int to) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, to - from);
    return (int) crc.getValue();
  }

  /// Makes the checksum of a file's header fit its bytes.
  public static void mendHeader(byte[] bytes) {
    int at = FileHeader.BYTES - 4;
    ByteBuffer.wrap(bytes).putInt(at, crc(bytes, 0, at));
  }
}
