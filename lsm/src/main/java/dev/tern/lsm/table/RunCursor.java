package dev.tern.lsm.table;

import dev.tern.env.DecodeException;
import dev.tern.lsm.cache.Block;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Walks a run: tables in key order that do not overlap, one after the other. One thread, which may
/// be held up by reads. Pins the block it stands in; [#close] lets go.
public final class RunCursor extends Cursor {
  private final Epochs<?> epochs;
  private final Table[] tables;
  private final boolean fill;
  private final long largest;

  private final BlockCursor top = new BlockCursor();
  private final BlockCursor index = new BlockCursor();
  private final BlockCursor data = new BlockCursor();
  private final BlockCursor.Handle handle = new BlockCursor.Handle();
  private int at;

  /// The table whose top index is open, and where the blocks that are open lie in it; -1 for none.
  private int topOf = -1;

  /// Its file, held; null for none.
  private @Nullable TableReader reader;

  /// The sequence of all entries of that table; 0 if each has its own.
  private long sequenceOfAll;

  private long indexAt = -1;
  private long dataAt = -1;
  private @Nullable Block indexBlock;
  private @Nullable Block dataBlock;

  /// No key lies from here to the one that it stands on; null if that is not known.
  private byte @Nullable [] gapFrom;

  /// @param fill whether blocks that are read may go to the cache
  public RunCursor(Epochs<?> epochs, Table[] tables, boolean fill) {
    this(epochs, tables, fill, largestSequence(tables));
  }

  /// @param largest sequence of the tables
  public RunCursor(Epochs<?> epochs, Table[] tables, boolean fill, long largest) {
    this.epochs = epochs;
    this.tables = tables;
    this.fill = fill;
    this.largest = largest;
  }

  public static long largestSequence(Table[] tables) {
    long most = 0;
    for (Table table : tables) {
      most = Math.max(most, table.properties.largestSequence());
    }
    return most;
  }

