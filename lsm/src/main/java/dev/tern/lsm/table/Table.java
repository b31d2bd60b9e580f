package dev.tern.lsm.table;

import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.cache.Block;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.epoch.Pausing;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// A sorted table, open for reading; any thread. Format 4:
///
/// ```
///   header   data block ... index block ... filter ...   top index   filters   range deletes
///   properties   footer
///
///   header:        FileHeader, 32 bytes
///   stored block:  payload   u8 compression   u32 crc32c of both
///                  compressed payload: u32 raw bytes, then LZ4's or Zstandard's
///   data block:    see BlockBuilder; all versions of a key lie in one block
///   index block:   the same; key: at or after the last of a data block and before the next one's
///                  first; value: varint offset, varint bytes stored
///   top index:     the same, of index blocks
///   filter:        see Bloom; of the keys behind the filter before it
///   filters:       varint count; of each blob the last of its keys (of the last one empty),
///                  varint offset, varint bytes stored
///   range deletes: varint count; blob from, blob to, varint sequence
///   properties:    see TableProperties
///   footer:        4 x (u64 offset, u32 bytes): top index, filters, range deletes, properties
///                  16 bytes life   u32 crc32c of the file up to the footer   u32 format
///                  u32 crc32c of the footer   u64 magic
/// ```
///
/// The footer repeats the header's life, so that an opening reads the end of the file alone; the
/// header is for [#verify] and for whoever finds the file.
///
/// The manifest says what a table is, so its file is opened when somebody looks into it; see
/// [OpenTables]. What the file then says of itself must be the same. Deleted ranges are read before
/// that and stay in memory; index and data blocks go through the cache.
public final class Table {
  /// `terntbl` and the digit of the format.
  static final long MAGIC = 0x7465726e_74626c34L;

  static final int FOOTER_BYTES = 4 * 12 + FileLife.BYTES + 4 + 4 + 4 + 8;
  static final int TRAILER_BYTES = 5;

  /// What to do where its file is not what was written.
  public static final String ADVICE =
      "Put the right file back, restore a copy of the store, or delete the range of the table and"
          + " write it again";

  /// Of the heap, about: this, its properties, and its places in lists.
  private static final int HELD_BYTES = 400;

  public final long number;
  public final String path;
  public final long sizeBytes;
  public final FileLife life;

  /// Of the file up to its footer, as that says.
  public final int crc;

  /// The sequence that all its entries have, whatever the file says: that of the ingest that took
  /// the table in; 0 for a table of the store's own.
  public final long sequence;

  /// The ingest that made it visible, as this opening counts them; 0 for none of this opening.
  /// Snapshots from before do not see it. Set before readers do.
  private long generation;

  /// Whether a snapshot from before the ingest is open, which must not see its entries in the table
  /// that a compaction makes of it; guarded by the manifest lock.
  public boolean held;

  /// With the sequence of the ingest.
  public final TableProperties properties;

  /// None if they could not be read: then whatever needs the table throws [#unreadable].
  public final RangeTombstones tombstones;

  /// Why its deleted ranges could not be read: what its bounds hold is not known, in this table and
  /// in those below it.
  private final @Nullable CorruptionException unreadable;

  /// Read states that hold it; guarded by the lock of whoever counts them.
  private int holders;

  /// A compaction has it as input; guarded by the manifest lock.
  private boolean compacting;

  /// A compaction failed over it, and none takes it before a moment of the monotonic clock; guarded
  /// by the manifest lock, as is how often that was so.
  boolean aside;

  long asideUntilNanos;
  int asideTimes;

  /// Why a block of it could not be read, since a compaction last took it.
  volatile @Nullable Throwable readFailure;

  /// Dead entries that iterators stepped over here, since it was opened.
  public final AtomicInteger skips = new AtomicInteger();

  private final OpenTables open;

  /// Null while its file is closed. Written under the lock of `open`.
  private volatile @Nullable TableReader reader;

  /// Nobody uses it any more: guarded by the lock of `open`.
  private boolean closed;

  /// A block takes no more, by what the properties say.
  private final long mostRaw;

