package dev.tern.lsm.table;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import dev.tern.lsm.cache.Block;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// A sorted table, open for reading; any thread. Format 3:
///
/// ```
///   header   data block ... index block ...   top index   filter   range deletes   properties
///   footer
///
///   header:        FileHeader, 32 bytes
///   stored block:  payload   u8 compression   u32 crc32c of both
///                  compressed payload: u32 raw bytes, then LZ4's or Zstandard's
///   data block:    see BlockBuilder; all versions of a key lie in one block
///   index block:   the same; key: at or after the last of a data block and before the next one's
///                  first; value: varint offset, varint bytes stored
///   top index:     the same, of index blocks
///   filter:        see Bloom
///   range deletes: varint count; blob from, blob to, varint sequence
///   properties:    see TableProperties
///   footer:        4 x (u64 offset, u32 bytes): top index, filter, range deletes, properties
///                  16 bytes life   u32 crc32c of the file up to the footer   u32 format
///                  u32 crc32c of the footer   u64 magic
/// ```
///
/// The footer repeats the header's life, so that an opening reads the end of the file alone; the
/// header is for [#verify] and for whoever finds the file.
///
/// Top index, filter and range deletes stay in memory while the table is open and count against the
/// cache; index and data blocks go through it.
public final class Table {
  /// `terntbl` and the digit of the format.
  static final long MAGIC = 0x7465726e_74626c33L;

  static final int FOOTER_BYTES = 4 * 12 + FileLife.BYTES + 4 + 4 + 4 + 8;
  static final int TRAILER_BYTES = 5;

  public final long number;
  public final String path;
  public final long sizeBytes;
  public final FileLife life;

  /// Of the file up to its footer, as that says.
  public final int crc;

  public final TableProperties properties;
  public final RangeTombstones tombstones;

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

  private final FileSystem.ReadableFile file;
  private final BlockCache cache;
  private final NativeMemory buffers;
  private final Arena arena;
  private final MemorySegment filter;
  private final long filterBytes;
  private final int probes;
  private final Block top;
  private final long residentBytes;

  /// A block takes no more, by what the properties say.
  private final long mostRaw;

  @SuppressWarnings("MustBeClosedChecker") // The table closes it.
  private Table(
      String path,
      long number,
      FileSystem.ReadableFile file,
      BlockCache cache,
      NativeMemory buffers,
      Footer footer)
      throws IOException {
    this.path = path;
    this.number = number;
    this.file = file;
    this.cache = cache;
    this.buffers = buffers;
    this.sizeBytes = file.size();
    this.crc = footer.fileCrc;
    this.life = footer.life;
    byte[] raw = stored(footer.at[3], footer.bytes[3]);
    this.properties = TableProperties.decode(new ByteReader(raw));
    this.tombstones =
        footer.bytes[2] == 0
            ? RangeTombstones.NONE
            : TableProperties.rangeDeletes(new ByteReader(stored(footer.at[2], footer.bytes[2])));
    this.arena = Arena.ofShared();
    try {
      this.filter = resident(footer.at[1], footer.bytes[1]);
      MemorySegment index = resident(footer.at[0], footer.bytes[0]);
      BlockCursor.check(index, 0, (int) index.byteSize());
      this.top = Block.resident(number, footer.at[0], index);
      this.probes = Bloom.probes(filter);
    } catch (IOException | RuntimeException e) {
      arena.close();
      throw e;
    }
    this.filterBytes = filter.byteSize();
    this.mostRaw = mostRaw(properties);
    this.residentBytes = filter.byteSize() + top.length;
    cache.charge(residentBytes);
  }

  /// Entries of keys and values, restart points and the tail; or of an index.
  private static long mostRaw(TableProperties properties) {
    long entries = properties.entries();
    long each = 32 + BlockBuilder.RESTART_BYTES;
    long data = properties.keyBytes() + properties.valueBytes() + entries * each;
    boolean overflows = entries > Integer.MAX_VALUE || data < 0;
    return overflows ? Integer.MAX_VALUE : (1 << 20) + 2L * Keys.MAX_BYTES + data;
  }

  private record Footer(long[] at, int[] bytes, FileLife life, int fileCrc) {}

