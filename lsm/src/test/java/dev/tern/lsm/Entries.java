package dev.tern.lsm;

import dev.tern.env.FileLife;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.table.Bloom;
import dev.tern.lsm.table.OpenTables;
import dev.tern.lsm.table.Table;
import dev.tern.lsm.table.TableProperties;
import dev.tern.lsm.table.TableWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Entries in a list, ordered as a source is: by key, then newest first.
public final class Entries extends Cursor {
  /// One version.
  public record Entry(byte[] key, long sequence, int kind, byte[] value) {}

  private final List<Entry> entries;
  private int at;

  public Entries(List<Entry> unordered) {
    entries = new ArrayList<>(unordered);
    entries.sort(
        (a, b) ->
            Keys.compare(a.key, b.key) != 0
                ? Keys.compare(a.key, b.key)
                : Long.compare(b.sequence, a.sequence));
  }

  public List<Entry> list() {
    return entries;
  }

  public static byte[] key(int number) {
    return "key-%04d".formatted(number).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  }

  /// Short keys of few letters: prefixes of each other, equal ones, empty ones.
  public static byte[] anyKey(Random random) {
    byte[] key = new byte[random.nextInt(random.nextInt(8) == 0 ? 200 : 6)];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) (random.nextInt(4) * 85);
    }
    return key;
  }

  /// A table of these entries and ranges.
  public static Table table(
      MemoryFiles files,
      long number,
      List<Entry> entries,
      List<RangeTombstones.Range> ranges,
      int blockBytes,
      BlockCache cache)
      throws IOException {
    String path = "store/%06d.table".formatted(number);
    TableWriter writer =
        new TableWriter(
            files.create(path),
            new FileLife(1, 1),
            blockBytes,
            Bloom.BITS_PER_KEY,
            Compression.LZ4.ordinal());
    Entries cursor = new Entries(entries);
    for (cursor.seek(null); cursor.valid; cursor.next()) {
      writer.add(cursor, cursor.sequence, cursor.kind);
    }
    ranges.forEach(writer::add);
    writer.finish(0, true);
    return Table.open(open(files, cache), path, number);
  }

  /// Opens tables one at a time, for one thread.
  public static OpenTables open(MemoryFiles files, BlockCache cache) {
    return open(files, cache, new Epochs<>(Object::new));
  }

  /// Opens tables one at a time.
  ///
  /// @param epochs of their readers
  public static OpenTables open(MemoryFiles files, BlockCache cache, Epochs<?> epochs) {
    return new OpenTables(files, cache, new NativeMemory(), epochs, 1, 0);
  }

  /// Of a table of one key.
  public static TableProperties properties(byte[] key) {
    return new TableProperties(
        key, Keys.successor(key), 1, 0, 0, key.length, 9, 5, 5, 0, 0, 1_790_000_000_000L, 0);
  }

  private void take() {
    valid = at >= 0 && at < entries.size();
    if (valid) {
      Entry entry = entries.get(at);
      key = entry.key;
      keyOffset = 0;
      keyLength = entry.key.length;
      sequence = entry.sequence;
      kind = entry.kind;
    }
  }

  @Override
  public void seek(byte @Nullable [] target) {
    at = 0;
    while (target != null && at < entries.size() && Keys.compare(entries.get(at).key, target) < 0) {
      at++;
    }
    take();
  }

  @Override
  public void seekBefore(byte @Nullable [] target) {
    at = entries.size() - 1;
    while (target != null && at >= 0 && Keys.compare(entries.get(at).key, target) >= 0) {
      at--;
    }
    take();
  }

  @Override
  public void next() {
    at++;
    take();
  }

  @Override
  public void prev() {
    at--;
    take();
  }

  @Override
  public int valueLength() {
    return entries.get(at).value.length;
  }

  @Override
  public void copyValue(byte[] target, int start) {
    byte[] value = entries.get(at).value;
    System.arraycopy(value, 0, target, start, value.length);
  }

  @Override
  public long valueHead() {
    return (long) Keys.LONG.get(Arrays.copyOf(entries.get(at).value, 8), 0);
  }
}
