package dev.tern.lsm;

import dev.tern.env.Clock;
import dev.tern.env.CoverageMarks;
import dev.tern.lsm.entry.Deletions;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.read.MergingCursor;
import dev.tern.lsm.read.ReadState;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// Walks the live keys of a column family, forward and backward, as they were when it was made or
/// refreshed. Pins tables, memtables and blocks until closed. One thread, which may be held up by
/// reads.
public final class LsmIterator implements AutoCloseable {
  /// Dead entries stepped over in one move, before the sources are told.
  private static final int MANY_DEAD = 1024;

  private final Readers readers;
  private final Lifetime lifetime;
  private final BiConsumer<ReadState, ColumnFamily> skipped;
  private final ColumnFamily family;
  private final IteratorOptions options;

  /// The bounds of the options, copied: their arrays are the caller's.
  private final byte @Nullable [] lower;

  private final byte @Nullable [] upper;
  private final Clock clock;
  private View view;
  private boolean valid;
  private boolean backward;
  private boolean closed;
  private int dead;

  /// The key it stands on, or the last one it passed.
  private byte[] key = new byte[64];

  private int keyLength;

  /// Of a value found walking backward.
  private byte[] value = {};

  private int valueLength;
  private int kind;

  /// What an iterator looks at.
  ///
  /// @param openedNanos when that was made, for its age
  record View(
      ReadState state,
      MergingCursor cursor,
      Deletions deletions,
      long maxSequence,
      long openedNanos) {}

  LsmIterator(
      Readers readers,
      Lifetime lifetime,
      BiConsumer<ReadState, ColumnFamily> skipped,
      ColumnFamily family,
      IteratorOptions options,
      Clock clock,
      View view) {
    this.readers = readers;
    this.lifetime = lifetime;
    this.skipped = skipped;
    this.family = family;
    this.options = options;
    this.lower = options.lower() == null ? null : options.lower().clone();
    this.upper = options.upper() == null ? null : options.upper().clone();
    this.clock = clock;
    this.view = view;
  }

  /// To the first key at or after this one, within the bounds.
  public void seek(byte[] from) throws IOException {
    begin();
    // Cursors keep what they are given.
    view.cursor.seek(lower != null && Keys.compare(from, lower) < 0 ? lower : from.clone());
    forward(false);
  }

  /// To the first key.
  public void seekToFirst() throws IOException {
    begin();
    view.cursor.seek(lower);
    forward(false);
  }

  /// To the last key at or before this one, within the bounds.
  public void seekForPrev(byte[] from) throws IOException {
    begin();
    boolean beyond = upper != null && Keys.compare(from, upper) >= 0;
    view.cursor.seekBefore(beyond ? upper : Keys.successor(from));
    backward();
  }

  /// To the last key.
  public void seekToLast() throws IOException {
    begin();
    view.cursor.seekBefore(upper);
    backward();
  }

  /// Whether it stands on a key.
  public boolean valid() {
    return valid;
  }

  /// To the next key.
  ///
  /// @throws IllegalStateException if it stands on none
  public void next() throws IOException {
    check();
    begin();
    if (backward) {
      view.cursor.seek(Keys.successor(Arrays.copyOf(key, keyLength)));
      forward(false);
    } else {
      view.cursor.next();
      forward(true);
    }
  }

  /// To the key before.
  ///
  /// @throws IllegalStateException if it stands on none
  public void prev() throws IOException {
    check();
    begin();
    if (!backward) {
      view.cursor.seekBefore(Arrays.copyOf(key, keyLength));
    }
    backward();
  }

  /// Before each move: one that fails leaves the iterator on no key, so that it cannot go on behind
  /// what could not be read.
  private void begin() {
    valid = false;
    checkOpen();
  }

  private void checkOpen() {
    if (closed || lifetime.isClosed()) {
      throw new IllegalStateException(closed ? "the iterator is closed" : "the store is closed");
    }
  }

  private void check() {
    checkOpen();
    if (!valid) {
      throw new IllegalStateException("the iterator stands on no key");
    }
  }

  private void keep(MergingCursor cursor) {
    keyLength = cursor.keyLength;
    if (key.length < keyLength) {
      key = new byte[keyLength * 2];
    }
    System.arraycopy(cursor.key, cursor.keyOffset, key, 0, keyLength);
  }

