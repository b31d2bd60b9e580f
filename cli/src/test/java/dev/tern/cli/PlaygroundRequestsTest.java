package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What one process asks of a playground that runs in another one; here both are this one.
@Timeout(60)
class PlaygroundRequestsTest {
  @TempDir Path dir;

  private String refusal(String request) {
    IOException refused =
        assertThrows(IOException.class, () -> PlaygroundRequests.ask(dir, request));
    return String.valueOf(refused.getMessage());
  }

  @Test
  void whatIsAskedIsDoneAndAnswered() throws IOException {
    List<List<String>> asked = new CopyOnWriteArrayList<>();
    try (PlaygroundRequests requests = PlaygroundRequests.open(dir)) {
      requests.serve(
          words -> {
            asked.add(words);
            if (words.contains("4")) {
              throw new IOException("there is no node 4");
            }
            return "did " + words.getFirst();
          });
      assertEquals("did add", PlaygroundRequests.ask(dir, "add"));
      assertEquals("there is no node 4", refusal("remove 4"));
      assertEquals("did remove", PlaygroundRequests.ask(dir, "remove 5 anyway"));
    }
    assertEquals(
        List.of(List.of("add"), List.of("remove", "4"), List.of("remove", "5", "anyway")), asked);
    try (Stream<Path> files = Files.list(dir.resolve("requests"))) {
      assertEquals(0, files.count(), "files stay");
    }
  }

  @Test
  void nobodyIsAskedWhereNoPlaygroundRuns() throws IOException {
    assertTrue(refusal("add").contains("no playground runs in " + dir), refusal("add"));
    PlaygroundRequests.open(dir).close();
    assertTrue(refusal("add").contains("no playground runs in " + dir), refusal("add"));
  }

  /// Its nodes would be refused one by one, by their stores.
  @Test
  void aDirectoryHasOnePlayground() throws IOException {
    PlaygroundRequests first = PlaygroundRequests.open(dir);
    IOException second =
        assertThrows(IOException.class, () -> PlaygroundRequests.open(dir).close());
    assertTrue(String.valueOf(second.getMessage()).contains("in use"), second.toString());
    first.close();
    PlaygroundRequests.open(dir).close();
  }

  /// What was asked of a playground that has ended is not done by the next one.
  @Test
  void oldRequestsAreForgotten() throws IOException, InterruptedException {
    PlaygroundRequests.open(dir).close();
    Files.writeString(dir.resolve("requests/1-2.request"), "add");
    try (PlaygroundRequests requests = PlaygroundRequests.open(dir)) {
      requests.serveOnce(
          words -> {
            throw new AssertionError(words);
          });
    }
  }
}
