package dev.tern.env;

import java.util.zip.CRC32C;

/// How each file begins.
///
/// ```
///   0  u64 magic of the kind    8  u32 format    12  16 bytes life
///   28 u32 crc32c of the bytes before            32  what the format says
/// ```
///
/// The life is drawn when the file is made, and anew when a file is written again from its start.
/// What names a file (a manifest, the next segment of a log) names its life too, so a file of
/// another store or of another time is told from the one that is meant.
///
/// @param kind what the file is
/// @param format of the kind
/// @param life of the file
public record FileHeader(FileKind kind, int format, FileLife life) {
  /// Bytes of an encoded one.
  public static final int BYTES = 32;

  private static final int SUMMED_BYTES = BYTES - 4;

  /// The header of a new file.
  public static FileHeader of(FileKind kind, FileLife life) {
    return new FileHeader(kind, kind.format(), life);
  }

  /// Appends the 32 bytes.
  public void encode(ByteWriter out) {
    int start = out.length();
    out.writeLong(kind.magic).writeInt(format);
    life.encode(out);
    out.writeInt(crc(out.array(), start));
  }

  /// The 32 bytes.
  public byte[] toBytes() {
    ByteWriter out = new ByteWriter(BYTES);
    encode(out);
    return out.toByteArray();
  }

  /// The header at the start of a file.
  ///
  /// @param wanted the kind the file must be of
  /// @param bytes of the file, from its start
  /// @param length how many of them there are
  /// @throws DecodeException if the file is of another kind or format, or the header is damaged
  public static FileHeader decode(FileKind wanted, byte[] bytes, int length) {
    FileHeader header = decode(bytes, length);
    if (header.kind != wanted) {
      throw new DecodeException(
          "a %s where a %s belongs".formatted(header.kind.noun(), wanted.noun()));
    }
    if (header.format != wanted.format()) {
      throw new DecodeException(refusal(wanted, header.format));
    }
    return header;
  }

  /// The header of a file of any kind and format.
  ///
  /// @throws DecodeException if there is none, or it is damaged
  public static FileHeader decode(byte[] bytes, int length) {
    if (length < BYTES) {
      throw new DecodeException("%d bytes, fewer than a header".formatted(length));
    }
    FileKind kind = FileKind.of(bytes);
    if (kind == null) {
      throw new DecodeException(
          "it begins as no file does that this version of Tern knows: damaged, foreign, or of an"
              + " earlier format");
    }
    ByteReader in = new ByteReader(bytes, Long.BYTES, BYTES - Long.BYTES);
    int format = in.readInt();
    FileLife life = FileLife.decode(in);
    if (in.readInt() != crc(bytes, 0)) {
      throw new DecodeException("the checksum of its header does not match");
    }
    return new FileHeader(kind, format, life);
  }

  /// What is said of a file whose format is not read here.
  public static String refusal(FileKind kind, int format) {
    return refusal("a " + kind.noun(), format, kind.format());
  }

  /// What is said of anything that is of a format which is not read here.
  ///
  /// @param what with its article
  /// @param format unsigned
  public static String refusal(String what, int format, int read) {
    return "%s of format %s; this version of Tern reads %d: use the version that wrote it"
        .formatted(what, Integer.toUnsignedString(format), read);
  }

  /// What is said of a file that is not the one that is meant, and what to do.
  ///
  /// @param namedBy what says which file is meant
  public static String foreign(FileLife found, FileLife wanted, String namedBy) {
    return another(found, wanted, namedBy)
        + ". Put the right file back, or restore the whole directory";
  }

  /// As [#foreign], without what to do.
  public static String another(FileLife found, FileLife wanted, String namedBy) {
    return ("another file under this name, of life %s; %s has life %s: it is of another directory"
            + " or of another time")
        .formatted(found, namedBy, wanted);
  }

  private static int crc(byte[] bytes, int start) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, start, SUMMED_BYTES);
    return (int) crc.getValue();
  }
}
