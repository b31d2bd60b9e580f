package dev.tern.lsm.log;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The write-ahead log's format 3: 32 KiB blocks of chunks, an entry being one chunk or a first,
/// middle ones and a last (after LevelDB's log format). The first block begins with the file's
/// header.
///
/// ```
///   file:  header (FileHeader, 32 bytes), chunks
///   chunk: u32 crc32c of what follows   u16 payload bytes   u8 type   u64 first half of the life
///          u64 synced offset   payload
///   type:  1 whole  2 first  3 middle  4 last  5 end of the log
///          a block's last < 23 bytes are zeros
/// ```
///
/// The manifest names each log with its life, and the header is forced before that: a log that it
/// names and that does not begin with that life is another store's, an old one of this store, or
/// damaged. A file that is used again begins a new life. Chunks of its former life behind its end
/// count as nothing.
///
/// The synced offset says how much of this file was forced when the chunk was made. A broken chunk
/// before an offset that any later chunk knows as synced is corruption; one after it is the torn
/// tail of a crash, and the log ends there. A log that was closed ends in a chunk of type 5, which
/// knows all of it as synced. The manifest knows how much of each log was forced when it was last
/// written, and so finds what the log itself cannot know; see [LogNames].
public final class LogFile {
  public static final int BLOCK_BYTES = 32 << 10;
  static final int HEADER_BYTES = 23;

  /// A log is never longer, so that it can be read into one array.
  static final long MOST_BYTES = Integer.MAX_VALUE - (64 << 20);

  private static final int WHOLE = 1;
  private static final int FIRST = 2;
  private static final int MIDDLE = 3;
  private static final int LAST = 4;
  private static final int END = 5;

  private LogFile() {}

  /// Gathers batches and hands them to the file as one entry: a crash keeps all or none of them.
  ///
  /// The entry is cut into chunks a piece at a time. Whatever is thrown in the middle, the next
  /// call goes on where this one stopped: no chunk is cut twice, and none by half.
  public static final class Writer {
    /// Chunks cut before the file gets them.
    private static final int PIECE_BYTES = 256 << 10;

    public final long number;
    final FileLife life;
    final FileSystem.WritableFile file;

    /// Whether the manifest names it, durably; guarded by the store's lock.
    boolean named;

    private final ByteWriter group = new ByteWriter(16 << 10);

    /// What of the group has been cut into chunks.
    private int cut;

    /// Whether an entry was begun and not ended.
    private boolean inside;

    /// Chunks, and how much of them the file has taken.
    private final ByteWriter buffer = new ByteWriter(16 << 10);

    private int taken;

    /// The buffer's array, and it wrapped: made anew when the buffer has grown.
    private byte[] wrappedArray = buffer.array();

    private ByteBuffer wrapped = ByteBuffer.wrap(wrappedArray);

    private final CRC32C crc = new CRC32C();
    private long end;

    /// Bytes handed to the file; guarded by the store's lock.
    long handedOver;

    /// The largest sequence handed to the file, and to the buffer.
    long loggedSequence;

    long bufferedSequence;

    volatile long syncedOffset;

    /// @param file behind its header, which is durable; or none
    private Writer(long number, FileLife life, FileSystem.WritableFile file) {
      this.number = number;
      this.life = life;
      this.file = file;
      this.end = file.position();
      this.handedOver = end;
      this.syncedOffset = end;
    }

    /// Begins a log: on return its header is durable. Blocks.
    static Writer begin(long number, FileLife life, FileSystem.WritableFile file)
        throws IOException {
      file.append(ByteBuffer.wrap(FileHeader.of(FileKind.LOG, life).toBytes()));
      file.force();
      return new Writer(number, life, file);
    }

    /// In place of a log that cannot be made.
    public static Writer missing(String why) {
      return new Writer(0, FileLife.NONE, new NoFile(why));
    }

    /// Of a store that keeps no log.
    public static Writer nowhere(long number) {
      return new Writer(number, FileLife.NONE, new Nowhere());
    }

    boolean isNowhere() {
      return file instanceof Nowhere;
    }

    /// Gathers a batch; one that throws gathers nothing.
    void add(byte[] batch, int length, long lastSequence) {
      assert !isNowhere() : "a log that is not kept gathers";
      group.writeBytes(batch, 0, length);
      bufferedSequence = lastSequence;
    }

    /// Lets the file go.
    public void close() throws IOException {
      file.close();
    }

    /// Whether there is no file yet.
    public boolean isMissing() {
      return file instanceof NoFile;
    }

