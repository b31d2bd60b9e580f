package dev.tern.server;

import dev.tern.env.FileSystem;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;

/// What a newcomer tries before it asks to be let in: whatever would end its start afterwards
/// leaves a dead member. It binds each port and lets go of it, and writes and forces in each
/// directory of a node. A founder tries its ports alone: what it founds fixes them. A port that
/// another process takes, or a disk that fills, between the rehearsal and the start is not seen.
///
/// Threads: the start's. Blocks.
final class Rehearsal {
  static final String PROBE = "probe.new";

  /// For what a start writes in each directory.
  private static final int PROBE_BYTES = 1 << 20;

  private Rehearsal() {}

  /// Holds a node's directory against other starts until it is closed.
  ///
  /// @throws IOException if another process has it
  static AutoCloseable lock(FileSystem files) throws IOException {
    // The lock that the node's first store takes.
    String store = "shard-0";
    if (!files.exists(store)) {
      files.createDirectories(store);
      files.forceDirectory("");
    }
    return files.lock(store + "/LOCK");
  }

  /// @throws IOException if this node could not start, with the reason
  static void run(ServerConfig config, FileSystem files) throws IOException {
    ports(config);
    write(config, files, "topology");
    write(config, files, "gossip");
    for (int shard = 0; shard < config.shards(); shard++) {
      write(config, files, "shard-" + shard);
    }
  }

  /// Binds each port and lets go of it.
  ///
  /// @throws IOException if one cannot be had, with the reason
  static void ports(ServerConfig config) throws IOException {
    probe(config.bind(), config.internodePort(), "internode");
    for (String door : ServerConfig.DOORS) {
      probe(config.bind(), config.port(door), door);
    }
  }

  private static void probe(String host, int port, String door) throws IOException {
    if (port == 0) {
      return;
    }
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(host, port));
    } catch (IOException e) {
      throw new IOException(
          "cannot listen on %s:%d, this node's %s port: %s"
              .formatted(host, port, door, e.getMessage()),
          e);
    }
  }

  private static void write(ServerConfig config, FileSystem files, String directory)
      throws IOException {
    String path = directory + "/" + PROBE;
    try {
      if (!files.exists(directory)) {
        files.createDirectories(directory);
        files.forceDirectory("");
      }
      if (files.exists(path)) {
        files.delete(path);
      }
      try (FileSystem.WritableFile file = files.create(path)) {
        file.append(ByteBuffer.allocate(PROBE_BYTES));
        file.force();
      } finally {
        if (files.exists(path)) {
          files.delete(path);
        }
      }
      files.forceDirectory(directory);
    } catch (IOException e) {
      throw new IOException(
          "%s: the directory %s cannot be written: %s".formatted(config.data(), directory, e), e);
    }
  }
}
