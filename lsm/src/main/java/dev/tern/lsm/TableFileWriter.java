package dev.tern.lsm;

import dev.tern.env.Clock;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.Randomness;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.table.Bloom;
import dev.tern.lsm.table.TableWriter;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Writes a table outside a store, from keys in ascending order, to be brought into one by
/// [Lsm#stage]. The file has the format of a store's own tables, with filter and properties.
///
/// Each key comes once and has a value: a table from outside goes to a range that is empty, where
/// nothing is to be deleted. One thread. A writer that is closed before [#finish] leaves no file.
public final class TableFileWriter implements AutoCloseable {
  private final FileSystem files;
  private final Clock clock;
  private final String path;
  private final FileSystem.WritableFile file;
  private final TableWriter writer;
  private final Entry entry = new Entry();
  private long entries;
  private boolean finished;
  private boolean closed;

  private TableFileWriter(
      FileSystem files,
      Clock clock,
      String path,
      FileSystem.WritableFile file,
      TableWriter writer) {
    this.files = files;
    this.clock = clock;
    this.path = path;
    this.file = file;
    this.writer = writer;
  }

  /// Begins a file.
  ///
  /// @param clock tells when the table was made, for families that forget by age
  /// @param randomness for the life of the file; see [dev.tern.env.FileLife]
  /// @param path of a file that is not there
  /// @param options of the column family that it is for: their compression counts
  /// @throws IOException if the file is there or cannot be made
  public static TableFileWriter create(
      FileSystem files, Clock clock, Randomness randomness, String path, FamilyOptions options)
      throws IOException {
    FileLives lives = FileLives.of(randomness, clock, path);
    FileSystem.WritableFile file = files.create(path);
    boolean done = false;
    try {
      TableWriter writer =
          new TableWriter(
              file,
              lives.next(),
              LsmOptions.DEFAULT.tuning().blockBytes(),
              Bloom.BITS_PER_KEY,
              options.compression().ordinal());
      done = true;
      return new TableFileWriter(files, clock, path, file, writer);
    } finally {
      if (!done) {
        file.close();
        files.delete(path);
      }
    }
  }

  /// One entry, as a cursor that stands on it.
  private static final class Entry extends Cursor {
    private byte[] value = {};
    private long expiresAtMillis;

    void set(byte[] newKey, byte[] newValue, long newExpiresAtMillis) {
      key = newKey;
      keyLength = newKey.length;
      value = newValue;
      expiresAtMillis = newExpiresAtMillis;
    }

    private int head() {
      return expiresAtMillis > 0 ? Kind.EXPIRY_BYTES : 0;
    }

    @Override
    public int valueLength() {
      return head() + value.length;
    }

    @Override
    public void copyValue(byte[] target, int at) {
      if (expiresAtMillis > 0) {
        Keys.LONG.set(target, at, expiresAtMillis);
      }
      System.arraycopy(value, 0, target, at + head(), value.length);
    }

    @Override
    public long valueHead() {
      return expiresAtMillis;
    }

    @Override
    public void seek(byte @Nullable [] target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void seekBefore(byte @Nullable [] target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void next() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void prev() {
      throw new UnsupportedOperationException();
    }
  }

  /// Adds a key and its value; both are copied.
  ///
  /// @throws IllegalArgumentException if the key does not come after the one before it, or key or
  ///   value are longer than those of a [WriteBatch] may be; nothing was added
  /// @throws IOException if the file cannot be written: close it
  public void put(byte[] key, byte[] value) throws IOException {
    add(key, value, 0);
  }

  /// Adds a key and a value that is there until a moment of the wall clock; see
  /// [WriteBatch#put(ColumnFamily, byte[], byte[], long)].
  ///
  /// @param expiresAtMillis positive
  public void put(byte[] key, byte[] value, long expiresAtMillis) throws IOException {
    if (expiresAtMillis <= 0) {
      throw new IllegalArgumentException(
          "a value expires at a moment after 1970, not at " + expiresAtMillis);
    }
    add(key, value, expiresAtMillis);
  }

  private void add(byte[] key, byte[] value, long expiresAtMillis) throws IOException {
    checkOpen();
    if (key.length > WriteBatch.MAX_KEY_BYTES || value.length > WriteBatch.MAX_VALUE_BYTES) {
      throw new IllegalArgumentException(
          "a key of %d and a value of %d bytes: one is too long"
              .formatted(key.length, value.length));
    }
    if (entries > 0 && Keys.compare(entry.key, key) >= 0) {
      throw new IllegalArgumentException(
          "keys of a table come in ascending order, each once; key %d does not".formatted(entries));
    }
    entry.set(key.clone(), value, expiresAtMillis);
    writer.add(entry, 0, expiresAtMillis > 0 ? Kind.EXPIRING_PUT : Kind.PUT);
    entry.value = new byte[0];
    entries++;
  }

  private void checkOpen() {
    if (closed || finished) {
      throw new IllegalStateException("the table is finished or closed");
    }
  }

  /// About how large the file is by now, bytes.
  public long bytes() {
    return writer.bytes();
  }

  /// Keys that were added.
  public long entries() {
    return entries;
  }

  /// Ends the table: the file is whole, and on the disk with its name.
  ///
  /// @throws IllegalStateException if it has no key
  /// @throws IOException if the file cannot be written: close it
  public void finish() throws IOException {
    checkOpen();
    if (entries == 0) {
      throw new IllegalStateException("a table needs a key");
    }
    writer.finish(clock.wallMillis(), true);
    file.close();
    files.forceDirectory(path.substring(0, Math.max(0, path.lastIndexOf('/'))));
    finished = true;
  }

  /// Deletes the file if it is not finished. Idempotent.
  @Override
  public void close() throws IOException {
    if (closed || finished) {
      return;
    }
    closed = true;
    try {
      file.close();
    } finally {
      files.delete(path);
    }
  }
}
