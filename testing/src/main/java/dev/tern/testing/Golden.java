package dev.tern.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

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

  /// A golden file of several things of one format, one after the other: a varint of their number,
  /// and each as a blob.
  ///
  /// @param made each as this version writes it
  /// @return each as the file has it
  public static List<byte[]> all(String name, List<byte[]> made) throws IOException {
    ByteWriter out = new ByteWriter().writeVarInt(made.size());
    made.forEach(out::writeBlob);
    ByteReader in = new ByteReader(of(name, out.toByteArray()));
    List<byte[]> wanted = new ArrayList<>();
    for (int left = in.readCount(1); left > 0; left--) {
      wanted.add(in.readBlob());
    }
    in.expectEnd();
    return wanted;
  }

  /// Whether this version writes what the file has, byte for byte, and reads it back.
  ///
  /// @param again reads one and writes it
  public static void check(String name, List<byte[]> made, UnaryOperator<byte[]> again)
      throws IOException {
    List<byte[]> wanted = all(name, made);
    assertEquals(wanted.size(), made.size(), name);
    for (int i = 0; i < wanted.size(); i++) {
      assertArrayEquals(wanted.get(i), made.get(i), name + " " + i);
      assertArrayEquals(wanted.get(i), again.apply(wanted.get(i)), name + " " + i);
    }
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
