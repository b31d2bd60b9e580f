package dev.tern.lsm.read;

import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Merges sources that together hold each version once: a binary heap whose least stands first. In
/// a long run of one source a step costs two comparisons.
public final class MergingCursor extends Cursor {
  private final Cursor[] sources;

  /// Those that are valid, heap-ordered; the first `live` of it.
  private final Cursor[] heap;

  private int live;
  private boolean backward;

  /// Of equal keys the older first: a planted mistake.
  private final boolean olderFirst;

  public MergingCursor(List<Cursor> sources) {
    this(sources, false);
  }

  public MergingCursor(List<Cursor> sources, boolean olderFirst) {
    this.sources = sources.toArray(new Cursor[0]);
    this.heap = new Cursor[this.sources.length];
    this.olderFirst = olderFirst;
  }

  private boolean before(Cursor a, Cursor b) {
    int order = Keys.compare(a.key, a.keyOffset, a.keyLength, b.key, b.keyOffset, b.keyLength);
    if (order == 0) {
      boolean newer = a.sequence > b.sequence;
      return (olderFirst ? !newer : newer) != backward;
    }
    return order < 0 != backward;
  }

  private void gather() {
    live = 0;
    for (Cursor source : sources) {
      if (source.valid) {
        heap[live++] = source;
      }
    }
    for (int i = live / 2 - 1; i >= 0; i--) {
      siftDown(i);
    }
    take();
  }

  private void siftDown(int from) {
    int at = from;
    Cursor moved = heap[at];
    while (true) {
      int child = 2 * at + 1;
      if (child >= live) {
        break;
      }
      if (child + 1 < live && before(heap[child + 1], heap[child])) {
        child++;
      }
      if (!before(heap[child], moved)) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
  }

  private void take() {
    valid = live > 0;
    if (valid) {
      Cursor first = heap[0];
      key = first.key;
      keyOffset = first.keyOffset;
      keyLength = first.keyLength;
      sequence = first.sequence;
      kind = first.kind;
    }
  }

  @Override
  public void seek(byte @Nullable [] target) throws IOException {
    backward = false;
    for (Cursor source : sources) {
      source.seek(target);
    }
    gather();
  }

  @Override
  public void seekBefore(byte @Nullable [] target) throws IOException {
    backward = true;
    for (Cursor source : sources) {
      source.seekBefore(target);
    }
    gather();
  }

  @Override
  public void next() throws IOException {
    heap[0].next();
    moved();
  }

  @Override
  public void prev() throws IOException {
    heap[0].prev();
    moved();
  }

  private void moved() {
    if (!heap[0].valid) {
      heap[0] = heap[--live];
    }
    if (live > 1) {
      siftDown(0);
    }
    take();
  }

  /// Past what a range deletion covers: sources that are older than it go to `target`, the others
  /// stay.
  public void skipTo(byte[] target, long deletedAt) throws IOException {
    for (int i = 0; i < live; i++) {
      Cursor source = heap[i];
      if (source.largestSequence() < deletedAt && source.compareKey(target, target.length) < 0) {
        source.seek(target);
      }
    }
    gather();
  }

  /// Before what a range deletion covers, walking backward; see [#skipTo].
  public void skipBackTo(byte[] target, long deletedAt) throws IOException {
    for (int i = 0; i < live; i++) {
      Cursor source = heap[i];
      if (source.largestSequence() < deletedAt && source.compareKey(target, target.length) >= 0) {
        source.seekBefore(target);
      }
    }
    gather();
  }

  @Override
  public int valueLength() {
    return heap[0].valueLength();
  }

  @Override
  public void copyValue(byte[] target, int at) {
    heap[0].copyValue(target, at);
  }

  @Override
  public long valueHead() {
    return heap[0].valueHead();
  }

  @Override
  public void skipped(int count) {
    for (int i = 0; i < live; i++) {
      heap[i].skipped(count);
    }
  }

  @Override
  public void close() {
    for (Cursor source : sources) {
      source.close();
    }
    live = 0;
    valid = false;
  }
}
