package dev.tern.cli;

import dev.tern.core.replica.RecordListing;
import dev.tern.core.topology.KeyspaceDefinition;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.FileKind;
import dev.tern.env.FileSystem;
import dev.tern.env.SmallFile;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmOptions;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.runtime.SystemClock;
import dev.tern.runtime.Workers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The records of one keyspace in a node's data directory, decoded. Writes nothing; what is damaged
/// is told of, and what lies beside it is shown all the same.
final class StoredKeys {
  private final Path root;
  private final FileSystem files;
  private final PrintStream out;

  StoredKeys(Path root, PrintStream out) throws IOException {
    this.root = root;
    this.files = DirectoryFileSystem.forReading(root);
    this.out = out;
  }

  /// Shows the records.
  ///
  /// @param key null for all; `\xNN` is a byte
  /// @return how many problems there were
  /// @throws IllegalArgumentException if the directory knows of no such keyspace
  long show(String keyspace, @Nullable String key) throws IOException {
    int id = id(keyspace);
    byte[] wanted = key == null ? null : bytes(key);
    List<Path> stores;
    try (Stream<Path> all = Files.list(root)) {
      stores = all.filter(path -> name(path).startsWith("shard-")).sorted().toList();
    }
    long problems = 0;
    for (Path store : stores) {
      problems += show(name(store), id, wanted);
    }
    return problems;
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }

  private long show(String store, int keyspace, byte @Nullable [] key) {
    out.println(store + ":");
    try (Workers workers = new Workers(1);
        Lsm lsm = Lsm.openReadOnly(files, workers, new SystemClock(), store, LsmOptions.DEFAULT)) {
      RecordListing listing =
          new RecordListing(
              lsm,
              millis -> Instant.ofEpochMilli(millis).toString(),
              line -> out.println("  " + line));
      listing.lastCommit();
      listing.records(keyspace, key);
      out.printf("  %d records, %d problems%n", listing.shown(), listing.problems());
      return listing.problems();
    } catch (IOException e) {
      out.println("  PROBLEM: the store cannot be opened: " + e.getMessage());
      return 1;
    }
  }

  private int id(String keyspace) throws IOException {
    TopologyState state;
    try {
      byte[] bytes = SmallFile.load(files, "topology/known", FileKind.KNOWN_TOPOLOGY);
      if (bytes == null) {
        throw new IllegalArgumentException(
            "there is no topology/known in %s, which names the keyspaces".formatted(root));
      }
      state = TopologyCodec.state(new ByteReader(bytes));
    } catch (DecodeException e) {
      throw new IllegalArgumentException(
          "topology/known, which names the keyspaces, cannot be read: " + e.getMessage(), e);
    }
    KeyspaceDefinition found = state.keyspace(keyspace);
    if (found == null) {
      List<String> names = state.keyspaces().stream().map(KeyspaceDefinition::name).toList();
      throw new IllegalArgumentException(
          "there is no keyspace %s; there are %s".formatted(keyspace, names));
    }
    return found.id();
  }

  /// The bytes of a text in which `\xNN` is a byte.
  static byte[] bytes(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(utf8.length);
    for (int i = 0; i < utf8.length; i++) {
      int byteValue = escaped(utf8, i);
      bytes.write(byteValue < 0 ? utf8[i] : byteValue);
      i += byteValue < 0 ? 0 : 3;
    }
    return bytes.toByteArray();
  }

  private static int escaped(byte[] text, int at) {
    if (at + 3 >= text.length || text[at] != '\\' || text[at + 1] != 'x') {
      return -1;
    }
    int high = Character.digit(text[at + 2], 16);
    int low = Character.digit(text[at + 3], 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }
}
