package dev.tern.cli;

import dev.tern.lsm.Inspection;
import dev.tern.runtime.DirectoryFileSystem;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Shows what a file of the storage engine holds.
@Command(
    name = "inspect",
    description = "Shows what a file of the storage engine holds, and whether it is whole.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  @Parameters(index = "0", description = "wal, table or manifest")
  private String kind = "";

  @Parameters(index = "1", description = "the file")
  private Path file = Path.of("");

  @Override
  public Integer call() throws Exception {
    Path absolute = file.toAbsolutePath().normalize();
    Path directory = java.util.Objects.requireNonNull(absolute.getParent(), "a file is needed");
    String name = String.valueOf(absolute.getFileName());
    DirectoryFileSystem files = new DirectoryFileSystem(directory);
    switch (kind) {
      case "wal" -> Inspection.log(files, name, System.out);
      case "table" -> Inspection.table(files, name, System.out);
      case "manifest" -> Inspection.manifest(files, name, System.out);
      default -> throw new IllegalArgumentException("inspect wal, table or manifest: " + kind);
    }
    return 0;
  }
}
