package dev.tern.env;

import java.util.HexFormat;

/// The random number of one life of a file, 16 bytes: no other file has it, and a file that is
/// written again from its start begins another life. It tells whose file a file is without a name
/// or a place, as names are used again.
///
/// @param high the first 8 bytes
/// @param low the last 8 bytes
public record FileLife(long high, long low) {
  /// Bytes of an encoded one.
  public static final int BYTES = 16;

  /// Of what has no file.
  public static final FileLife NONE = new FileLife(0, 0);

  /// @throws DecodeException if fewer bytes are left
  public static FileLife decode(ByteReader in) {
    return new FileLife(in.readLong(), in.readLong());
  }

  /// The inverse of [#decode].
  public void encode(ByteWriter out) {
    out.writeLong(high).writeLong(low);
  }

  /// The inverse of [#toString].
  ///
  /// @throws DecodeException if the text is not 32 hexadecimal digits
  public static FileLife parse(String text) {
    try {
      return decode(new ByteReader(HexFormat.of().parseHex(text)));
    } catch (IllegalArgumentException e) {
      throw new DecodeException("no life of a file: " + text);
    }
  }

  /// 32 hexadecimal digits.
  @Override
  public String toString() {
    return "%016x%016x".formatted(high, low);
  }
}