  /// Opens a table; reads what stays in memory.
  ///
  /// @throws CorruptionException if it cannot be what was written
  public static Table open(
      FileSystem files, String path, long number, BlockCache cache, NativeMemory buffers)
      throws IOException {
    if (!files.exists(path)) {
      throw new CorruptionException(path, 0, "the manifest names this table and it is missing");
    }
    FileSystem.ReadableFile file = files.open(path);
    try {
      return new Table(path, number, file, cache, buffers, footer(file, path));
    } catch (DecodeException e) {
      file.close();
      throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static Footer footer(FileSystem.ReadableFile file, String path) throws IOException {
    long at = file.size() - FOOTER_BYTES;
    if (at < 0) {
      throw new CorruptionException(path, 0, "shorter than a footer");
    }
    byte[] bytes = StoreFiles.read(file, path, at, FOOTER_BYTES);
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, FOOTER_BYTES - 12);
    ByteReader in = new ByteReader(bytes);
    long[] offsets = new long[4];
    int[] lengths = new int[4];
    for (int i = 0; i < 4; i++) {
      offsets[i] = in.readLong();
      lengths[i] = in.readInt();
    }
    FileLife life = FileLife.decode(in);
    int fileCrc = in.readInt();
    int format = in.readInt();
    boolean same = in.readInt() == (int) crc.getValue();
    long magic = in.readLong();
    int other = (int) (magic & 0xff) - '0';
    boolean ours = same && format == FileKind.TABLE.format();
    if (magic >>> Byte.SIZE == MAGIC >>> Byte.SIZE && magic != MAGIC && !ours && other > 0) {
      // What stands before the magic number, and its checksum, are that format's business.
      throw new CorruptionException(path, at, FileHeader.refusal(FileKind.TABLE, other));
    }
    if (!same || magic != MAGIC) {
      throw new CorruptionException(path, at, "the footer's checksum does not match");
    }
    if (format != FileKind.TABLE.format()) {
      throw new CorruptionException(path, at, FileHeader.refusal(FileKind.TABLE, format));
    }
    return new Footer(offsets, lengths, life, fileCrc);
  }

  /// A block that is never compressed, verified.
  private byte[] stored(long at, int length) throws IOException {
    byte[] bytes = StoreFiles.read(file, path, at, length);
    verify(ByteBuffer.wrap(bytes), at);
    return java.util.Arrays.copyOf(bytes, length - TRAILER_BYTES);
  }

  private MemorySegment resident(long at, int length) throws IOException {
    byte[] bytes = stored(at, length);
    MemorySegment memory = arena.allocate(Math.max(1, bytes.length), 64);
    MemorySegment.copy(bytes, 0, memory, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, bytes.length);
    return memory;
  }

  private void verify(ByteBuffer stored, long at) throws CorruptionException {
    int length = stored.limit();
    if (length < TRAILER_BYTES) {
      throw new CorruptionException(path, at, "a block of " + length + " bytes");
    }
    CRC32C crc = new CRC32C();
    crc.update(stored.slice(0, length - 4));
    if (stored.getInt(length - 4) != (int) crc.getValue()) {
      throw new CorruptionException(path, at, "a block whose checksum does not match");
    }
  }

  /// The block at a place, from the cache or, if that is allowed, the file; for a caller inside an
  /// epoch. A block of a buffer is the caller's to unpin.
  ///
  /// @param fill whether a block that is read may go to the cache
  /// @return null if it would have to be read and may not be
  @Nullable Block block(long at, int length, boolean index, boolean mayRead, boolean fill)
      throws IOException {
    Block cached = cache.get(number, at);
    return cached != null || !mayRead ? cached : load(at, length, index, fill);
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

  /// Whether it is set aside, as a compaction failed over it; under the manifest lock.
  public boolean isAside() {
    return aside;
  }

  /// Whether no compaction may take it now; under the manifest lock.
  public boolean isBusy() {
    return compacting || aside;
  }

  private Block load(long at, int length, boolean index, boolean fill) throws IOException {
    try {
      return loadBlock(at, length, index, fill);
    } catch (DecodeException e) {
      readFailure = e;
      throw noBlock(at, e);
    } catch (IOException | RuntimeException e) {
      readFailure = e;
      throw e;
    }
  }

  /// What is thrown where a block's checksum matches and it is none all the same.
  CorruptionException noBlock(long at, RuntimeException why) {
    return new CorruptionException(path, at, "a block that cannot have been written: " + why);
  }

  private Block loadBlock(long at, int length, boolean index, boolean fill) throws IOException {
    if (at < 0 || length < TRAILER_BYTES || length > sizeBytes - at) {
      throw new CorruptionException(path, at, "a reference to " + length + " bytes beyond the end");
    }
    MemorySegment buffer = buffers.take(length);
    try {
      ByteBuffer stored = buffer.asSlice(0, length).asByteBuffer();
      StoreFiles.fill(file, path, at, stored);
      stored.clear();
      verify(stored, at);
      int raw = Compressor.rawLength(stored, mostRaw, path, at);
      Block target = fill ? cache.reserve(number, at, raw, index) : null;
      boolean reserved = target != null;
      if (target == null) {
        target = Block.ofBuffer(buffers, raw);
      }
      boolean done = false;
      try {
        Compressor.decompress(stored, target.memory.asSlice(target.base, raw), path, at);
        BlockCursor.check(target.memory, target.base, raw);
        done = true;
      } finally {
        if (!done && reserved) {
          cache.abandon(target);
        }
      }
      return reserved ? cache.publish(target) : target;
    } finally {
      buffers.give(buffer);
    }
  }

  /// Looks the lookup's key up; see [Lookup] for the outcomes. Inside an epoch.
  int find(BlockLookup lookup) throws IOException {
    try {
      return findIn(lookup);
    } catch (DecodeException | IndexOutOfBoundsException e) {
      throw noBlock(lookup.handle.offset, e);
    }
  }

  private int findIn(BlockLookup lookup) throws IOException {
    if (!tombstones.isEmpty()) {
      byte[] key = lookup.key;
      long covered = tombstones.covering(key, 0, key.length, lookup.maxSequence);
      lookup.covered = Math.max(lookup.covered, covered);
    }
    if (!Bloom.mayContain(filter, filterBytes, probes, lookup.hash)) {
      return Lookup.ABSENT;
    }
    BlockCursor.Place place = lookup.place;
    BlockCursor.Handle handle = lookup.handle;
    if (!BlockCursor.find(top, lookup.key, place)) {
      return Lookup.ABSENT;
    }
    handle.read(top.memory, place.valueAt);
    Block index = block(handle.offset, handle.length, true, lookup.mayRead, true);
    if (index == null) {
      return Lookup.NOT_CACHED;
    }
    boolean found = BlockCursor.find(index, lookup.key, place);
    if (found) {
      handle.read(index.memory, place.valueAt);
    }
    if (index.isBuffer()) {
      index.unpin();
    }
    return found ? findInData(lookup) : Lookup.ABSENT;
  }

  private int findInData(BlockLookup lookup) throws IOException {
    BlockCursor.Handle handle = lookup.handle;
    BlockCursor.Place place = lookup.place;
    Block data = block(handle.offset, handle.length, false, lookup.mayRead, true);
    if (data == null) {
      return Lookup.NOT_CACHED;
    }
    boolean found =
        BlockCursor.find(data, lookup.key, place)
            && place.exact
            && BlockCursor.settle(data, lookup.key, lookup.maxSequence, place);
    if (found) {
      Kind.check((int) place.packed & 15, place.valueLength);
      lookup.take(data);
      return Lookup.FOUND;
    }
    if (data.isBuffer()) {
      data.unpin();
    }
    return Lookup.ABSENT;
  }

  Block top() {
    return top;
  }

  public long residentBytes() {
    return residentBytes;
  }

  public void close() throws IOException {
    cache.charge(-residentBytes);
    arena.close();
    file.close();
  }

  private void verifyHeader() throws IOException {
    FileLife found;
    try {
      byte[] bytes = StoreFiles.read(file, path, 0, FileHeader.BYTES);
      found = FileHeader.decode(FileKind.TABLE, bytes, bytes.length).life();
    } catch (DecodeException e) {
      throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
    }
    if (!found.equals(life)) {
      throw new CorruptionException(path, 0, FileHeader.foreign(found, life, "its footer"));
    }
  }

  /// Reads every byte: header, whole-file checksum, every block's, the order of the keys, and the
  /// counts.
  ///
  /// @throws CorruptionException naming the first that is wrong
  public void verify() throws IOException {
    verifyHeader();
    Footer footer = footer(file, path);
    CRC32C crc = new CRC32C();
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    long end = sizeBytes - FOOTER_BYTES;
    for (long at = 0; at < end; at += buffer.position()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), end - at));
      StoreFiles.fill(file, path, at, buffer);
      crc.update(buffer.array(), 0, buffer.position());
    }
    if ((int) crc.getValue() != footer.fileCrc) {
      throw new CorruptionException(path, 0, "the checksum of the whole file does not match");
    }
    RunCursor cursor = new RunCursor(new Epochs<>(BlockLookup::new), new Table[] {this}, false);
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
