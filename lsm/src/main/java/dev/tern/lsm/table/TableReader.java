package dev.tern.lsm.table;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import dev.tern.lsm.cache.Block;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.epoch.Pausing;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// A table while its file is open: the file, and what stays in memory with it.
///
/// Any thread, inside an epoch or while it is held.
final class TableReader extends Resident {
  /// What a part of the filter takes beside its bits.
  private static final int PART_BYTES = 64;

  /// A part of the filter that has no room is loaded for others when it was missed so often: its
  /// reading costs as much as that of some blocks.
  private static final int MISSES = 16;

  /// Where the parts of a table lie, as its footer says.
  ///
  /// @param at of the top index, the parts of the filter, the range deletes and the properties
  /// @param bytes of these
  record Footer(long[] at, int[] bytes, FileLife life, int fileCrc) {}

  final FileSystem.ReadableFile file;
  final Block top;
  private final Table table;

  /// The last key of each part of the filter but the last one.
  private final byte[][] filterLasts;

  private final long[] filterAt;
  private final int[] filterLengths;

  /// Those in memory; written under the lock of the owner, which forgets one before its memory goes
  /// by an epoch.
  final @Nullable TableFilter[] filters;

  /// How often a part was missed for want of room; races lose counts.
  private final byte[] misses;

  private TableReader(
      OpenTables owner,
      Table table,
      FileSystem.ReadableFile file,
      Arena arena,
      Footer footer,
      MemorySegment index,
      Directory directory) {
    super(owner, arena, index.byteSize() + directory.heldBytes());
    this.table = table;
    this.file = file;
    this.filterLasts = directory.lasts;
    this.filterAt = directory.at;
    this.filterLengths = directory.lengths;
    this.filters = new TableFilter[filterAt.length];
    this.misses = new byte[filterAt.length];
    this.top = Block.resident(table.number, footer.at[0], index);
  }

  /// Where the parts of the filter lie.
  ///
  /// @param lasts the last key of each but the last
  private record Directory(byte[][] lasts, long[] at, int[] lengths) {
    static Directory decode(ByteReader in) {
      int count = in.readCount(3);
      byte[][] lasts = new byte[Math.max(0, count - 1)][];
      long[] at = new long[count];
      int[] lengths = new int[count];
      for (int i = 0; i < count; i++) {
        byte[] last = in.readBlob();
        if (i < count - 1) {
          lasts[i] = last;
        }
        at[i] = in.readPositiveVarLong();
        lengths[i] = in.readVarInt();
      }
      in.expectEnd();
      return new Directory(lasts, at, lengths);
    }

    long heldBytes() {
      long bytes = 0;
      for (byte[] last : lasts) {
        bytes += last.length + PART_BYTES;
      }
      return bytes;
    }
  }

  /// Opens a table's file and reads what stays in memory.
  ///
  /// @throws CorruptionException if it is not the table that is meant, or damaged
  @SuppressWarnings("MustBeClosedChecker") // Closed with the reader.
  static TableReader open(OpenTables owner, Table table) throws IOException {
    FileSystem.ReadableFile file = openFile(owner.files, table.path);
    Arena arena = null;
    boolean done = false;
    try {
      Footer footer = footer(file, table.path);
      table.check(footer, file.size());
      byte[] top = stored(file, table.path, footer.at[0], footer.bytes[0]);
      byte[] filters = stored(file, table.path, footer.at[1], footer.bytes[1]);
      Directory directory = Directory.decode(new ByteReader(filters));
      arena = Arena.ofShared();
      MemorySegment index = resident(arena, top);
      BlockCursor.check(index, 0, (int) index.byteSize());
      TableReader made = new TableReader(owner, table, file, arena, footer, index, directory);
      done = true;
      return made;
    } catch (DecodeException e) {
      throw new CorruptionException(table.path, 0, String.valueOf(e.getMessage()));
    } finally {
      if (!done) {
        if (arena != null) {
          arena.close();
        }
        file.close();
      }
    }
  }

  /// Opens the file of a table that the manifest names.
  static FileSystem.ReadableFile openFile(FileSystem files, String path) throws IOException {
    if (!files.exists(path)) {
      throw new CorruptionException(path, 0, "the manifest names this table and it is missing");
    }
    return files.open(path);
  }

