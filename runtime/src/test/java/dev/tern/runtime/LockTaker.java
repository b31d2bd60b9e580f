package dev.tern.runtime;

import java.io.IOException;
import java.nio.file.Path;

/// Another process: takes a lock, says so or why not, and holds it until its input ends.
final class LockTaker {
  private LockTaker() {}

  public static void main(String[] arguments) throws Exception {
    try (AutoCloseable lock = new DirectoryFileSystem(Path.of(arguments[0])).lock(arguments[1])) {
      System.out.println(lock == null ? "no lock" : "locked");
      System.out.flush();
      while (System.in.read() >= 0) {
        // Only the end matters.
      }
    } catch (IOException e) {
      System.out.println(e.getMessage());
    }
  }
}