    /// Gives what was gathered to the log that is written in place of this one, whose file never
    /// was.
    void moveTo(Writer other) {
      other.group.writeBytes(group.array(), 0, group.length());
      other.loggedSequence = loggedSequence;
      other.bufferedSequence = bufferedSequence;
    }

    /// Cuts a piece of the group.
    private void cutPiece() {
      while (cut < group.length() && buffer.length() < PIECE_BYTES) {
        int left = pad();
        int part = Math.min(group.length() - cut, left - HEADER_BYTES);
        boolean ends = cut + part == group.length();
        chunk(inside ? (ends ? LAST : MIDDLE) : (ends ? WHOLE : FIRST), group.array(), cut, part);
        cut += part;
        inside = !ends;
      }
    }

    /// Fills the end of a block that has no room for a chunk; what is left of the block then.
    private int pad() {
      int left = BLOCK_BYTES - (int) (end % BLOCK_BYTES);
      if (left >= HEADER_BYTES) {
        return left;
      }
      for (; left > 0; left--) {
        buffer.writeByte(0);
        end++;
      }
      return BLOCK_BYTES;
    }

    private void chunk(int type, byte[] entry, int offset, int count) {
      int start = buffer.length();
      boolean done = false;
      try {
        buffer.writeInt(0).writeShort(count).writeByte(type).writeLong(life.high());
        buffer.writeLong(syncedOffset).writeBytes(entry, offset, count);
        done = true;
      } finally {
        if (!done) {
          buffer.truncate(start);
        }
      }
      crc.reset();
      crc.update(buffer.array(), start + 4, HEADER_BYTES - 4 + count);
      int sum = (int) crc.getValue();
      byte[] array = buffer.array();
      for (int i = 0; i < 4; i++) {
        array[start + i] = (byte) (sum >>> (24 - 8 * i));
      }
      end += HEADER_BYTES + count;
    }

    /// Ends the group and hands it to the file. After a failure the file may hold a part of it: the
    /// rest follows with the next call.
    void handOver() throws IOException {
      append();
      while (cut < group.length()) {
        cutPiece();
        append();
      }
      if (cut > 0) {
        group.clear();
        cut = 0;
      }
      handedOver = file.position();
      loggedSequence = bufferedSequence;
    }

    /// Marks the end of a log that is wholly synced; not forced.
    void end() throws IOException {
      pad();
      syncedOffset = end;
      chunk(END, new byte[0], 0, 0);
      append();
    }

    /// Whether so many bytes more, with their headers, keep the log within [#MOST_BYTES].
    boolean hasRoom(long more) {
      return withHeaders(end + gathered() + more) <= MOST_BYTES;
    }

    /// Makes room on the disk for what is gathered and so many bytes more.
    void reserve(long more) throws IOException {
      file.reserve(withHeaders(gathered() + more));
    }

    private static long withHeaders(long bytes) {
      return bytes + (bytes / (BLOCK_BYTES - HEADER_BYTES) + 2) * HEADER_BYTES;
    }

    /// What its arrays take of the heap.
    long heldBytes() {
      return (long) group.array().length + buffer.array().length;
    }

    /// Bytes gathered and not handed over.
    int gathered() {
      return group.length() - cut + buffer.length() - taken;
    }

    private void append() throws IOException {
      if (taken == buffer.length()) {
        return;
      }
      ByteBuffer bytes = wrapped;
      if (wrappedArray != buffer.array()) {
        bytes = ByteBuffer.wrap(buffer.array());
        wrapped = bytes;
        wrappedArray = buffer.array();
      }
      bytes.limit(buffer.length()).position(taken);
      long before = file.position();
      try {
        file.append(bytes);
      } finally {
        taken += (int) (file.position() - before);
        if (taken == buffer.length()) {
          buffer.clear();
          taken = 0;
        }
      }
    }
  }

  /// Takes whole entries out of a log.
  public interface Visitor {
    void entry(ByteReader entry);
  }

  /// How a log ended.
  ///
  /// @param clean whether it was closed, or its last entry is whole and nothing is behind it; a
  ///   file that was used before has its former chunks there
  /// @param synced whether it knows that some of it was forced, and so all logs before it
  /// @param at where its last whole entry ends
  /// @param droppedBytes behind that, as far as chunks of this log are found there
  /// @param droppedChunks the whole ones among them
  public record Ending(
      boolean clean, boolean synced, long at, long droppedBytes, int droppedChunks) {}

