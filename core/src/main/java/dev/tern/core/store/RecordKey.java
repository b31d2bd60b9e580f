package dev.tern.core.store;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;

/// Where a record lies; the order of the bytes is the order of storage.
///
/// ```
///    0        2        4             8          12
///   | set u16 | slot u16 | keyspace u32 | hash u32 | user key, 00 -> 00 FF | 00 01 |
/// ```
///
/// `set` is [dev.tern.core.topology.ReplicaGroups#number] of the keyspace's groups, `hash` is
/// [dev.tern.core.keyspace.KeyHash] of the user key. All integers are big-endian. A partition is a
/// run of slots of one set, so its records are one range. The end of a user key is marked, so that
/// no record key begins another one and rows of parts of a key can follow it (docs/design/0013).
public final class RecordKey {
  /// Before the user key.
  public static final int PREFIX_BYTES = 12;

  private static final int END_BYTES = 2;
  private static final int LEAST_BYTES = PREFIX_BYTES + END_BYTES;

  /// Follows a zero byte of the user key.
  private static final byte ESCAPED = (byte) 0xff;

  /// Follows the zero byte behind the user key.
  private static final byte END = 1;

  private RecordKey() {}

  /// The record key of a user key.
  ///
  /// @param set number of the keyspace's replica groups
  /// @param hash of the user key, by its keyspace's hash
  public static byte[] of(int set, int slot, int keyspace, int hash, byte[] key) {
    int zeros = 0;
    for (byte b : key) {
      zeros += b == 0 ? 1 : 0;
    }
    byte[] bytes = new byte[LEAST_BYTES + key.length + zeros];
    prefix(bytes, set, slot);
    writeInt(bytes, 4, keyspace);
    writeInt(bytes, 8, hash);
    if (zeros == 0) {
      System.arraycopy(key, 0, bytes, PREFIX_BYTES, key.length);
    } else {
      int at = PREFIX_BYTES;
      for (byte b : key) {
        bytes[at++] = b;
        if (b == 0) {
          bytes[at++] = ESCAPED;
        }
      }
    }
    bytes[bytes.length - 1] = END;
    return bytes;
  }

  private static void prefix(byte[] bytes, int set, int slot) {
    bytes[0] = (byte) (set >>> 8);
    bytes[1] = (byte) set;
    bytes[2] = (byte) (slot >>> 8);
    bytes[3] = (byte) slot;
  }

  private static void writeInt(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >>> 24);
    bytes[at + 1] = (byte) (value >>> 16);
    bytes[at + 2] = (byte) (value >>> 8);
    bytes[at + 3] = (byte) value;
  }

  /// Before all record keys of a set from a slot on; the slot may be the one behind the last.
  public static byte[] first(int set, int slot) {
    byte[] bytes = new byte[4];
    prefix(bytes, set, slot);
    return bytes;
  }

  /// Before all record keys of a keyspace in a slot.
  public static byte[] first(int set, int slot, int keyspace) {
    byte[] bytes = new byte[8];
    prefix(bytes, set, slot);
    writeInt(bytes, 4, keyspace);
    return bytes;
  }

  /// Before all record keys of a keyspace in a slot from a hash on.
  public static byte[] first(int set, int slot, int keyspace, int hash) {
    byte[] bytes = new byte[PREFIX_BYTES];
    prefix(bytes, set, slot);
    writeInt(bytes, 4, keyspace);
    writeInt(bytes, 8, hash);
    return bytes;
  }

  /// The number of the replica groups that a record key names.
  public static int set(byte[] recordKey) {
    return new ByteReader(recordKey).readUnsignedShort();
  }

  /// The slot that a record key names.
  public static int slot(byte[] recordKey) {
    return new ByteReader(recordKey, 2, 2).readUnsignedShort();
  }

  /// The id of the keyspace that a record key names.
  public static int keyspace(byte[] recordKey) {
    return new ByteReader(recordKey, 4, 4).readInt();
  }

  /// The hash of the user key, as the record key has it.
  public static int hash(byte[] recordKey) {
    return new ByteReader(recordKey, 8, 4).readInt();
  }

  /// Whether bytes are a record key: long enough, with an escaped user key and its end.
  public static boolean isOne(byte[] bytes) {
    return bytes.length >= LEAST_BYTES && zeros(bytes) >= 0;
  }

  /// The zero bytes of the user key; -1 if its end or an escape is not where it must be.
  private static int zeros(byte[] recordKey) {
    int end = recordKey.length - END_BYTES;
    if (recordKey[end] != 0 || recordKey[end + 1] != END) {
      return -1;
    }
    int zeros = 0;
    for (int i = PREFIX_BYTES; i < end; i++) {
      if (recordKey[i] == 0) {
        i++;
        if (i == end || recordKey[i] != ESCAPED) {
          return -1;
        }
        zeros++;
      }
    }
    return zeros;
  }

  /// The user key.
  ///
  /// @throws DecodeException if the bytes are no record key
  public static byte[] userKey(byte[] recordKey) {
    int zeros = recordKey.length < LEAST_BYTES ? -1 : zeros(recordKey);
    if (zeros < 0) {
      throw new DecodeException("a record key without its end");
    }
    int end = recordKey.length - END_BYTES;
    if (zeros == 0) {
      return Arrays.copyOfRange(recordKey, PREFIX_BYTES, end);
    }
    byte[] key = new byte[end - PREFIX_BYTES - zeros];
    int at = PREFIX_BYTES;
    for (int i = 0; i < key.length; i++) {
      key[i] = recordKey[at];
      at += key[i] == 0 ? 2 : 1;
    }
    return key;
  }

  /// Bytes of the user key.
  ///
  /// @throws DecodeException if the bytes are no record key
  public static int userKeyBytes(byte[] recordKey) {
    int zeros = recordKey.length < LEAST_BYTES ? -1 : zeros(recordKey);
    if (zeros < 0) {
      throw new DecodeException("a record key without its end");
    }
    return recordKey.length - LEAST_BYTES - zeros;
  }

  /// Reads a record key that was written as a blob.
  ///
  /// @throws DecodeException if it is none
  public static byte[] decode(ByteReader in) {
    byte[] recordKey = in.readBlob();
    if (!isOne(recordKey)) {
      throw new DecodeException("a record key without its end");
    }
    return recordKey;
  }

  /// What of it follows the set: the part that stands in rows which begin with the set themselves.
  public static ByteWriter writeWithoutSet(byte[] recordKey, ByteWriter out) {
    return out.writeBytes(recordKey, 2, recordKey.length - 2);
  }
}
