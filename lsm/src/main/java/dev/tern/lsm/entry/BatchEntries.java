package dev.tern.lsm.entry;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;

/// Takes the entries out of encoded batches, one after the other; reused, and nothing is allocated.
/// What an entry is lies in the fields.
public final class BatchEntries {
  /// What a batch may take in the log.
  public static final int MAX_BYTES = 1 << 30;

  private final ByteReader own = new ByteReader(new byte[0]);
  private ByteReader in = own;
  private int left;

  public int family;
  public long sequence;
  public int kind;
  public byte[] array = {};
  public int keyAt;
  public int keyLength;
  public int valueAt;
  public int valueLength;

  /// Begins with a batch of this process's own.
  public void begin(ByteWriter encoded) {
    begin(own.reset(encoded.array(), 0, encoded.length()));
  }

  /// Begins with the batch that comes next in a reader.
  ///
  /// @throws DecodeException if there is none
  public void begin(ByteReader reader) {
    in = reader;
    sequence = in.readLong() - 1;
    left = in.readInt();
    if (sequence < 0 || left < 0) {
      throw new DecodeException("a batch of %d entries from %d".formatted(left, sequence + 1));
    }
    array = in.array();
  }

  /// To the next entry; false if there is none.
  ///
  /// @throws DecodeException if it is none, or of a kind not known here
  public boolean next() {
    if (left <= 0) {
      return false;
    }
    left--;
    sequence++;
    kind = in.readUnsignedByte();
    if (!Kind.isKnown(kind)) {
      throw new DecodeException("an entry of kind " + kind + ", which is not known here");
    }
    family = in.readVarInt();
    keyLength = in.readLength();
    keyAt = in.position();
    in.skip(keyLength);
    valueLength = kind == Kind.DELETE ? 0 : in.readLength();
    valueAt = in.position();
    in.skip(valueLength);
    if (kind == Kind.EXPIRING_PUT && valueLength < Kind.EXPIRY_BYTES) {
      throw new DecodeException("an expiring value of " + valueLength + " bytes");
    }
    return true;
  }

  /// Whether nothing is behind the last entry.
  public boolean isAtEnd() {
    return in.remaining() == 0;
  }

  /// A copy.
  public byte[] key() {
    return Arrays.copyOfRange(array, keyAt, keyAt + keyLength);
  }

  /// A copy.
  public byte[] value() {
    return Arrays.copyOfRange(array, valueAt, valueAt + valueLength);
  }
}
