package dev.tern.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

  @Test
  void whatIsInspectedIsNotMade(@TempDir Path directory) {
    Path missing = directory.resolve("missing");
    assertThrows(IOException.class, () -> new DataDirectory(missing));
    assertFalse(Files.exists(missing));
  }
}
