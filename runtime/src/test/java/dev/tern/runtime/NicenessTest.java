package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class NicenessTest {
  @Test
  void onlyTheBackgroundsThreadsStandBack() throws Exception {
    try (Workers workers = new Workers(1)) {
      CompletableFuture<Integer> usual = new CompletableFuture<>();
      CompletableFuture<Integer> background = new CompletableFuture<>();
      workers.offload(NicenessTest::niceness, (nice, failure) -> usual.complete(nice));
      workers.background().offload(NicenessTest::niceness, (nice, e) -> background.complete(nice));
      assertEquals(5, background.get() - usual.get());
    }
  }

  /// The 19th field of proc(5)'s stat; the second is a name in brackets.
  private static Integer niceness() throws Exception {
    String stat = Files.readString(Path.of("/proc/thread-self/stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return Integer.valueOf(fields[19 - 3]);
  }
}