  /// A table of which everything is known but its deleted ranges, which are read if it has some. If
  /// they are damaged, or its file is another one, then each read within its bounds says so, and
  /// nothing else of the store suffers.
  ///
  /// @param life of its file, as `sizeBytes` and `crc`
  /// @param sequence of all its entries, 0 if each has its own
  /// @param properties with that sequence
  public Table(
      OpenTables open,
      String path,
      long number,
      FileLife life,
      long sizeBytes,
      int crc,
      long sequence,
      TableProperties properties)
      throws IOException {
    this.open = open;
    this.path = path;
    this.number = number;
    this.life = life;
    this.sizeBytes = sizeBytes;
    this.crc = crc;
    this.sequence = sequence;
    this.properties = properties;
    this.mostRaw = mostRaw(properties);
    RangeTombstones read = RangeTombstones.NONE;
    CorruptionException failure = null;
    try {
      read = properties.rangeDeletes() == 0 ? RangeTombstones.NONE : readTombstones();
    } catch (CorruptionException e) {
      failure = e;
    }
    this.tombstones = read;
    this.unreadable = failure;
    open.memory.add(MemoryPart.TABLES, heldBytes());
  }

  private RangeTombstones readTombstones() throws IOException {
    try (FileSystem.ReadableFile file = TableReader.openFile(open.files, path)) {
      TableReader.Footer footer = TableReader.footer(file, path);
      check(footer, file.size());
      return TableReader.tombstones(file, path, footer);
    } catch (DecodeException e) {
      throw new CorruptionException(path, 0, String.valueOf(e.getMessage())).advise(ADVICE);
    } catch (CorruptionException e) {
      throw e.advise(ADVICE);
    }
  }

  /// Throws if a file is not this table's.
  void check(TableReader.Footer footer, long bytes) throws CorruptionException {
    String problem = problem(life, sizeBytes, crc, footer.life(), bytes, footer.fileCrc());
    if (problem != null) {
      throw new CorruptionException(path, 0, problem);
    }
  }

  /// Why a table's file is not the one that is meant, null if it is.
  public static @Nullable String problem(
      FileLife life, long bytes, int crc, FileLife found, long foundBytes, int foundCrc) {
    if (!life.equals(found)) {
      return FileHeader.another(found, life, "the manifest");
    }
    return foundBytes == bytes && foundCrc == crc
        ? null
        : "%d bytes, checksum %08x; the manifest has %d, %08x: it was changed since it was written"
            .formatted(foundBytes, foundCrc, bytes, crc);
  }

  /// Entries of keys and values, restart points and the tail; or of an index.
  private static long mostRaw(TableProperties properties) {
    long entries = properties.entries();
    long each = 32 + BlockBuilder.RESTART_BYTES;
    long data = properties.keyBytes() + properties.valueBytes() + entries * each;
    boolean overflows = entries > Integer.MAX_VALUE || data < 0;
    return overflows ? Integer.MAX_VALUE : (1 << 20) + 2L * Keys.MAX_BYTES + data;
  }

  /// A table as its file says it is.
  ///
  /// @throws CorruptionException if it cannot be what was written
  public static Table open(OpenTables open, String path, long number) throws IOException {
    try (FileSystem.ReadableFile file = TableReader.openFile(open.files, path)) {
      TableReader.Footer footer = TableReader.footer(file, path);
      Table table =
          new Table(
              open,
              path,
              number,
              footer.life(),
              file.size(),
              footer.fileCrc(),
              0,
              TableReader.properties(file, path, footer));
      if (table.unreadable != null) {
        table.close();
        throw table.unreadable;
      }
      return table;
    } catch (DecodeException e) {
      throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
    }
  }

  private void checkReadable() throws CorruptionException {
    CorruptionException why = unreadable;
    if (why != null) {
      readFailure = why;
      throw why.advise(ADVICE);
    }
  }

  /// Its open file, for a caller inside an epoch; blocks outside the epoch if it is to be opened.
  TableReader reader(Pausing inside) throws IOException {
    checkReadable();
    TableReader now = reader;
    if (now == null) {
      now = openReader(inside);
    }
    now.touch();
    return now;
  }

