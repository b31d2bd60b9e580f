package dev.tern.lsm;

import dev.tern.env.FileSystem;
import java.io.IOException;

/// A store's directory: made, and held against other openings.
final class StoreDirectory {
  private StoreDirectory() {}

  /// Makes the directory, durably, if it is not there, and locks it.
  static AutoCloseable take(FileSystem files, String directory) throws IOException {
    if (!files.exists(directory)) {
      files.createDirectories(directory);
      forceAbove(files, directory);
    }
    return files.lock(directory + "/LOCK");
  }

  static void release(AutoCloseable lock) throws IOException {
    try {
      lock.close();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("the directory's lock could not be released", e);
    }
  }

  /// Makes the names of a directory and of those above it durable, up to the root of the files.
  static void forceAbove(FileSystem files, String directory) throws IOException {
    String below = directory;
    while (!below.isEmpty()) {
      below = below.substring(0, Math.max(0, below.lastIndexOf('/')));
      files.forceDirectory(below);
    }
  }
}