  static Footer footer(FileSystem.ReadableFile file, String path) throws IOException {
    long at = file.size() - Table.FOOTER_BYTES;
    if (at < 0) {
      throw new CorruptionException(path, 0, "shorter than a footer");
    }
    byte[] bytes = StoreFiles.read(file, path, at, Table.FOOTER_BYTES);
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, Table.FOOTER_BYTES - 12);
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
    if (magic >>> Byte.SIZE == Table.MAGIC >>> Byte.SIZE
        && magic != Table.MAGIC
        && !ours
        && other > 0) {
      // What stands before the magic number, and its checksum, are that format's business.
      throw new CorruptionException(path, at, FileHeader.refusal(FileKind.TABLE, other));
    }
    if (!same || magic != Table.MAGIC) {
      throw new CorruptionException(path, at, "the footer's checksum does not match");
    }
    if (format != FileKind.TABLE.format()) {
      throw new CorruptionException(path, at, FileHeader.refusal(FileKind.TABLE, format));
    }
    return new Footer(offsets, lengths, life, fileCrc);
  }

  static TableProperties properties(FileSystem.ReadableFile file, String path, Footer footer)
      throws IOException {
    return TableProperties.decode(
        new ByteReader(stored(file, path, footer.at[3], footer.bytes[3])));
  }

  static RangeTombstones tombstones(FileSystem.ReadableFile file, String path, Footer footer)
      throws IOException {
    return footer.bytes[2] == 0
        ? RangeTombstones.NONE
        : TableProperties.rangeDeletes(
            new ByteReader(stored(file, path, footer.at[2], footer.bytes[2])));
  }

  /// A block that is never compressed, verified.
  private static byte[] stored(FileSystem.ReadableFile file, String path, long at, int length)
      throws IOException {
    byte[] bytes = StoreFiles.read(file, path, at, length);
    verify(ByteBuffer.wrap(bytes), path, at);
    return Arrays.copyOf(bytes, length - Table.TRAILER_BYTES);
  }

  private static MemorySegment resident(Arena arena, byte[] bytes) {
    MemorySegment memory = arena.allocate(Math.max(1, bytes.length), 64);
    MemorySegment.copy(bytes, 0, memory, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, bytes.length);
    return memory;
  }

  static void verify(ByteBuffer stored, String path, long at) throws CorruptionException {
    int length = stored.limit();
    if (length < Table.TRAILER_BYTES) {
      throw new CorruptionException(path, at, "a block of " + length + " bytes");
    }
    CRC32C crc = new CRC32C();
    crc.update(stored.slice(0, length - 4));
    if (stored.getInt(length - 4) != (int) crc.getValue()) {
      throw new CorruptionException(path, at, "a block whose checksum does not match");
    }
  }

  /// Whether the table may have the lookup's key. A part of the filter that is not in memory, and
  /// for which there is no room or that may not be read, says nothing. A lookup that may read must
  /// find the reader anew behind it.
  boolean mayContain(BlockLookup lookup) throws IOException {
    if (filters.length == 0) {
      return false;
    }
    int part = filterLasts.length == 0 ? 0 : partOf(lookup.key);
    TableFilter filter = filters[part];
    if (filter == null) {
      filter = lookup.mayRead ? owner.filter(this, part, lookup) : null;
      if (filter == null) {
        return true;
      }
    }
    filter.touch();
    return filter.mayContain(lookup.hash);
  }

  /// Loads the parts of the filter that have room; for a caller inside an epoch, who holds this.
  void loadFilter(Pausing inside) throws IOException {
    for (int part = 0; part < filters.length; part++) {
      if (filters[part] == null) {
        owner.filter(this, part, inside);
      }
    }
  }

  /// Reads something.
  interface Reading<T> {
    T read() throws IOException;
  }

  /// Lets a caller inside an epoch read from the file outside the epoch, as that may take long. The
  /// file stays open meanwhile, and no longer than the caller's next epoch unless others use it.
  <T> T outside(Pausing inside, Reading<T> reading) throws IOException {
    hold();
    try {
      inside.pause();
      try {
        return reading.read();
      } finally {
        inside.resume();
      }
    } finally {
      letGo();
    }
  }

  /// The part of the filter whose keys a key would be among.
  private int partOf(byte[] key) {
    int low = 0;
    int high = filterLasts.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Keys.compare(filterLasts[middle], key) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// Where the part's stored block begins and ends.
  int[] filterPlace(int part) {
    return new int[] {(int) filterAt[part], (int) filterAt[part] + filterLengths[part]};
  }

  int filterBytes(int part) {
    return filterLengths[part];
  }

  /// Notes that a part would be of use; true if it was missed often enough to make others go for
  /// it.
  boolean isMissed(int part) {
    return (++misses[part] & MISSES - 1) == 0;
  }

  /// Reads a part of the filter.
  TableFilter readFilter(int part) throws IOException {
    try {
      return filter(part, stored(file, table.path, filterAt[part], filterLengths[part]));
    } catch (CorruptionException e) {
      throw e.advise(Table.ADVICE);
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // Closed with the filter.
  private TableFilter filter(int part, byte[] stored) throws IOException {
    Arena own = Arena.ofShared();
    try {
      return new TableFilter(this, part, own, resident(own, stored));
    } catch (DecodeException e) {
      own.close();
      throw new CorruptionException(table.path, filterAt[part], String.valueOf(e.getMessage()));
    } catch (RuntimeException | Error e) {
      own.close();
      throw e;
    }
  }

  /// Under the lock of the owner.
  void forget(TableFilter old, int part) {
    if (filters[part] == old) {
      filters[part] = null;
    }
  }

  @Override
  void unlink() {
    table.forget(this);
  }

  @Override
  int files() {
    return 1;
  }

  @Override
  void free() {
    try {
      file.close();
    } catch (IOException e) {
      // It was read only.
      return;
    }
  }
}
