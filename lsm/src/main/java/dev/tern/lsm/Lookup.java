package dev.tern.lsm;

import dev.tern.env.Clock;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// What a point lookup has found so far; reused, so that a lookup allocates nothing but its result.
final class Lookup {
  /// Nothing in this source.
  static final int ABSENT = 0;

  /// An entry: its kind, and its value if it has one, are in the fields.
  static final int FOUND = 1;

  /// A block would have to be read.
  static final int NOT_CACHED = 2;

  byte[] key = {};
  long hash;
  long maxSequence;

  /// The newest sequence that deleted a range with the key, in the sources looked at; 0 for none.
  long covered;

  final BlockCursor.Handle handle = new BlockCursor.Handle();
  final BlockCursor.Place place = new BlockCursor.Place();

  /// Whether files may be read.
  boolean mayRead;

  int kind;
  long sequence;

  /// Where the value lies: in native memory of `block`, or in `array`.
  @Nullable Block block;

  MemorySegment memory = MemorySegment.NULL;
  byte @Nullable [] array;
  long valueAt;
  int valueLength;

  void begin(byte[] newKey, long newHash, long newMaxSequence, boolean newMayRead) {
    key = newKey;
    hash = newHash;
    maxSequence = newMaxSequence;
    mayRead = newMayRead;
    covered = 0;
    block = null;
    array = null;
  }

  /// What was found is the entry of `place` in a block.
  void take(Block in) {
    kind = (int) place.packed & 15;
    sequence = place.packed >>> 4;
    block = in;
    memory = in.memory;
    array = null;
    valueAt = place.valueAt;
    valueLength = place.valueLength;
  }

  /// Whether a value was found, and not one that was deleted or has expired.
  private boolean isLive(Clock clock) {
    if (covered > sequence || kind == Kind.DELETE) {
      return false;
    }
    if (kind == Kind.EXPIRING_PUT) {
      byte[] in = array;
      long expiry =
          in != null ? (long) Keys.LONG.get(in, (int) valueAt) : memory.get(Keys.LONG_AT, valueAt);
      return expiry > clock.wallMillis();
    }
    return true;
  }

  private int head() {
    return kind == Kind.EXPIRING_PUT ? Kind.EXPIRY_BYTES : 0;
  }

  /// A copy of the value that was found, null if it is deleted or has expired.
  byte @Nullable [] value(Clock clock) {
    return isLive(clock) ? copy(head()) : null;
  }

  /// The value that was found, to be used after the epoch; null if it is deleted or has expired.
  ///
  /// @param pool for what lies in an array of a memtable, which a loan cannot keep
  @Nullable Loan lend(Clock clock, NativeMemory pool) {
    if (!isLive(clock)) {
      return null;
    }
    int head = head();
    byte[] in = array;
    if (in != null) {
      return Loan.ofCopy(pool, in, (int) valueAt + head, valueLength - head);
    }
    Block lent = java.util.Objects.requireNonNull(block);
    block = null;
    return Loan.of(lent, valueAt + head, valueLength - head);
  }

  private byte[] copy(int head) {
    byte[] value = new byte[valueLength - head];
    byte[] in = array;
    if (in != null) {
      System.arraycopy(in, (int) valueAt + head, value, 0, value.length);
    } else {
      MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, valueAt + head, value, 0, value.length);
    }
    return value;
  }

  /// Lets go of everything, so that an idle reader holds nothing.
  void end() {
    Block used = block;
    if (used != null && used.isBuffer()) {
      used.unpin();
    }
    key = EMPTY;
    block = null;
    array = null;
    memory = MemorySegment.NULL;
  }

  private static final byte[] EMPTY = {};
}