  /// Goes on to the newest visible version of a key that lives.
  ///
  /// @param passing whether the kept key has been passed already
  private void forward(boolean passing) throws IOException {
    MergingCursor cursor = view.cursor;
    boolean skip = passing;
    backward = false;
    valid = false;
    dead = 0;
    while (cursor.valid) {
      if (cursor.sequence > view.maxSequence || skip && cursor.compareKey(key, keyLength) == 0) {
        cursor.next();
        continue;
      }
      if (upper != null && cursor.compareKey(upper, upper.length) >= 0) {
        break;
      }
      RangeTombstones.Range deletion = deletion(cursor.key, cursor.keyOffset, cursor.keyLength);
      if (deletion != null && deletion.sequence() > cursor.sequence) {
        countDead();
        jump(deletion);
        continue;
      }
      keep(cursor);
      if (isLive(cursor.kind)) {
        valid = true;
        break;
      }
      skip = true;
      countDead();
      cursor.next();
    }
    tellDead();
  }

  private RangeTombstones.@Nullable Range deletion(byte[] at, int offset, int length) {
    return view.deletions.isEmpty() ? null : view.deletions.of(at, offset, length);
  }

  /// Past a deleted range; at least past the entry.
  private void jump(RangeTombstones.@Nullable Range range) throws IOException {
    MergingCursor cursor = view.cursor;
    cursor.next();
    if (range != null && cursor.valid) {
      byte[] end = range.to();
      if (cursor.compareKey(end, end.length) < 0) {
        cursor.skipTo(end, range.sequence());
      }
    }
  }

  private boolean isLive(int entryKind) {
    return entryKind == Kind.PUT
        || entryKind == Kind.EXPIRING_PUT && view.cursor.valueHead() > clock.wallMillis();
  }

  private void countDead() {
    dead++;
    if (dead % MANY_DEAD == 0) {
      tellDead();
    }
  }

  private void tellDead() {
    if (dead >= MANY_DEAD) {
      view.cursor.skipped(dead);
      skipped.accept(view.state, family);
      dead = 0;
    }
  }

  /// Goes back to a key whose newest visible version lives; the cursor then stands before it.
  private void backward() throws IOException {
    MergingCursor cursor = view.cursor;
    backward = true;
    valid = false;
    dead = 0;
    while (cursor.valid && !valid) {
      keep(cursor);
      if (lower != null && Arrays.compareUnsigned(key, 0, keyLength, lower, 0, lower.length) < 0) {
        break;
      }
      boolean live = false;
      RangeTombstones.Range deletion = deletion(key, 0, keyLength);
      long deletedAt = deletion == null ? 0 : deletion.sequence();
      while (cursor.valid && cursor.compareKey(key, keyLength) == 0) {
        if (cursor.sequence <= view.maxSequence) {
          live = cursor.sequence >= deletedAt && isLive(cursor.kind);
          if (live) {
            keepValue(cursor);
          }
        }
        cursor.prev();
      }
      valid = live;
      if (!live) {
        countDead();
        jumpBack(deletion);
      }
    }
    tellDead();
  }

  /// Before a deleted range, from within it or from its end.
  private void jumpBack(RangeTombstones.@Nullable Range range) throws IOException {
    MergingCursor cursor = view.cursor;
    if (range != null && cursor.valid) {
      byte[] start = range.from();
      if (cursor.compareKey(start, start.length) >= 0) {
        cursor.skipBackTo(start, range.sequence());
      }
    }
  }

  private void keepValue(MergingCursor cursor) {
    kind = cursor.kind;
    valueLength = cursor.valueLength();
    if (value.length < valueLength) {
      value = new byte[valueLength * 2];
    }
    cursor.copyValue(value, 0);
  }

  /// A copy of the key it stands on.
  ///
  /// @throws IllegalStateException if it stands on none
  public byte[] key() {
    check();
    return Arrays.copyOf(key, keyLength);
  }

  /// A copy of the value of the key it stands on.
  ///
  /// @throws IllegalStateException if it stands on none
  public byte[] value() {
    check();
    byte[] found = backward ? Arrays.copyOf(value, valueLength) : view.cursor.valueCopy();
    boolean expires = (backward ? kind : view.cursor.kind) == Kind.EXPIRING_PUT;
    return expires ? Arrays.copyOfRange(found, Kind.EXPIRY_BYTES, found.length) : found;
  }

  /// To what is there now, if it is no snapshot's; it then stands on no key.
  public void refresh() {
    begin();
    View fresh = readers.view(family, options, lower, upper);
    assert fresh.state() == view.state() || CoverageMarks.reach(LsmMark.REFRESHED_OVER_CHANGE);
    readers.close(view);
    view = fresh;
  }

  long openedNanos() {
    return view.openedNanos;
  }

  /// Lets go of what it pins. Idempotent.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      valid = false;
      readers.close(view);
      readers.forget(this);
    }
  }
}
