package dev.tern.env;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// A file that is read and written whole: a crash leaves the old one or the new one.
///
/// ```
///   header (FileHeader, 32 bytes)   bytes   u32 crc32c of both
/// ```
///
/// Blocks: for jobs and for what happens before the start. One writer of a path at a time.
public final class SmallFile {
  private static final int TRAILER_BYTES = 4;

  /// No file is longer.
  private static final int MOST_BYTES = 256 << 20;

  private SmallFile() {}

  /// What was saved, null if there is no such file.
  ///
  /// @throws DecodeException if it is not what was saved
  public static byte @Nullable [] load(FileSystem files, String path, FileKind kind)
      throws IOException {
    if (!files.exists(path)) {
      return null;
    }
    try (FileSystem.ReadableFile file = files.open(path)) {
      if (file.size() > MOST_BYTES) {
        throw new DecodeException("%d bytes, more than it can have".formatted(file.size()));
      }
      ByteBuffer all = ByteBuffer.allocate((int) file.size());
      while (all.hasRemaining() && file.read(all.position(), all) > 0) {
        // Until all is there.
      }
      return decode(kind, Arrays.copyOf(all.array(), all.position()));
    }
  }

  /// What a file holds.
  ///
  /// @param all of its bytes
  /// @throws DecodeException if it is not what was saved
  public static byte[] decode(FileKind kind, byte[] all) {
    FileHeader.decode(kind, all, all.length);
    int end = all.length - TRAILER_BYTES;
    if (end < FileHeader.BYTES || crc(all, end) != ByteBuffer.wrap(all).getInt(end)) {
      throw new DecodeException("its checksum is wrong");
    }
    return Arrays.copyOfRange(all, FileHeader.BYTES, end);
  }

  /// The bytes of a file that holds `bytes`.
  public static byte[] encode(FileKind kind, FileLife life, byte[] bytes) {
    ByteWriter out = new ByteWriter(FileHeader.BYTES + bytes.length + TRAILER_BYTES);
    FileHeader.of(kind, life).encode(out);
    out.writeBytes(bytes);
    return out.writeInt(crc(out.array(), out.length())).toByteArray();
  }

  /// On return `directory/name` holds these bytes, durably.
  public static void save(
      FileSystem files, String directory, String name, FileKind kind, FileLife life, byte[] bytes)
      throws IOException {
    files.createDirectories(directory);
    replace(files, directory, name, ByteBuffer.wrap(encode(kind, life, bytes)));
  }

  private static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  /// On return `directory/name` holds what remains in `bytes` and nothing else, durably.
  public static void replace(FileSystem files, String directory, String name, ByteBuffer bytes)
      throws IOException {
    String path = directory + "/" + name;
    String next = path + ".new";
    if (files.exists(next)) {
      files.delete(next);
    }
    try (FileSystem.WritableFile file = files.create(next)) {
      file.append(bytes);
      file.force();
    }
    files.rename(next, path);
    files.forceDirectory(directory);
  }
}
