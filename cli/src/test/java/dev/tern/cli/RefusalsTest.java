package dev.tern.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.FillBounds;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.server.ServerConfig;
import dev.tern.server.TernServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What an operator is told where something cannot be done.
class RefusalsTest {
  private static void assertSays(String expected, Throwable refusal) {
    assertTrue(String.valueOf(refusal.getMessage()).contains(expected), refusal::toString);
  }

  private static void create(String admin) throws IOException {
    AdminPage.post(admin, "/keyspace/create", AdminPage.body().put("name", "x"));
  }

  /// A node that was told and gave no answer may have done it.
  @Test
  void aCommandWithoutAnAnswerIsNotCalledUndone() throws Exception {
    String admin;
    try (ServerSocket door = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Thread.startVirtualThread(
          () -> {
            try {
              while (true) {
                Socket client = door.accept();
                byte[] head = client.getInputStream().readNBytes(4);
                assertTrue(new String(head, US_ASCII).equals("POST"));
                client.close();
              }
            } catch (IOException e) {
              // The test is over.
            }
          });
      admin = "127.0.0.1:" + door.getLocalPort();
      assertSays("it may have been done", assertThrows(IOException.class, () -> create(admin)));
    }
    // A thread in accept keeps the first port open a little longer.
    String nobody;
    try (ServerSocket unused = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = "127.0.0.1:" + unused.getLocalPort();
    }
    assertSays("no node answers", assertThrows(IOException.class, () -> create(nobody)));
  }

  @Test
  void aSeedWhosePortIsNoneIsNamed() {
    ServerConfig config =
        new ServerConfig(
            "data",
            "127.0.0.1",
            "127.0.0.1",
            0,
            "",
            100,
            "127.0.0.1:7071,127.0.0.2:70710",
            Servers.doors(6379, 8087, 7070),
            7071,
            2,
            64,
            3,
            2,
            2,
            Durability.OS,
            64,
            ServerConfig.USUAL_AWAY_MILLIS,
            0,
            FillBounds.USUAL,
            "auto");
    assertSays(
        "not 127.0.0.2:70710",
        assertThrows(IllegalArgumentException.class, () -> config.seedList()));
  }

  @Test
  void aFileInThePlaceOfTheDataIsNamedAsThat(@TempDir Path directory) throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    assertSays(
        "it is no directory", assertThrows(IOException.class, () -> new DirectoryFileSystem(file)));
  }

  /// Names the whole path, and says how the node comes back.
  @Test
  void aDamagedDirectoryIsNamed(@TempDir Path directory) throws IOException {
    ServerConfig config = Servers.alone(directory.resolve("data"));
    TernServer.start(config, Servers.BROKEN).close();
    Path store = directory.resolve("data").resolve("shard-0");
    try (var files = Files.newDirectoryStream(store, "MANIFEST-*")) {
      for (Path manifest : files) {
        Files.delete(manifest);
      }
    }
    Throwable refusal =
        assertThrows(IOException.class, () -> TernServer.start(config, Servers.BROKEN));
    assertSays(directory.resolve("data").toString(), refusal);
    assertSays("shard-0", refusal);
    assertSays("start with an empty one", refusal);
  }

  private static ServerConfig withRedisPort(ServerConfig config, int port) {
    return new ServerConfig(
        config.data(),
        config.bind(),
        config.advertise(),
        config.number(),
        config.zone(),
        config.weight(),
        config.seeds(),
        Servers.doors(port, config.port("riak"), config.port("admin")),
        config.internodePort(),
        config.shards(),
        config.partitions(),
        config.n(),
        config.r(),
        config.w(),
        config.durability(),
        config.memoryMegabytes(),
        config.awayMillis(),
        config.diskReserveMegabytes(),
        config.fill(),
        config.transport());
  }

  /// What is founded says where the node's doors are.
  @Test
  void nothingIsFoundedOnAPortThatIsTaken(@TempDir Path directory) throws IOException {
    ServerConfig config = Servers.alone(directory.resolve("data"));
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      ServerConfig other = withRedisPort(config, taken.getLocalPort());
      assertSays(
          "cannot listen on 127.0.0.1:" + taken.getLocalPort(),
          assertThrows(IOException.class, () -> TernServer.start(other, Servers.BROKEN).close()));
    }
    assertEquals(0, ServerConfig.writtenShards(directory.resolve("data")));
    TernServer.start(config, Servers.BROKEN).close();
    assertEquals(config.shards(), ServerConfig.writtenShards(directory.resolve("data")));
    ServerConfig moved = withRedisPort(config, Ports.free(1).getFirst());
    assertSays(
        "a node alone keeps its ports",
        assertThrows(IOException.class, () -> TernServer.start(moved, Servers.BROKEN).close()));
  }

  /// Each node of it would be refused by its directory.
  @Test
  void aPlaygroundKeepsItsPorts(@TempDir Path directory) throws IOException {
    ServerConfig config = Servers.alone(directory.resolve("node-1"));
    TernServer.start(config, Servers.BROKEN).close();
    LocalNodes nodes = new LocalNodes(1, directory, 0, "none", 1, System.err);
    assertSays(
        "start them with --port-offset " + (config.internodePort() - 7071),
        assertThrows(IOException.class, nodes::start));
  }

  @Test
  void aDirectoryThatCannotBeMadeSaysWhy() {
    Throwable refusal =
        assertThrows(IOException.class, () -> new DirectoryFileSystem(Path.of("/proc/x")));
    assertFalse(refusal.getMessage().contains("Exception"), refusal::toString);
    assertSays("the directory /proc/x cannot be made: nothing can be made in /proc", refusal);
  }

  /// Its partitions would be empty beside the full ones of the other shard.
  @Test
  void aShardThatIsLostIsNotMadeAnew(@TempDir Path directory) throws IOException {
    ServerConfig config = Servers.alone(directory.resolve("data"));
    TernServer.start(config, Servers.BROKEN).close();
    for (String shard : List.of("shard-0", "shard-1")) {
      Path store = directory.resolve("data").resolve(shard);
      Path away = directory.resolve("away");
      Files.move(store, away);
      Throwable refusal =
          assertThrows(IOException.class, () -> TernServer.start(config, Servers.BROKEN).close());
      assertSays("the store " + shard + " is missing", refusal);
      assertSays("restore the whole directory", refusal);
      assertFalse(Files.exists(store));
      Files.move(away, store);
    }
    TernServer.start(config, Servers.BROKEN).close();
  }

  @Test
  void whatIsInspectedIsNotMade(@TempDir Path directory) {
    Path missing = directory.resolve("missing");
    assertThrows(IOException.class, () -> new DataDirectory(missing));
    assertFalse(Files.exists(missing));
  }
}
