package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;

/// The first byte of a record: its high nibble is the version of the format of all forms, its low
/// nibble which form it is.
public enum RecordForm {
  /// Versions of one key, see [Siblings].
  VERSIONS,

  /// A cell of a strong collection, see [Cell.Bare].
  BARE,

  /// Dots alone, see [Cell.Dots].
  DOTS,

  /// Dots and one value that is the join of what they wrote, see [Cell.Lattice].
  LATTICE;

  /// The version that is written and read: 3 brought types of values and the extension.
  public static final int FORMAT = 3;

  private static final RecordForm[] ALL = values();

  /// Appends the byte.
  void encode(ByteWriter out) {
    out.writeByte(FORMAT << 4 | ordinal());
  }

  /// @throws DecodeException if the record is of another version, or of a form that is not known
  static RecordForm decode(ByteReader in) {
    int lead = in.readUnsignedByte();
    if (lead >>> 4 != FORMAT) {
      throw new DecodeException(
          "a record of format %d; this version reads format %d only".formatted(lead >>> 4, FORMAT));
    }
    int form = lead & 0xf;
    if (form >= ALL.length) {
      throw new DecodeException("a record of form " + form + ", which this version does not know");
    }
    return ALL[form];
  }

  /// Reads the byte of a record of this form.
  ///
  /// @throws DecodeException if it is none
  void expect(ByteReader in) {
    RecordForm form = decode(in);
    if (form != this) {
      throw new DecodeException("a record of form " + form + " where " + this + " belongs");
    }
  }
}
