package dev.tern.env;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// A file that is read and written whole: a crash leaves the old one or the new one.
///
/// ```
///   bytes, u32 crc32c of them
/// ```
///
/// Blocks: for jobs and for what happens before the start. One writer of a path at a time.
public final class SmallFile {
  private static final int TRAILER_BYTES = 4;

  private SmallFile() {}

  /// What was saved, null if there is no such file.
  ///
  /// @throws DecodeException if it is not what was saved
  public static byte @Nullable [] load(FileSystem files, String path) throws IOException {
    if (!files.exists(path)) {
      return null;
    }
    try (FileSystem.ReadableFile file = files.open(path)) {
      ByteBuffer all = ByteBuffer.allocate((int) Math.max(TRAILER_BYTES, file.size()));
      while (all.hasRemaining() && file.read(all.position(), all) > 0) {
        // Until all is there.
      }
      byte[] bytes = new byte[all.capacity() - TRAILER_BYTES];
      all.get(0, bytes);
      if (all.hasRemaining() || crc(bytes) != all.getInt(bytes.length)) {
        throw new DecodeException("its checksum is wrong");
      }
      return bytes;
    }
  }

  /// On return `directory/name` holds these bytes and their checksum, durably.
  public static void save(FileSystem files, String directory, String name, byte[] bytes)
      throws IOException {
    ByteBuffer all = ByteBuffer.allocate(bytes.length + TRAILER_BYTES);
    all.put(bytes).putInt(crc(bytes)).flip();
    files.createDirectories(directory);
    replace(files, directory, name, all);
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
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