  /// The first table that ends after a key; their number if there is none.
  static int tableAfter(Table[] tables, byte[] key) {
    int low = 0;
    int high = tables.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Keys.compare(tables[middle].properties.upper(), key) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// The block that the handle names.
  ///
  /// @param from stands on the entry that names it, whose key no key of the block is above
  private Block pinned(boolean isIndex, BlockCursor from) throws IOException {
    Epochs.Reader<?> inside = epochs.enter();
    try {
      Block block =
          tables[at].block(handle.offset, handle.length, isIndex, inside, fill || isIndex);
      java.util.Objects.requireNonNull(block).pin();
      return block;
    } catch (CorruptionException e) {
      throw e.readableFrom(Keys.successor(Arrays.copyOf(from.key, from.keyLength)));
    } finally {
      inside.exit();
    }
  }

  private void openTop() throws IOException {
    if (topOf != at) {
      closeTable();
      reader = held();
      topOf = at;
      sequenceOfAll = tables[at].sequence;
      top.open(reader.top);
    }
  }

  /// The table's open file, to be let go.
  private TableReader held() throws IOException {
    Epochs.Reader<?> inside = epochs.enter();
    try {
      TableReader found = tables[at].reader(inside);
      found.hold();
      return found;
    } catch (CorruptionException e) {
      throw e.readableFrom(tables[at].properties.upper());
    } finally {
      inside.exit();
    }
  }

  private void openIndex() throws IOException {
    top.handle(handle);
    if (indexBlock == null || indexAt != handle.offset) {
      closeBlocks();
      indexBlock = pinned(true, top);
      indexAt = handle.offset;
      index.open(indexBlock);
    }
  }

  private void openData() throws IOException {
    index.handle(handle);
    if (dataBlock == null || dataAt != handle.offset) {
      closeData();
      dataBlock = pinned(false, index);
      dataAt = handle.offset;
      data.open(dataBlock);
    }
  }

  private void closeData() {
    if (dataBlock != null) {
      data.close();
      dataBlock.unpin();
      dataBlock = null;
    }
    dataAt = -1;
  }

  private void closeBlocks() {
    closeData();
    if (indexBlock != null) {
      index.close();
      indexBlock.unpin();
      indexBlock = null;
    }
    indexAt = -1;
  }

  private void closeTable() {
    closeBlocks();
    top.close();
    topOf = -1;
    if (reader != null) {
      reader.letGo();
      reader.owner.trim();
      reader = null;
    }
  }

  @Override
  public void close() {
    closeTable();
    valid = false;
  }

  private void take() {
    if (data.kind > Kind.PUT) {
      Kind.check(data.kind, data.valueLength);
    }
    valid = true;
    key = data.key;
    keyLength = data.keyLength;
    sequence = sequenceOfAll > 0 ? sequenceOfAll : data.sequence;
    kind = data.kind;
  }

  @Override
  public void seek(byte @Nullable [] target) throws IOException {
    if (standsFirstAfter(target)) {
      return;
    }
    gapFrom = null;
    try {
      seekIn(target);
      gapFrom = valid ? target : null;
    } catch (DecodeException | IndexOutOfBoundsException e) {
      throw noBlock(e);
    }
  }

  /// Whether a seek would come to where this stands. A walk that seeks one place after the other
  /// over keys that are far apart reads no block again for it.
  private boolean standsFirstAfter(byte @Nullable [] target) {
    return valid
        && gapFrom != null
        && target != null
        && Keys.compare(gapFrom, target) <= 0
        && Keys.compare(target, 0, target.length, key, keyOffset, keyLength) <= 0;
  }

  private void seekIn(byte @Nullable [] target) throws IOException {
    at = target == null ? 0 : tableAfter(tables, target);
    valid = false;
    if (target == null || at == tables.length) {
      firstFrom();
      return;
    }
    if (!openBlockOf(target)) {
      at++;
      firstFrom();
    } else if (data.valid) {
      take();
    } else {
      nextBlock();
    }
  }

  /// Opens the block of the table where a key would be, with `data` at the first entry at or after
  /// it, if the block has one; false if all keys of the table come before it.
  private boolean openBlockOf(byte[] target) throws IOException {
    openTop();
    top.seek(target);
    if (!top.valid) {
      return false;
    }
    openIndex();
    index.seek(target);
    openData();
    data.seek(target);
    return true;
  }

  /// The last table that begins before a key; -1 if none does.
  private int lastBefore(byte[] key) {
    int after = tableAfter(tables, key);
    boolean begins =
        after < tables.length && Keys.compare(tables[after].properties.smallest(), key) < 0;
    return begins ? after : after - 1;
  }

  /// To the first entry of the first table from `at` on that has one.
  private void firstFrom() throws IOException {
    for (; at < tables.length; at++) {
      openTop();
      top.first();
      if (top.valid) {
        openIndex();
        index.first();
        openData();
        data.first();
        take();
        return;
      }
    }
    valid = false;
  }

  /// To the last entry of the last table up to `at` that has one.
  private void lastUpTo() throws IOException {
    for (; at >= 0; at--) {
      openTop();
      top.last();
      if (top.valid) {
        openIndex();
        index.last();
        openData();
        data.last();
        take();
        return;
      }
    }
    valid = false;
  }

  @Override
  public void seekBefore(byte @Nullable [] target) throws IOException {
    gapFrom = null;
    try {
      seekBeforeIn(target);
    } catch (DecodeException | IndexOutOfBoundsException e) {
      throw noBlock(e);
    }
  }

  private void seekBeforeIn(byte @Nullable [] target) throws IOException {
    at = target == null ? tables.length - 1 : lastBefore(target);
    if (target == null || at < 0 || !openBlockOf(target)) {
      lastUpTo();
      return;
    }
    if (data.valid) {
      prevIn();
    } else {
      data.last();
      take();
    }
  }

  @Override
  public void next() throws IOException {
    gapFrom = null;
    try {
      nextIn();
    } catch (DecodeException | IndexOutOfBoundsException e) {
      throw noBlock(e);
    }
  }

  private void nextIn() throws IOException {
    data.next();
    if (data.valid) {
      take();
    } else {
      nextBlock();
    }
  }

  private void nextBlock() throws IOException {
    index.next();
    if (!index.valid) {
      top.next();
      if (!top.valid) {
        at++;
        firstFrom();
        return;
      }
      openIndex();
      index.first();
    }
    openData();
    data.first();
    take();
  }

  @Override
  public void prev() throws IOException {
    gapFrom = null;
    try {
      prevIn();
    } catch (DecodeException | IndexOutOfBoundsException e) {
      throw noBlock(e);
    }
  }

  private void prevIn() throws IOException {
    data.prev();
    if (data.valid) {
      take();
      return;
    }
    index.prev();
    if (!index.valid) {
      top.prev();
      if (!top.valid) {
        at--;
        lastUpTo();
        return;
      }
      openIndex();
      index.last();
    }
    openData();
    data.last();
    take();
  }

  private CorruptionException noBlock(RuntimeException e) {
    valid = false;
    return tables[at].noBlock(handle.offset, e);
  }

  @Override
  public int valueLength() {
    return data.valueLength;
  }

  @Override
  public void copyValue(byte[] target, int start) {
    data.copyValue(target, start);
  }

  @Override
  public long valueHead() {
    return data.valueHead();
  }

  @Override
  public long largestSequence() {
    return largest;
  }

  @Override
  public void skipped(int count) {
    if (at >= 0 && at < tables.length) {
      tables[at].skips.addAndGet(count);
    }
  }
}
