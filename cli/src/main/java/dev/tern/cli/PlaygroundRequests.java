package dev.tern.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import dev.tern.runtime.DirectoryFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// What other processes ask of a playground that runs. A request is a file in the playground's
/// directory, its answer another one beside it, so whoever may write to the directory may ask. The
/// playground holds a lock in the directory: without one nobody would answer.
final class PlaygroundRequests implements AutoCloseable {
  /// Does what is asked and says what was done.
  interface Handler {
    /// @throws IOException with the reason why it was not done
    String handle(List<String> words) throws IOException, InterruptedException;
  }

  private static final String LOCK = "playground.lock";
  private static final String DIRECTORY = "requests";
  private static final String REQUEST = ".request";
  private static final String ANSWER = ".answer";
  private static final String DONE = "done ";
  private static final String REFUSED = "refused ";
  private static final long LOOK_NANOS = 100_000_000;
  private static final int ANSWER_SECONDS = 180;

  private final Path requests;
  private final AutoCloseable lock;

  private PlaygroundRequests(Path requests, AutoCloseable lock) {
    this.requests = requests;
    this.lock = lock;
  }

  /// Takes a directory for a playground.
  ///
  /// @throws IOException if another playground has it
  static PlaygroundRequests open(Path dir) throws IOException {
    AutoCloseable lock = new DirectoryFileSystem(dir).lock(LOCK);
    Path requests = Files.createDirectories(dir.resolve(DIRECTORY));
    // Nobody waits for what was asked of a playground before.
    try (Stream<Path> old = Files.list(requests)) {
      for (Path file : old.toList()) {
        Files.delete(file);
      }
    }
    return new PlaygroundRequests(requests, lock);
  }

  /// Answers one request after the other, on a thread that ends with the process.
  void serve(Handler handler) {
    Thread.ofPlatform()
        .daemon()
        .name("tern-requests")
        .start(
            () -> {
              while (true) {
                try {
                  serveOnce(handler);
                } catch (IOException e) {
                  System.out.println("a request was not read or answered: " + Main.message(e));
                } catch (InterruptedException e) {
                  return;
                }
                LockSupport.parkNanos(LOOK_NANOS);
              }
            });
  }

  void serveOnce(Handler handler) throws IOException, InterruptedException {
    List<Path> waiting;
    try (Stream<Path> files = Files.list(requests)) {
      waiting = files.filter(file -> file.toString().endsWith(REQUEST)).sorted().toList();
    }
    for (Path request : waiting) {
      List<String> words = List.of(Files.readString(request).strip().split(" "));
      String answer;
      try {
        answer = DONE + handler.handle(words);
      } catch (IOException | IllegalArgumentException e) {
        answer = REFUSED + Main.message(e);
      }
      Files.delete(request);
      String name = request.getFileName().toString();
      write(requests.resolve(name.substring(0, name.length() - REQUEST.length()) + ANSWER), answer);
    }
  }

  private static void write(Path file, String text) throws IOException {
    Path made = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(made, text + "\n", UTF_8);
    Files.move(made, file, ATOMIC_MOVE);
  }

  /// Asks the playground that runs in a directory, and waits for its answer.
  ///
  /// @throws IOException if none runs there, it refuses, or does not answer
  static String ask(Path dir, String request) throws IOException {
    expectPlayground(dir);
    String name = ProcessHandle.current().pid() + "-" + System.nanoTime();
    Path requests = dir.resolve(DIRECTORY);
    Path answer = requests.resolve(name + ANSWER);
    write(requests.resolve(name + REQUEST), request);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(ANSWER_SECONDS);
    for (int look = 1; !Files.exists(answer); look++) {
      if (System.nanoTime() > deadline) {
        throw new IOException(
            "the playground in %s does not answer; it may still do what it was asked"
                .formatted(dir));
      }
      if (look % 20 == 0) {
        expectPlayground(dir);
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    String told = Files.readString(answer, UTF_8).strip();
    Files.delete(answer);
    if (told.startsWith(REFUSED)) {
      throw new IOException(told.substring(REFUSED.length()));
    }
    return told.substring(DONE.length());
  }

  private static void expectPlayground(Path dir) throws IOException {
    boolean runs = false;
    if (Files.exists(dir.resolve(LOCK))) {
      try {
        new DirectoryFileSystem(dir).lock(LOCK).close();
      } catch (IOException e) {
        runs = true;
      } catch (Exception e) {
        throw new IOException("the lock of %s could not be released".formatted(dir), e);
      }
    }
    if (!runs) {
      throw new IOException(
          "no playground runs in %s: start one with ./tern playground --dir %s"
              .formatted(dir, dir));
    }
  }

  @Override
  public void close() throws IOException {
    try {
      lock.close();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("the playground's lock could not be released", e);
    }
  }
}
