package dev.tern.core;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// The files committed beside the tests that say byte for byte what a format is. A format that
/// changes gets a new version and a new file; the old file stays.
///
/// `-Dgolden.write=DIRECTORY` writes the files instead: HACKING.md has the command.
public final class Golden {
  private Golden() {}

  /// The file, after it was written if that is asked for.
  ///
  /// @param made what this version writes
  public static byte[] of(String name, byte[] made) throws IOException {
    String directory = System.getProperty("golden.write");
    if (directory != null) {
      Files.write(Path.of(directory, name), made);
      return made;
    }
    return read(name);
  }

  /// A file that this version does not write any more.
  public static byte[] read(String name) throws IOException {
    try (InputStream in = Golden.class.getResourceAsStream("/golden/" + name)) {
      if (in == null) {
        throw new IOException("there is no golden file " + name);
      }
      return in.readAllBytes();
    }
  }
}
