package dev.tern.core.topology.log;

import dev.tern.core.raft.log.RaftLogException;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The topology a node last went by: what it starts from before it has heard of anybody.
///
/// ```
///   topology/known:  state (see TopologyCodec), u32 crc32c of it
/// ```
///
/// Threads: jobs, one at a time.
final class KnownFile {
  static final String DIRECTORY = "topology";
  private static final String NAME = DIRECTORY + "/known";
  private static final String NEW = DIRECTORY + "/known.new";
  private static final int TRAILER_BYTES = 4;

  private KnownFile() {}

  /// @return null if there is none
  /// @throws RaftLogException if it is damaged
  static @Nullable TopologyState load(FileSystem files) throws IOException {
    if (!files.exists(NAME)) {
      return null;
    }
    try (FileSystem.ReadableFile file = files.open(NAME)) {
      ByteBuffer all = ByteBuffer.allocate((int) Math.max(TRAILER_BYTES, file.size()));
      while (all.hasRemaining() && file.read(all.position(), all) > 0) {
        // Until all is there.
      }
      int length = all.position() - TRAILER_BYTES;
      if (all.hasRemaining() || (int) crc(all.array(), length) != all.getInt(length)) {
        throw damaged("its checksum is wrong", null);
      }
      return TopologyCodec.state(new ByteReader(all.array(), 0, length));
    } catch (DecodeException e) {
      throw damaged(String.valueOf(e.getMessage()), e);
    }
  }

  private static IOException damaged(String how, @Nullable Throwable cause) {
    RaftLogException damage =
        new RaftLogException(
            NAME,
            0,
            how
                + "; restore it from a backup, or empty this node's data directory and let it join"
                + " anew");
    damage.initCause(cause);
    return damage;
  }

  /// On return it is durable.
  static void save(FileSystem files, TopologyState state) throws IOException {
    files.createDirectories(DIRECTORY);
    if (files.exists(NEW)) {
      files.delete(NEW);
    }
    ByteWriter out = new ByteWriter();
    TopologyCodec.encode(state, out);
    out.writeInt((int) crc(out.array(), out.length()));
    try (FileSystem.WritableFile file = files.create(NEW)) {
      file.append(ByteBuffer.wrap(out.array(), 0, out.length()));
      file.force();
    }
    files.rename(NEW, NAME);
    files.forceDirectory(DIRECTORY);
  }

  private static long crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return crc.getValue();
  }
}