  /// Opens its file and loads its filter as far as there is room, so that readers that may not
  /// block find a table that was just written; blocks. Where the disk fails, the next reader that
  /// may block tries again.
  public void warm() {
    Epochs.Reader<?> inside = open.epochs.enter();
    try {
      TableReader warm = reader(inside);
      warm.hold();
      try {
        warm.loadFilter(inside);
      } finally {
        warm.letGo();
      }
    } catch (IOException e) {
      readFailure = e;
    } finally {
      inside.exit();
    }
  }

  private TableReader openReader(Pausing inside) throws IOException {
    try {
      return open.open(this, inside);
    } catch (CorruptionException e) {
      readFailure = e;
      throw e.advise(ADVICE);
    } catch (IOException | RuntimeException e) {
      readFailure = e;
      throw e;
    }
  }

  /// Takes an open file unless there is one; the one to use. Under the lock of `open`.
  TableReader adopt(TableReader made) {
    TableReader before = reader;
    if (before == null && closed) {
      throw new IllegalStateException(path + " is used after its end");
    }
    reader = before == null ? made : before;
    return before == null ? made : before;
  }

  /// Under the lock of `open`.
  void forget(TableReader old) {
    if (reader == old) {
      reader = null;
    }
  }

  /// The block at a place, from the cache or, if that is allowed, the file; for a caller inside an
  /// epoch, who waits for the disk outside it. A block of a buffer is the caller's to unpin.
  ///
  /// @param inside the caller, null if the file may not be read
  /// @param fill whether a block that is read may go to the cache
  /// @return null if it would have to be read and may not be
  @Nullable Block block(long at, int length, boolean index, @Nullable Pausing inside, boolean fill)
      throws IOException {
    Block cached = open.cache.get(number, at);
    return cached != null || inside == null ? cached : load(at, length, index, inside, fill);
  }

  /// One more read state holds it; under the lock of whoever counts them.
  public void hold() {
    holders++;
  }

  /// One read state holds it no more; true if none is left. Under the lock of whoever counts them.
  public boolean letGo() {
    if (--holders < 0) {
      throw new IllegalStateException("a table was let go that nobody held");
    }
    return holders == 0;
  }

  /// A compaction takes it; under the manifest lock.
  public void beginCompaction() {
    if (compacting) {
      throw new IllegalStateException(path + " is in a compaction already");
    }
    compacting = true;
    readFailure = null;
  }

  /// The compaction that took it is over; under the manifest lock.
  public void endCompaction() {
    compacting = false;
  }

  /// Whether a compaction has it as input; under the manifest lock.
  public boolean isCompacting() {
    return compacting;
  }

  /// Whether no compaction may take it for a while, as one failed over it or a snapshot from before
  /// its ingest is open; under the manifest lock.
  public boolean isAside() {
    return aside || held;
  }

  /// Whether no compaction may take it now; under the manifest lock.
  public boolean isBusy() {
    return compacting || aside || held;
  }

  /// Made visible by an ingest; before readers see it, under the store's lock.
  public void ingested(long newGeneration) {
    generation = newGeneration;
  }

  /// The ingest that made it visible, 0 for none of this opening.
  public long generation() {
    return generation;
  }

  private Block load(long at, int length, boolean index, Pausing inside, boolean fill)
      throws IOException {
    try {
      return loadBlock(at, length, index, inside, fill);
    } catch (DecodeException e) {
      readFailure = e;
      throw noBlock(at, e);
    } catch (CorruptionException e) {
      readFailure = e;
      throw e.advise(ADVICE);
    } catch (IOException | RuntimeException e) {
      readFailure = e;
      throw e;
    }
  }

  /// What is thrown where a block's checksum matches and it is none all the same.
  CorruptionException noBlock(long at, RuntimeException why) {
    return new CorruptionException(path, at, "a block that cannot have been written: " + why)
        .advise(ADVICE);
  }

