package dev.tern.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileSystem;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class DirectoryFileSystemTest {
  @TempDir Path directory;
  private FileSystem files;

  @BeforeEach
  void open() throws IOException {
    files = new DirectoryFileSystem(directory.resolve("new/data"));
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(UTF_8));
  }

  private void write(String path, String text) throws IOException {
    try (FileSystem.WritableFile file = files.create(path)) {
      file.append(bytes(text));
      file.force();
    }
  }

  private String read(String path) throws IOException {
    try (FileSystem.ReadableFile file = files.open(path)) {
      ByteBuffer target = ByteBuffer.allocate((int) file.size());
      file.read(0, target);
      return new String(target.array(), UTF_8);
    }
  }

  private static void failsNaming(String path, Executable action) {
    IOException failure = assertThrows(IOException.class, action);
    assertTrue(String.valueOf(failure.getMessage()).contains(path), failure.toString());
  }

  @Test
  void whatIsAppendedIsRead() throws IOException {
    byte[] large = new byte[1_000_003];
    new Random(1).nextBytes(large);
    ByteBuffer direct = ByteBuffer.allocateDirect(large.length).put(large).flip();
    try (FileSystem.WritableFile file = files.create("a")) {
      file.append(bytes("head"));
      assertEquals(4, file.position());
      ByteBuffer part = ByteBuffer.wrap(large, 5, large.length - 5);
      file.append(part);
      assertFalse(part.hasRemaining());
      file.append(direct);
      assertFalse(direct.hasRemaining());
      assertEquals(4 + 2L * large.length - 5, file.position());
      file.force();
    }
    files.forceDirectory("");
    assertEquals(4 + 2L * large.length - 5, files.size("a"));
    try (FileSystem.ReadableFile file = files.open("a")) {
      ByteBuffer target = ByteBuffer.allocate(large.length);
      assertEquals(large.length, file.read(4 + large.length - 5, target));
      assertArrayEquals(large, target.array());
    }
  }

  @Test
  void aLogReadsTheSameWhereverItWasForcedAndAsItIsUsedAgain() throws IOException {
    byte[] first = new byte[21_000_003];
    new Random(2).nextBytes(first);
    byte[] second = new byte[17_000_001];
    new Random(3).nextBytes(second);
    try (FileSystem.WritableFile log = files.createLog("log")) {
      appendForcing(log, first);
    }
    assertLogStartsWith(first);
    try (FileSystem.WritableFile log = files.overwrite("log")) {
      appendForcing(log, second);
    }
    System.arraycopy(second, 0, first, 0, second.length);
    assertLogStartsWith(first);
  }

  /// Forces twice in the first six million bytes, never after that; some appends by a thread that
  /// was interrupted.
  private static void appendForcing(FileSystem.WritableFile log, byte[] bytes) throws IOException {
    Random random = new Random(4);
    int at = 0;
    int force = 1_000_000;
    while (at < bytes.length) {
      int count = Math.min(1 + random.nextInt(300_000), bytes.length - at);
      boolean interrupt = random.nextInt(4) == 0;
      if (interrupt) {
        Thread.currentThread().interrupt();
      }
      log.append(ByteBuffer.wrap(bytes, at, count));
      assertEquals(interrupt, Thread.interrupted());
      at += count;
      assertEquals(at, log.position());
      if (at > force && at < 6_000_000) {
        log.force();
        force += 4_000_000;
      }
    }
    log.force();
  }

  private void assertLogStartsWith(byte[] expected) throws IOException {
    try (FileSystem.ReadableFile log = files.open("log")) {
      ByteBuffer target = ByteBuffer.allocate(expected.length);
      assertEquals(expected.length, log.read(0, target));
      assertArrayEquals(expected, target.array());
    }
  }

  @Test
  void readingGoesAsFarAsTheFile() throws IOException {
    write("a", "0123456789");
    try (FileSystem.ReadableFile file = files.open("a")) {
      ByteBuffer target = ByteBuffer.allocate(6);
      assertEquals(6, file.read(2, target));
      assertEquals(3, file.read(7, target.clear()));
      assertEquals(-1, file.read(10, target.clear()));
      assertEquals(-1, file.read(99, target.clear()));
      assertEquals(0, file.read(3, ByteBuffer.allocate(0)));
    }
  }

  @Test
  void namesAreTakenOnce() throws IOException {
    write("a", "1");
    failsNaming("a", () -> files.create("a"));
    failsNaming("b", () -> files.open("b"));
    failsNaming("b", () -> files.overwrite("b"));
    failsNaming("b", () -> files.delete("b"));
    failsNaming("b", () -> files.size("b"));
    failsNaming("b", () -> files.rename("b", "c"));
    failsNaming("b", () -> files.forceDirectory("b"));
    assertFalse(files.exists("b"));
    assertTrue(files.exists("a"));
  }

  @Test
  void overwritingKeepsWhatIsNotYetOverwritten() throws IOException {
    write("a", "0123456789");
    try (FileSystem.WritableFile file = files.overwrite("a")) {
      assertEquals(0, file.position());
      file.append(bytes("abc"));
      assertEquals(3, file.position());
    }
    assertEquals("abc3456789", read("a"));
  }

  @Test
  void renamingReplacesAndLinkingDoesNot() throws IOException {
    write("a", "1");
    write("b", "2");
    files.rename("a", "b");
    assertEquals("1", read("b"));
    assertFalse(files.exists("a"));
    files.link("b", "c");
    files.delete("b");
    assertEquals("1", read("c"));
    write("d", "4");
    failsNaming("d", () -> files.link("c", "d"));
  }

  @Test
  void listsAreSortedAndAMissingDirectoryIsEmpty() throws IOException {
    files.createDirectories("x/y");
    files.createDirectories("x/y");
    for (String name : List.of("9", "10", "b", "a")) {
      write("x/" + name, "");
    }
    assertEquals(List.of("10", "9", "a", "b", "y"), files.list("x"));
    assertEquals(List.of(), files.list("x/z"));
    assertEquals(List.of("x"), files.list(""));
    assertTrue(files.usableBytes() > 0);
  }

  @Test
  void pathsStayBelowTheRoot() throws IOException {
    Files.writeString(directory.resolve("outside"), "secret");
    for (String path : List.of("../../outside", "/etc/passwd", "x/../../../outside")) {
      failsNaming(path, () -> files.open(path));
      failsNaming(path, () -> files.create(path));
      failsNaming(path, () -> files.delete(path));
      failsNaming(path, () -> files.lock(path));
    }
    assertEquals("secret", Files.readString(directory.resolve("outside")));
  }

  @Test
  void aLockIsHeldAgainstThisProcess() throws Exception {
    FileSystem again = new DirectoryFileSystem(directory.resolve("new/data"));
    String pid = "is in use by process " + ProcessHandle.current().pid();
    AutoCloseable lock = files.lock("LOCK");
    failsNaming(pid, () -> files.lock("LOCK"));
    failsNaming(pid, () -> again.lock("LOCK"));
    lock.close();
    AutoCloseable next = again.lock("LOCK");
    lock.close();
    failsNaming(pid, () -> files.lock("LOCK"));
    next.close();
  }

  private Process taker() throws IOException {
    return taker("LOCK");
  }

  private Process taker(String lock) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            LockTaker.class.getName(),
            directory.resolve("new/data").toString(),
            lock)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  @Test
  void aLockIsHeldAgainstOtherProcessesEvenAfterARefusalHere() throws Exception {
    try (AutoCloseable lock = files.lock("LOCK")) {
      assertNotNull(lock);
      assertThrows(IOException.class, () -> files.lock("LOCK"));
      Process other = taker();
      try (BufferedReader out = other.inputReader()) {
        String said = out.readLine();
        assertTrue(
            said.endsWith("LOCK is in use by process " + ProcessHandle.current().pid()), said);
      } finally {
        other.destroy();
      }
    }
  }

  @Test
  void anotherProcessesLockIsRefusedByItsNumberAndFreeAfterItsEnd() throws Exception {
    Process other = taker();
    try (BufferedReader out = other.inputReader()) {
      assertEquals("locked", out.readLine());
      failsNaming("is in use by process " + other.pid(), () -> files.lock("LOCK"));
      failsNaming("is in use by process " + other.pid(), () -> files.lock("LOCK"));
    } finally {
      other.destroyForcibly().waitFor();
    }
    files.lock("LOCK").close();
  }

  /// Whatever the store is called, it is the same.
  @Test
  void noOtherNameLeadsAroundALock() throws Exception {
    Path data = directory.resolve("new/data");
    files.createDirectories("store");
    Files.createSymbolicLink(data.resolve("link"), data.resolve("store"));
    Files.createSymbolicLink(directory.resolve("elsewhere"), data);
    FileSystem elsewhere = new DirectoryFileSystem(directory.resolve("elsewhere"));
    FileSystem inside = new DirectoryFileSystem(data.resolve("store"));
    try (AutoCloseable lock = files.lock("store/LOCK")) {
      assertNotNull(lock);
      files.createDirectories("copy");
      Files.createLink(data.resolve("copy/LOCK"), data.resolve("store/LOCK"));
      for (int turn = 0; turn < 2; turn++) {
        assertThrows(IOException.class, () -> files.lock("link/LOCK"));
        assertThrows(IOException.class, () -> elsewhere.lock("store/LOCK"));
        assertThrows(IOException.class, () -> elsewhere.lock("link/LOCK"));
        assertThrows(IOException.class, () -> inside.lock("LOCK"));
        assertThrows(IOException.class, () -> files.lock("copy/LOCK"));
        // None of these tries may have let go of the lock against other processes.
        assertRefused(taker("store/LOCK"));
        assertRefused(taker("link/LOCK"));
      }
    }
    Process other = taker("store/LOCK");
    assertEquals("locked", other.inputReader().readLine());
    other.destroyForcibly().waitFor();
  }

  @Test
  void whoReadsOrCopiesTheLockFileKeepsTheLock() throws Exception {
    Path data = directory.resolve("new/data");
    try (AutoCloseable lock = files.lock("LOCK")) {
      assertNotNull(lock);
      Files.copy(data.resolve("LOCK"), directory.resolve("LOCK.copy"));
      try (FileSystem.ReadableFile file = files.open("LOCK")) {
        assertTrue(file.size() > 0);
      }
      try (var names = Files.list(data)) {
        assertTrue(names.count() > 0);
      }
      assertRefused(taker("LOCK"));
    }
  }

  private static void assertRefused(Process other) throws IOException {
    try (BufferedReader out = other.inputReader()) {
      String said = out.readLine();
      assertTrue(said.contains("is in use by process"), said);
    } finally {
      other.destroy();
    }
  }

  @Test
  @Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aPipeUnderTheNameOfAFileIsRefusedAtOnce(@TempDir Path directory) throws Exception {
    Path pipe = directory.resolve("CURRENT");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    DirectoryFileSystem files = new DirectoryFileSystem(directory);
    IOException refused = assertThrows(IOException.class, () -> files.open("CURRENT"));
    assertEquals("CURRENT is no regular file", refused.getMessage());
    assertThrows(IOException.class, () -> files.open("missing"));
  }

  /// Bytes of direct buffers, those of the JDK's own among them.
  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  /// A thread that read or wrote much at once keeps nothing, nor does a file that was written.
  @Test
  void transfersKeepLittleMemoryOutsideTheHeap() throws IOException {
    byte[] large = new byte[8 << 20];
    new Random(2).nextBytes(large);
    write("first", "takes what stays");
    long before = directBytes();
    for (int i = 0; i < 100; i++) {
      try (FileSystem.WritableFile file = files.create("written-" + i)) {
        file.append(ByteBuffer.wrap(large, 0, 1000 + i));
      }
    }
    try (FileSystem.WritableFile file = files.create("large")) {
      file.append(ByteBuffer.wrap(large));
    }
    try (FileSystem.ReadableFile file = files.open("large")) {
      ByteBuffer target = ByteBuffer.allocate(large.length + 1);
      assertEquals(large.length, file.read(0, target));
      assertEquals(-1, file.read(large.length, target));
      assertArrayEquals(large, Arrays.copyOf(target.array(), large.length));
    }
    long kept = directBytes() - before;
    assertTrue(kept <= 0, "%d bytes more outside the heap".formatted(kept));
  }

  /// More threads at once than there are buffers that stay.
  @Test
  void manyThreadsTransferAtOnce() {
    TransferBuffers buffers = new TransferBuffers();
    List<TransferBuffers.Buffer> taken = new ArrayList<>();
    for (int i = 0; i < TransferBuffers.MOST_KEPT + 3; i++) {
      taken.add(buffers.take());
      taken.getLast().bytes().put((byte) i);
    }
    for (int i = 0; i < taken.size(); i++) {
      assertEquals(i, taken.get(i).bytes().get(0));
    }
    taken.forEach(buffers::give);
    ByteBuffer gone = taken.getLast().bytes();
    assertThrows(IllegalStateException.class, () -> gone.get(0));
    assertEquals(TransferBuffers.BYTES, buffers.take().bytes().remaining());
  }
}
