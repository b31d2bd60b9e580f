package dev.tern.lsm.table;

import dev.tern.env.Clock;
import dev.tern.lsm.cache.Block;
import dev.tern.lsm.cache.Loan;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.epoch.Pausing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A point lookup that may find its value in a block. One thread.
///
/// It waits for the disk outside its epoch. What it looks through is retained from its first wait
/// on, so a slow disk keeps the memtables and tables of one moment, and nothing that comes later.
public final class BlockLookup extends Lookup implements Pausing {
  /// What a lookup looks through.
  public interface Source {
    /// Stays as it is, whatever becomes of epochs.
    void retain();
  }

  final BlockCursor.Handle handle = new BlockCursor.Handle();
  final BlockCursor.Place place = new BlockCursor.Place();

  /// Whether files may be read.
  boolean mayRead;

  /// Tables of a later ingest are not looked at.
  public long generation;

  /// The block in whose memory the value lies; null if it lies in `array`.
  private @Nullable Block block;

  private MemorySegment memory = MemorySegment.NULL;

  /// Null while nobody looks anything up.
  private @Nullable Pausing inside;

  private @Nullable Source source;
  private boolean isRetained;

  /// Looks through a source from here on, inside an epoch.
  public void enter(Pausing newInside, Source newSource) {
    inside = newInside;
    source = newSource;
    isRetained = false;
  }

  /// Ends what [#enter] began; true if the source was retained, and must be let go.
  public boolean leave() {
    inside = null;
    source = null;
    return isRetained;
  }

  /// Itself if files may be read, else null.
  @Nullable Pausing pausing() {
    return mayRead ? this : null;
  }

  @Override
  public void pause() {
    Pausing reader = Objects.requireNonNull(inside);
    if (!isRetained) {
      Objects.requireNonNull(source).retain();
      isRetained = true;
    }
    reader.pause();
  }

  @Override
  public void resume() {
    Objects.requireNonNull(inside).resume();
  }

  /// Begins to look for a key up to a sequence.
  ///
  /// @param newHash of the key, by [Keys#hash]
  /// @param newMayRead whether files may be read
  public void begin(byte[] newKey, long newHash, long newMaxSequence, boolean newMayRead) {
    begin(newKey, newHash, newMaxSequence);
    mayRead = newMayRead;
    generation = Long.MAX_VALUE;
    block = null;
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
  public byte @Nullable [] value(Clock clock) {
    return isLive(clock) ? copy(head()) : null;
  }

  /// The value that was found, to be used after the epoch; null if it is deleted or has expired.
  ///
  /// @param pool for what lies in an array of a memtable, which a loan cannot keep
  public @Nullable Loan lend(Clock clock, NativeMemory pool) {
    if (!isLive(clock)) {
      return null;
    }
    int head = head();
    byte[] in = array;
    if (in != null) {
      return Loan.ofCopy(pool, in, (int) valueAt + head, valueLength - head);
    }
    Block lent = Objects.requireNonNull(block);
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

  @Override
  public void end() {
    Block used = block;
    if (used != null && used.isBuffer()) {
      used.unpin();
    }
    super.end();
    block = null;
    memory = MemorySegment.NULL;
  }
}
