package dev.tern.raft.log;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// A file of the log, format 2: a header, and frames one after the other.
///
/// ```
///   file:  header (FileHeader, 32 bytes), frames
///   frame: u32 crc32c of what follows   u32 payload bytes   u64 first half of the life
///          u64 synced offset            payload (a LogRecord)
/// ```
///
/// The header is forced before the first frame follows: a file that is longer than a header and has
/// none is damaged. Each segment's first frame names the segment before by number and life, so a
/// segment of another log, or of another time, is found.
///
/// The synced offset says how much of this file was forced when the frame was made. A broken frame
/// before an offset that any later frame knows as synced is corruption; one after it is the torn
/// tail of a crash, and the segment ends there. In all but the last segment nothing may be torn:
/// the next one's header says where it ends.
final class Segment {
  static final String SUFFIX = ".raftlog";
  static final int HEADER_BYTES = 24;

  final long number;
  final FileLife life;

  /// By group: the last index of its entries in here. A group that is not needed is not named.
  final TreeMap<Integer, Long> lastIndex = new TreeMap<>();

  Segment(long number, FileLife life) {
    this.number = number;
    this.life = life;
  }

  static String name(long number) {
    return "%010d".formatted(number) + SUFFIX;
  }

  /// -1 if that is no name of a segment.
  static long number(String name) {
    String digits = name.endsWith(SUFFIX) ? name.substring(0, name.length() - 8) : "";
    try {
      return digits.isEmpty() ? -1 : Long.parseLong(digits);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  void holds(int group, long index) {
    lastIndex.merge(group, index, Math::max);
  }

  static void frame(FileLife life, long syncedOffset, byte[] payload, ByteWriter out) {
    int start = out.length();
    out.writeInt(0).writeInt(payload.length).writeLong(life.high()).writeLong(syncedOffset);
    out.writeBytes(payload);
    CRC32C crc = new CRC32C();
    crc.update(out.array(), start + 4, HEADER_BYTES - 4 + payload.length);
    ByteBuffer.wrap(out.array()).putInt(start, (int) crc.getValue());
  }

  /// Takes what a segment says.
  interface Visitor {
    void record(LogRecord record);
  }

  /// How a segment begins, null if that was never completely written.
  ///
  /// @throws RaftLogException if it was and is broken
  static @Nullable Start start(String path, byte[] bytes) throws RaftLogException {
    FileLife life;
    try {
      life = FileHeader.decode(FileKind.RAFT_SEGMENT, bytes, bytes.length).life();
    } catch (DecodeException e) {
      if (bytes.length > FileHeader.BYTES) {
        throw new RaftLogException(path, 0, String.valueOf(e.getMessage()));
      }
      return null;
    }
    int length = valid(bytes, FileHeader.BYTES, life);
    if (length < 0) {
      checkTorn(path, bytes, FileHeader.BYTES, life);
      return null;
    }
    LogRecord first = record(path, bytes, FileHeader.BYTES, length);
    if (first instanceof LogRecord.Header header) {
      return new Start(life, header);
    }
    throw new RaftLogException(path, FileHeader.BYTES, "its first frame is no header");
  }

  /// How a segment begins.
  record Start(FileLife life, LogRecord.Header header) {}

  /// Reads all records.
  ///
  /// @param end where it must end, or -1 for the last segment, which may end torn
  /// @return where it ends
  static int read(String path, byte[] bytes, FileLife life, long end, Visitor visitor)
      throws RaftLogException {
    int at = FileHeader.BYTES;
    while (end < 0 ? at < bytes.length : at < end) {
      int length = valid(bytes, at, life);
      if (length < 0 && end >= 0) {
        throw new RaftLogException(path, at, "a broken frame before the end at " + end);
      }
      if (length < 0) {
        checkTorn(path, bytes, at, life);
        return at;
      }
      visitor.record(record(path, bytes, at, length));
      at += HEADER_BYTES + length;
    }
    return at;
  }

  private static LogRecord record(String path, byte[] bytes, int at, int length)
      throws RaftLogException {
    try {
      return LogRecord.decode(new ByteReader(bytes, at + HEADER_BYTES, length));
    } catch (DecodeException e) {
      throw new RaftLogException(path, at, String.valueOf(e.getMessage()));
    }
  }

  /// The payload length of the frame at `at`, -1 if there is no whole one.
  private static int valid(byte[] bytes, int at, FileLife life) {
    if (at + HEADER_BYTES > bytes.length) {
      return -1;
    }
    ByteReader header = new ByteReader(bytes, at, HEADER_BYTES);
    int sum = header.readInt();
    int length = header.readInt();
    boolean fits = length >= 0 && length <= bytes.length - at - HEADER_BYTES;
    if (!fits || header.readLong() != life.high()) {
      return -1;
    }
    CRC32C crc = new CRC32C();
    crc.update(bytes, at + 4, HEADER_BYTES - 4 + length);
    return (int) crc.getValue() == sum ? length : -1;
  }

  /// Throws if a later frame knows the broken place as synced.
  private static void checkTorn(String path, byte[] bytes, int broken, FileLife life)
      throws RaftLogException {
    for (int at = broken + 1; at + HEADER_BYTES <= bytes.length; at++) {
      if (valid(bytes, at, life) >= 0) {
        long synced = new ByteReader(bytes, at + 16, 8).readLong();
        if (synced > broken) {
          throw new RaftLogException(
              path, broken, "a broken frame in what was synced (up to " + synced + ")");
        }
      }
    }
  }

  static byte[] readAll(FileSystem files, String path) throws IOException {
    try (FileSystem.ReadableFile file = files.open(path)) {
      long size = file.size();
      if (size > Integer.MAX_VALUE - 16) {
        throw new RaftLogException(path, size, "a segment of more than 2 GiB");
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) size);
      while (bytes.hasRemaining()) {
        if (file.read(bytes.position(), bytes) < 0) {
          throw new RaftLogException(path, bytes.position(), "it ends before its size " + size);
        }
      }
      return bytes.array();
    }
  }
}