  private Block loadBlock(long at, int length, boolean index, Pausing inside, boolean fill)
      throws IOException {
    if (at < 0 || length < TRAILER_BYTES || length > sizeBytes - at) {
      throw new CorruptionException(path, at, "a reference to " + length + " bytes beyond the end");
    }
    TableReader in = reader(inside);
    BlockCache cache = open.cache;
    MemorySegment buffer = open.buffers.take(length);
    try {
      ByteBuffer stored = buffer.asSlice(0, length).asByteBuffer();
      in.outside(
          inside,
          () -> {
            open.giveWay();
            StoreFiles.fill(in.file, path, at, stored);
            return stored;
          });
      stored.clear();
      TableReader.verify(stored, path, at);
      int raw = Compressor.rawLength(stored, mostRaw, path, at);
      Block target = fill ? cache.reserve(number, at, raw, index) : null;
      boolean reserved = target != null;
      if (target == null) {
        target = Block.ofBuffer(open.buffers, raw);
      }
      boolean done = false;
      try {
        Compressor.decompress(stored, target.memory.asSlice(target.base, raw), path, at);
        BlockCursor.check(target.memory, target.base, raw);
        done = true;
      } finally {
        if (!done && reserved) {
          cache.abandon(target);
        } else if (!done) {
          target.unpin();
        }
      }
      return reserved ? cache.publish(target) : target;
    } finally {
      open.buffers.give(buffer);
    }
  }

  /// Looks the lookup's key up; see [Lookup] for the outcomes. Inside an epoch.
  int find(BlockLookup lookup) throws IOException {
    if (generation > lookup.generation) {
      return Lookup.ABSENT;
    }
    try {
      return findIn(lookup);
    } catch (DecodeException | IndexOutOfBoundsException e) {
      throw noBlock(lookup.handle.offset, e);
    }
  }

  private int findIn(BlockLookup lookup) throws IOException {
    if (unreadable != null && !lookup.mayRead) {
      return Lookup.NOT_CACHED;
    }
    checkReadable();
    if (!tombstones.isEmpty()) {
      byte[] key = lookup.key;
      long covered = tombstones.covering(key, 0, key.length, lookup.maxSequence);
      lookup.covered = Math.max(lookup.covered, covered);
    }
    TableReader in = reader;
    if (in == null) {
      if (!lookup.mayRead) {
        return Lookup.NOT_CACHED;
      }
      in = openReader(lookup);
    }
    in.touch();
    if (!in.mayContain(lookup)) {
      return Lookup.ABSENT;
    }
    // Its filter may have been read outside the epoch, and the file forgotten meanwhile.
    Block top = (lookup.mayRead ? reader(lookup) : in).top;
    BlockCursor.Place place = lookup.place;
    BlockCursor.Handle handle = lookup.handle;
    if (!BlockCursor.find(top, lookup.key, place)) {
      return Lookup.ABSENT;
    }
    handle.read(top.memory, place.valueAt);
    Block index = block(handle.offset, handle.length, true, lookup.pausing(), true);
    if (index == null) {
      return Lookup.NOT_CACHED;
    }
    boolean found;
    try {
      found = BlockCursor.find(index, lookup.key, place);
      if (found) {
        handle.read(index.memory, place.valueAt);
      }
    } finally {
      if (index.isBuffer()) {
        index.unpin();
      }
    }
    return found ? findInData(lookup) : Lookup.ABSENT;
  }

  private int findInData(BlockLookup lookup) throws IOException {
    BlockCursor.Handle handle = lookup.handle;
    BlockCursor.Place place = lookup.place;
    Block data = block(handle.offset, handle.length, false, lookup.pausing(), true);
    if (data == null) {
      return Lookup.NOT_CACHED;
    }
    boolean taken = false;
    try {
      boolean found =
          BlockCursor.find(data, lookup.key, place)
              && place.exact
              && BlockCursor.settle(data, lookup.key, lookup.maxSequence, place);
      if (found) {
        Kind.check((int) place.packed & 15, place.valueLength);
        lookup.take(data);
        taken = true;
        lookup.sequence = sequence > 0 ? sequence : lookup.sequence;
      }
      return found ? Lookup.FOUND : Lookup.ABSENT;
    } finally {
      if (!taken && data.isBuffer()) {
        data.unpin();
      }
    }
  }

