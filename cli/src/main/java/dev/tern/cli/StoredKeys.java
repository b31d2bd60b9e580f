package dev.tern.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.replica.RecordListing;
import dev.tern.core.topology.KeyspaceDefinition;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.version.Siblings;
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
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The records of one keyspace in a node's data directory, decoded. Writes nothing; what is damaged
/// is told of, and what lies beside it is shown all the same.
final class StoredKeys {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path root;
  private final FileSystem files;
  private final PrintStream out;
  private final boolean json;

  /// @param json whether one document is shown in place of text
  StoredKeys(Path root, PrintStream out, boolean json) throws IOException {
    this.root = root;
    this.files = DirectoryFileSystem.forReading(root);
    this.out = out;
    this.json = json;
  }

  /// Shows the records.
  ///
  /// @param key null for all; `\xNN` is a byte
  /// @return how many problems there were
  /// @throws IllegalArgumentException if the directory knows of no such keyspace
  long show(String keyspace, @Nullable String key) throws IOException {
    TopologyState state = state();
    KeyspaceDefinition definition = definition(state, keyspace);
    byte[] wanted = key == null ? null : bytes(key);
    List<Path> stores;
    try (Stream<Path> all = Files.list(root)) {
      stores = all.filter(path -> name(path).startsWith("shard-")).sorted().toList();
    }
    ReplicaGroups groups =
        java.util.Objects.requireNonNull(state.groups(definition.settings().policy()));
    long problems = 0;
    String before = "[";
    for (Path store : stores) {
      out.print(json ? before : "");
      before = ",\n";
      Shown shown = json ? new AsJson() : new AsText();
      show(name(store), groups.number(), definition, wanted, shown);
      problems += shown.problems;
    }
    out.print(json ? (stores.isEmpty() ? "[]\n" : "]\n") : "");
    return problems;
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }

  private void show(
      String store, int set, KeyspaceDefinition keyspace, byte @Nullable [] key, Shown shown) {
    shown.store(store);
    try (Workers workers = new Workers(1);
        Lsm lsm = Lsm.openReadOnly(files, workers, new SystemClock(), store, LsmOptions.DEFAULT)) {
      RecordListing listing = new RecordListing(lsm, set, keyspace.id(), keyspace.hash(), shown);
      shown.lastCommit(listing.lastCommit());
      if (key == null) {
        listing.records();
      } else {
        listing.record(key);
      }
    } catch (IOException e) {
      shown.problem("the store cannot be opened: " + e.getMessage());
    }
    shown.end();
  }

  /// What is shown of one store.
  private abstract static class Shown implements RecordListing.Reader {
    long records;
    long problems;

    abstract void store(String name);

    abstract void lastCommit(long hybrid);

    abstract void end();

    @Override
    public void record(int slot, byte[] key, int bytes, Siblings record) {
      records++;
    }

    @Override
    public void problem(String what) {
      problems++;
    }
  }

  private final class AsText extends Shown {
    @Override
    void store(String name) {
      out.println(name + ":");
    }

    @Override
    void lastCommit(long hybrid) {
      out.println("  last commit: " + (hybrid == 0 ? "none" : RecordText.time(hybrid)));
    }

    @Override
    public void record(int slot, byte[] key, int bytes, Siblings record) {
      super.record(slot, key, bytes, record);
      RecordText.lines(slot, key, bytes, record).forEach(line -> out.println("  " + line));
    }

    @Override
    public void problem(String what) {
      super.problem(what);
      out.println("  PROBLEM: " + what);
    }

    @Override
    void end() {
      out.printf("  %d records, %d problems%n", records, problems);
    }
  }

  /// Written as it is found, so that a store of any size needs no memory.
  private final class AsJson extends Shown {
    private final ArrayNode found = JSON.createArrayNode();
    private String lastCommit = "null";

    @Override
    void store(String name) {
      out.print("{\"store\":" + JSON.getNodeFactory().textNode(name) + ",\"records\":[");
    }

    @Override
    void lastCommit(long hybrid) {
      lastCommit = hybrid == 0 ? "null" : "\"" + RecordText.time(hybrid) + "\"";
    }

    @Override
    public void record(int slot, byte[] key, int bytes, Siblings record) {
      ObjectNode node = JSON.createObjectNode();
      RecordText.json(slot, key, bytes, record, node);
      out.print((records == 0 ? "\n" : ",\n") + node);
      super.record(slot, key, bytes, record);
    }

    @Override
    public void problem(String what) {
      super.problem(what);
      found.add(what);
    }

    @Override
    void end() {
      out.print("],\"lastCommit\":" + lastCommit + ",\"problems\":" + found + "}");
    }
  }

  private TopologyState state() throws IOException {
    try {
      byte[] bytes = SmallFile.load(files, "topology/known", FileKind.KNOWN_TOPOLOGY);
      if (bytes == null) {
        throw new IllegalArgumentException(
            "there is no topology/known in %s, which names the keyspaces".formatted(root));
      }
      return TopologyCodec.state(new ByteReader(bytes));
    } catch (DecodeException e) {
      throw new IllegalArgumentException(
          "topology/known, which names the keyspaces, cannot be read: " + e.getMessage(), e);
    }
  }

  private static KeyspaceDefinition definition(TopologyState state, String keyspace) {
    KeyspaceDefinition found = state.keyspace(keyspace);
    if (found == null) {
      List<String> names = state.keyspaces().stream().map(KeyspaceDefinition::name).toList();
      throw new IllegalArgumentException(
          "there is no keyspace %s; there are %s".formatted(keyspace, names));
    }
    return found;
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
