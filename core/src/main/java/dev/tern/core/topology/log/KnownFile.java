package dev.tern.core.topology.log;

import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileKind;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.SmallFile;
import dev.tern.raft.log.RaftLogException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// The topology a node last went by: what it starts from before it has heard of anybody.
///
/// ```
///   topology/known:  a SmallFile of a state (see TopologyCodec)
/// ```
///
/// Threads: jobs, one at a time.
final class KnownFile {
  static final String DIRECTORY = "topology";
  private static final String NAME = "known";

  private KnownFile() {}

  /// @return null if there is none
  /// @throws RaftLogException if it is damaged
  static @Nullable TopologyState load(FileSystem files) throws IOException {
    String path = DIRECTORY + "/" + NAME;
    try {
      byte[] bytes = SmallFile.load(files, path, FileKind.KNOWN_TOPOLOGY);
      return bytes == null ? null : TopologyCodec.state(new ByteReader(bytes));
    } catch (DecodeException e) {
      RaftLogException damage =
          new RaftLogException(
              path,
              0,
              e.getMessage()
                  + "; if the file is damaged, restore it from a backup, or empty this node's data"
                  + " directory and let it join anew");
      damage.initCause(e);
      throw damage;
    }
  }

  /// On return it is durable.
  static void save(FileSystem files, FileLives lives, TopologyState state) throws IOException {
    ByteWriter out = new ByteWriter();
    TopologyCodec.encode(state, out);
    FileKind kind = FileKind.KNOWN_TOPOLOGY;
    SmallFile.save(files, DIRECTORY, NAME, kind, lives.next(), out.toByteArray());
  }
}
