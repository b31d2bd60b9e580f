package dev.tern.lsm.entry;

import dev.tern.env.DecodeException;

/// What an entry says of its key: one byte in the log and in tables.
///
/// Kinds 2 and 3 are reserved: a store that meets one was written by a later version and refuses.
public final class Kind {
  /// The key has no value.
  public static final int DELETE = 0;

  /// The key has this value.
  public static final int PUT = 1;

  /// Reserved: an operand to be merged with what is older.
  static final int MERGE = 2;

  /// Reserved: the value lies in a blob file.
  static final int BLOB = 3;

  /// The key has a value until a moment: the value is led by [#EXPIRY_BYTES] with the wall clock's
  /// milliseconds, big-endian.
  public static final int EXPIRING_PUT = 4;

  /// All keys from this key up to the value, exclusive, have none.
  public static final int RANGE_DELETE = 5;

  public static final int EXPIRY_BYTES = 8;

  private Kind() {}

  static boolean isKnown(int kind) {
    return kind == DELETE || kind == PUT || kind == EXPIRING_PUT || kind == RANGE_DELETE;
  }

  /// Looks at an entry of a table.
  ///
  /// @throws DecodeException if it is of a kind that is not known here, or its value is too short
  public static void check(int kind, int valueLength) {
    boolean isKnown = kind == DELETE || kind == PUT || kind == EXPIRING_PUT;
    if (!isKnown || kind == EXPIRING_PUT && valueLength < EXPIRY_BYTES) {
      throw new DecodeException(
          "an entry of kind %d with a value of %d bytes".formatted(kind, valueLength));
    }
  }

  public static String name(int kind) {
    return switch (kind) {
      case DELETE -> "delete";
      case PUT -> "put";
      case EXPIRING_PUT -> "expiring put";
      case RANGE_DELETE -> "range delete";
      default -> "kind " + kind;
    };
  }
}