  /// What is in native memory while it is open; blocks if it is not.
  public long residentBytes() throws IOException {
    Epochs.Reader<?> inside = open.epochs.enter();
    try {
      return reader(inside).bytes;
    } finally {
      inside.exit();
    }
  }

  /// About what its place in memory takes, its file apart.
  public long heldBytes() {
    return HELD_BYTES
        + properties.smallest().length
        + properties.upper().length
        + tombstones.heldBytes();
  }

  /// Whether [#end] was called; under the lock of `open`.
  boolean isEnded() {
    return closed;
  }

  /// Lets go of its file; nobody uses the table any more. Idempotent.
  public void close() {
    open.close(this);
  }

  /// Its open file, if there is one, which nobody opens again. Under the lock of `open`.
  @Nullable TableReader end() {
    closed = true;
    return reader;
  }

  private void verifyHeader(FileSystem.ReadableFile file) throws IOException {
    FileLife found;
    try {
      byte[] bytes = StoreFiles.read(file, path, 0, FileHeader.BYTES);
      found = FileHeader.decode(FileKind.TABLE, bytes, bytes.length).life();
    } catch (DecodeException e) {
      throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
    }
    if (!found.equals(life)) {
      throw new CorruptionException(path, 0, FileHeader.another(found, life, "its footer"));
    }
  }

  /// Looks whether the file is the one that is meant, by its footer; reads that alone.
  ///
  /// @throws CorruptionException if it is another one
  public void checkFile() throws IOException {
    try (FileSystem.ReadableFile file = TableReader.openFile(open.files, path)) {
      check(TableReader.footer(file, path), file.size());
    } catch (CorruptionException e) {
      throw e.advise(ADVICE);
    }
  }

  /// Reads every byte: header, whole-file checksum, every block's, the order of the keys, and the
  /// counts.
  ///
  /// @throws CorruptionException naming the first that is wrong
  public void verify() throws IOException {
    verifyFile();
    verifyEntries();
  }

  /// Reads every byte, and looks whether the file is the one that was written: header and
  /// whole-file checksum.
  ///
  /// @throws CorruptionException naming what is wrong
  public void verifyFile() throws IOException {
    try (FileSystem.ReadableFile file = TableReader.openFile(open.files, path)) {
      verifyFile(file);
    } catch (CorruptionException e) {
      throw e.advise(ADVICE);
    }
  }

  private void verifyFile(FileSystem.ReadableFile file) throws IOException {
    verifyHeader(file);
    TableReader.Footer footer = TableReader.footer(file, path);
    check(footer, file.size());
    CRC32C crc = new CRC32C();
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    long end = sizeBytes - FOOTER_BYTES;
    for (long at = 0; at < end; at += buffer.position()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), end - at));
      StoreFiles.fill(file, path, at, buffer);
      crc.update(buffer.array(), 0, buffer.position());
    }
    if ((int) crc.getValue() != footer.fileCrc()) {
      throw new CorruptionException(path, 0, "the checksum of the whole file does not match");
    }
  }

  private void verifyEntries() throws IOException {
    RunCursor cursor = new RunCursor(open.epochs, new Table[] {this}, false);
    long entries = 0;
    byte[] last = {};
    long lastSequence = 0;
    for (cursor.seek(null); cursor.valid; cursor.next()) {
      int order = entries == 0 ? 1 : cursor.compareKey(last, last.length);
      if (order < 0 || order == 0 && cursor.sequence >= lastSequence) {
        throw new CorruptionException(path, 0, "keys out of order at entry " + entries);
      }
      last = cursor.keyCopy();
      lastSequence = cursor.sequence;
      entries++;
    }
    cursor.close();
    if (entries != properties.entries()) {
      throw new CorruptionException(
          path, 0, "it holds %d entries, not %d".formatted(entries, properties.entries()));
    }
  }
}
