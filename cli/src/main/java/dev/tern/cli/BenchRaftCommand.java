package dev.tern.cli;

import dev.tern.bench.RaftBench;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The Raft core alone, and three voters on files.
@Command(
    name = "raft",
    description = "Measures the Raft core, and three voters in this process on real files.",
    mixinStandardHelpOptions = true)
final class BenchRaftCommand implements Callable<Integer> {
  @Option(names = "--seconds", description = "of each line")
  private int seconds = 5;

  @Option(names = "--dir", description = "where the files go (default: here)")
  private @Nullable Path dir;

  @Override
  public Integer call() throws Exception {
    for (int batch : new int[] {1, 16, 256}) {
      RaftBench.core(batch, seconds, System.out);
    }
    Path base = dir == null ? Path.of("").toAbsolutePath() : dir;
    Path directory = Files.createTempDirectory(base, ".tern-bench");
    int[][] rounds = {{1, 1}, {1, 16}, {1, 256}, {1, 2_000}, {32, 1}, {32, 16}};
    for (int[] round : rounds) {
      RaftBench.files(directory, round[0], round[1], seconds, System.out);
    }
    try (var paths = Files.walk(directory)) {
      for (Path path : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
    return 0;
  }
}