  /// Reads a log to its end or its torn tail.
  ///
  /// @param wanted the life that the log must be of, null for any
  /// @throws CorruptionException if it is broken where it was synced, or another log
  public static Ending read(
      FileSystem files, String path, @Nullable FileLife wanted, Visitor visitor)
      throws IOException {
    byte[] bytes = StoreFiles.readAll(files, path);
    CRC32C crc = new CRC32C();
    long life = life(path, bytes, wanted).high();
    ByteWriter entry = new ByteWriter();
    int at = FileHeader.BYTES;
    int end = at;
    int open = 0;
    boolean synced = false;
    while (at < bytes.length) {
      int left = BLOCK_BYTES - at % BLOCK_BYTES;
      if (left < HEADER_BYTES) {
        at += left;
        continue;
      }
      int length = valid(bytes, at, life, crc);
      if (length < 0) {
        long[] behind = checkTorn(path, bytes, at, life, crc);
        long last = Math.max(behind[0], open > 0 ? at : end);
        return new Ending(false, synced, end, last - end, open + (int) behind[1]);
      }
      int type = bytes[at + 6];
      synced |= syncedOffset(bytes, at) > FileHeader.BYTES;
      boolean begins = type == WHOLE || type == FIRST || type == END;
      if (begins == open > 0 || type < WHOLE || type > END) {
        throw new CorruptionException(path, at, "a chunk of type " + type + " out of order");
      }
      if (type == END) {
        return new Ending(true, true, end, 0, 0);
      }
      if (begins) {
        entry.clear();
      }
      entry.writeBytes(bytes, at + HEADER_BYTES, length);
      open = type == FIRST || type == MIDDLE ? open + 1 : 0;
      at += HEADER_BYTES + length;
      end = open > 0 ? end : at;
      if (open == 0) {
        visitor.entry(new ByteReader(entry.array(), 0, entry.length()));
      }
    }
    return new Ending(open == 0, synced, end, open == 0 ? 0 : at - end, open);
  }

  /// Whether a file may hold an entry, whoever wrote it: its header is there alone until a manifest
  /// names it.
  public static boolean isBegun(FileSystem files, String path) throws IOException {
    byte[] bytes = StoreFiles.readAll(files, path);
    for (int at = FileHeader.BYTES; at < bytes.length; at++) {
      if (bytes[at] != 0) {
        return true;
      }
    }
    return false;
  }

  private static FileLife life(String path, byte[] bytes, @Nullable FileLife wanted)
      throws CorruptionException {
    FileLife found;
    try {
      found = FileHeader.decode(FileKind.LOG, bytes, bytes.length).life();
    } catch (DecodeException e) {
      throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
    }
    if (wanted != null && !wanted.equals(found)) {
      throw new CorruptionException(path, 0, FileHeader.foreign(found, wanted, "the manifest"));
    }
    return found;
  }

  private static long syncedOffset(byte[] bytes, int chunk) {
    return (long) Keys.LONG.get(bytes, chunk + 15);
  }

  /// The payload length of the chunk at `at`, -1 if there is no whole one.
  private static int valid(byte[] bytes, int at, long life, CRC32C crc) {
    int length = length(bytes, at, life);
    if (length < 0) {
      return -1;
    }
    crc.reset();
    crc.update(bytes, at + 4, HEADER_BYTES - 4 + length);
    return (int) crc.getValue() == new ByteReader(bytes, at, 4).readInt() ? length : -1;
  }

  /// What the header at `at` says of its payload's length, -1 if it is none of this log.
  private static int length(byte[] bytes, int at, long life) {
    if (at + HEADER_BYTES > bytes.length || (long) Keys.LONG.get(bytes, at + 7) != life) {
      return -1;
    }
    int length = new ByteReader(bytes, at + 4, 2).readUnsignedShort();
    boolean fits =
        at % BLOCK_BYTES + HEADER_BYTES + length <= BLOCK_BYTES
            && at + HEADER_BYTES + length <= bytes.length;
    return fits ? length : -1;
  }

  /// Throws if a later chunk knows the broken place as synced; else where the last chunk behind it
  /// ends, or the broken one by what its header says, and how many whole ones there are.
  private static long[] checkTorn(String path, byte[] bytes, int broken, long life, CRC32C crc)
      throws CorruptionException {
    int stated = length(bytes, broken, life);
    long[] found = {stated < 0 ? 0 : broken + HEADER_BYTES + stated, 0};
    for (int at = broken + 1; at + HEADER_BYTES <= bytes.length; at++) {
      int length = valid(bytes, at, life, crc);
      if (length < 0) {
        continue;
      }
      if (syncedOffset(bytes, at) > broken) {
        throw new CorruptionException(
            path,
            broken,
            "a broken chunk in what was synced (up to " + syncedOffset(bytes, at) + ")");
      }
      found[0] = at + HEADER_BYTES + length;
      found[1]++;
    }
    return found;
  }
}
