package dev.tern.core.replica;

import dev.tern.env.Clock;
import dev.tern.env.FileSystem;
import dev.tern.env.Randomness;
import dev.tern.lsm.FamilyOptions;
import dev.tern.lsm.TableFileWriter;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/// Where the rows of snapshots that arrive are written, until they are in the store: a directory
/// beside it that is emptied at each start. What a crash leaves there is fetched again.
///
/// Any thread.
public final class SnapshotFiles {
  private final FileSystem files;
  private final Clock clock;
  private final Randomness randomness;
  private final String directory;
  private final AtomicLong last = new AtomicLong();

  /// @param randomness for the lives of the files
  /// @param directory for them alone
  public SnapshotFiles(FileSystem files, Clock clock, Randomness randomness, String directory) {
    this.files = files;
    this.clock = clock;
    this.randomness = randomness;
    this.directory = directory;
  }

  /// Makes the directory, and removes what an earlier life left there. Where that cannot be, as on
  /// a full disk, no snapshot can be written, and pages are asked for. Blocks.
  public void clear() {
    try {
      files.createDirectories(directory);
      for (String name : files.list(directory)) {
        files.delete(directory + "/" + name);
      }
    } catch (IOException e) {
      // Whoever creates a file there is told.
    }
  }

  String nextPath() {
    return directory + "/" + last.incrementAndGet();
  }

  TableFileWriter create(String path, FamilyOptions options) throws IOException {
    return TableFileWriter.create(files, clock, randomness.child(path), path, options);
  }

  /// Removes a file, if it is there.
  void deleteQuietly(String path) {
    try {
      files.delete(path);
    } catch (IOException e) {
      // The next start removes it.
    }
  }
}
