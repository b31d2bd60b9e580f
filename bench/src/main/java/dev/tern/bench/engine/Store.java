package dev.tern.bench.engine;

import dev.tern.bench.engine.Engine.Written;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/// An engine, the records in it, and its directory, which goes when it is closed. One thread.
final class Store implements AutoCloseable {
  private final EngineKind kind;
  private final Engine engine;
  private final Records records;
  private final Path directory;

  Store(EngineKind kind, EngineOptions options, Records records) throws Exception {
    this.kind = kind;
    this.records = records;
    this.directory = options.directory();
    delete(directory);
    this.engine = kind.open(options);
  }

  EngineKind kind() {
    return kind;
  }

  Engine engine() {
    return engine;
  }

  Records records() {
    return records;
  }

  /// Writes all records, and waits until the engine has done what follows from it.
  Outcome load() throws Exception {
    Outcome outcome = new Outcome();
    Written before = engine.written();
    try (Operations operations = new Operations(engine.session(), records, 0, 1, records.seed())) {
      long began = System.nanoTime();
      operations.load();
      outcome.addLoad(records.count(), System.nanoTime() - began);
    }
    settle(outcome);
    measure(outcome, (long) records.count() * records.recordBytes(), before);
    return outcome;
  }

  /// Waits for flushes and compactions, and notes how long.
  void settle(Outcome outcome) throws Exception {
    long began = System.nanoTime();
    engine.flush();
    engine.awaitIdle();
    outcome.addSettling(System.nanoTime() - began);
  }

  /// Notes sizes and bytes written.
  void measure(Outcome outcome, long userBytes, Written before) throws Exception {
    outcome.setSizes(
        userBytes,
        records.liveBytes(),
        engine.written().minus(before),
        diskBytes(directory),
        engine.tableBytes());
  }

  /// Reads random keys and compares with what was written last.
  void audit(int reads) throws Exception {
    try (Operations operations = new Operations(engine.session(), records, 0, 1, records.seed())) {
      operations.audit(reads);
    }
  }

  @Override
  public void close() throws IOException {
    engine.close();
    delete(directory);
  }

  /// All files below a directory, whatever they are for.
  static long diskBytes(Path directory) throws IOException {
    long[] sum = {0};
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            sum[0] += attributes.size();
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw e;
          }
        });
    return sum[0];
  }

  /// A directory and all that is in it, if it is there.
  static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
              throws IOException {
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
