package dev.tern.lsm.file;

import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// The files of a store's directory: their names, and how they are read whole or in part. Any
/// thread; reading blocks.
public final class StoreFiles {
  private StoreFiles() {}

  /// The path of a log.
  public static String logPath(String directory, long number) {
    return "%s/%06d.log".formatted(directory, number);
  }

  /// The path of a table.
  public static String tablePath(String directory, long number) {
    return "%s/%06d.table".formatted(directory, number);
  }

  /// The numbers of the logs of a directory, in order.
  public static List<Long> logs(FileSystem files, String directory) throws IOException {
    return numbers(files, directory, ".log");
  }

  /// The numbers of the tables of a directory, in order.
  public static List<Long> tables(FileSystem files, String directory) throws IOException {
    return numbers(files, directory, ".table");
  }

  private static List<Long> numbers(FileSystem files, String directory, String suffix)
      throws IOException {
    List<Long> numbers = new ArrayList<>();
    for (String name : files.list(directory)) {
      if (name.endsWith(suffix) && name.matches("\\d{6,12}\\.[a-z]+")) {
        numbers.add(Long.parseLong(name.substring(0, name.length() - suffix.length())));
      }
    }
    numbers.sort(null);
    return numbers;
  }

  /// Whether a file of that name can be one of a store; no other is ever removed.
  public static boolean isOurs(String name) {
    return name.matches("\\d{6,12}\\.(log|table)|MANIFEST-\\d{6,12}");
  }

  /// So many bytes at a place of a file.
  ///
  /// @throws CorruptionException if the file has none there
  public static byte[] read(FileSystem.ReadableFile file, String path, long at, int length)
      throws IOException {
    if (at < 0 || length < 0 || length > file.size() - at) {
      throw new CorruptionException(path, at, "a reference to " + length + " bytes beyond the end");
    }
    ByteBuffer buffer = ByteBuffer.allocate(length);
    fill(file, path, at, buffer);
    return buffer.array();
  }

  /// A whole file.
  public static byte[] readAll(FileSystem files, String path) throws IOException {
    return readAll(files, path, Integer.MAX_VALUE - 16);
  }

  /// A whole file.
  ///
  /// @param most bytes that such a file can have
  public static byte[] readAll(FileSystem files, String path, int most) throws IOException {
    try (FileSystem.ReadableFile file = files.open(path)) {
      if (file.size() > most) {
        throw new CorruptionException(
            path, 0, "%d bytes; such a file has %d at the most".formatted(file.size(), most));
      }
      return read(file, path, 0, (int) file.size());
    }
  }

  /// Fills a buffer with what is at a place of a file.
  ///
  /// @throws CorruptionException if the file ends before that
  public static void fill(FileSystem.ReadableFile file, String path, long at, ByteBuffer buffer)
      throws IOException {
    int start = buffer.position();
    while (buffer.hasRemaining()) {
      if (file.read(at + buffer.position() - start, buffer) < 0) {
        throw new CorruptionException(path, at, "the file ended early");
      }
    }
  }
}
