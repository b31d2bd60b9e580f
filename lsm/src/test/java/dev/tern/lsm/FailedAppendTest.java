package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Clock;
import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Something is thrown in the middle of a write, memory being short for instance.
class FailedAppendTest {
  private final MemoryFiles files = new MemoryFiles();

  private static final class HereAndNow implements Offload {
    @Override
    public <T> void offload(Job<T> job, Completion<T> completion) {
      T result;
      try {
        result = job.run();
      } catch (Exception e) {
        completion.complete(null, e);
        return;
      }
      completion.complete(result, null);
    }

    @Override
    public void pause(long nanos) {
      // Nobody else is there.
    }
  }

  private static final class Stopped implements Clock {
    @Override
    public long monotonicNanos() {
      return 1;
    }

    @Override
    public long wallMillis() {
      return 1;
    }
  }

  private LsmOptions options = LsmOptions.DEFAULT;

  private Lsm open() throws IOException {
    return Lsm.open(files, new HereAndNow(), new Stopped(), Randomness.of(1), "store", options);
  }

  @Test
  void aStoreThatGoesOnBehindHalfABatchIsFound() {
    LsmOptions.Tuning plain = options.tuning();
    options =
        options.withTuning(
            new LsmOptions.Tuning(
                plain.memtableBytes(),
                plain.cacheBytes(),
                plain.blockBytes(),
                plain.tableBytes(),
                LsmBug.HALF_BATCH_GOES_ON));
    assertThrows(
        AssertionError.class,
        this::aBatchThatIsInTheLogAndNotInTheMemtablesFailsTheStoreAndIsNowhere);
  }

  private static final FileLife LIFE = new FileLife(1, 2);

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  @Test
  void aBatchThatIsInTheLogAndNotInTheMemtablesFailsTheStoreAndIsNowhere() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    ColumnFamily other = lsm.columnFamily("other", CompactionStyle.LEVELED);
    lsm.write(
        new WriteBatch().put(family, bytes("a"), bytes("1")).put(other, bytes("a"), bytes("1")));
    ReadState state = lsm.acquire();
    // Of the batch's two entries the memtables take one.
    state.family(other).active().recycle();
    WriteBatch half = new WriteBatch().put(family, bytes("b"), bytes("2"));
    half.put(other, bytes("b"), bytes("2"));
    assertThrows(RuntimeException.class, () -> lsm.write(half));
    assertNotNull(lsm.failure());
    assertNull(lsm.get(family, bytes("b")));
    WriteBatch next = new WriteBatch().put(family, bytes("c"), bytes("3"));
    assertThrows(IllegalStateException.class, () -> lsm.write(next));
    assertThrows(IllegalStateException.class, () -> lsm.append(next));
    assertThrows(IOException.class, lsm::flushLog);
    assertNull(lsm.get(family, bytes("b")));
    assertArrayEquals(bytes("1"), lsm.get(family, bytes("a")));
    lsm.close();
    try (Lsm again = open()) {
      for (String name : new String[] {"data", "other"}) {
        ColumnFamily found = again.columnFamily(name, CompactionStyle.LEVELED);
        assertArrayEquals(bytes("1"), again.get(found, bytes("a")));
        assertNull(again.get(found, bytes("b")));
        assertNull(again.get(found, bytes("c")));
      }
    }
  }

  /// Takes a part of what it is given now and then, and throws.
  private static final class Sick implements FileSystem.WritableFile {
    private final FileSystem.WritableFile to;
    private final Random random = new Random(1);
    private boolean begun;

    Sick(FileSystem.WritableFile to) {
      this.to = to;
    }

    @Override
    public void append(ByteBuffer bytes) throws IOException {
      int dice = begun ? random.nextInt(6) : 6;
      if (dice < 3) {
        int count = random.nextInt(bytes.remaining() + 1);
        to.append(bytes.slice(bytes.position(), count));
        if (dice == 0) {
          throw new IOException("no space left on device");
        }
        if (dice == 1) {
          throw new OutOfMemoryError("Java heap space");
        }
        throw new IllegalStateException("whatever");
      }
      to.append(bytes);
    }

    @Override
    public long position() {
      return to.position();
    }

    @Override
    public void force() throws IOException {
      to.force();
    }

    @Override
    public void close() throws IOException {
      to.close();
    }
  }

  /// A file that counts what it gets.
  private static final class Counting implements FileSystem.WritableFile {
    private long position;

    @Override
    public void append(ByteBuffer bytes) {
      position += bytes.remaining();
      bytes.position(bytes.limit());
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public void force() {
      // There is nothing to force.
    }

    @Override
    public void close() {
      // There is nothing to close.
    }
  }

  @Test
  void aLogHasNoRoomBeyondWhatCanBeReadIntoAnArray() throws IOException {
    LogFile.Writer writer = LogFile.Writer.begin(7, LIFE, new Counting());
    byte[] batch = new byte[8 << 20];
    assertTrue(writer.hasRoom(WriteBatch.MAX_BATCH_BYTES));
    while (writer.hasRoom(batch.length)) {
      writer.add(batch, batch.length, 1);
      writer.handOver();
    }
    writer.end();
    assertTrue(writer.file.position() < Integer.MAX_VALUE - 16);
    assertTrue(writer.file.position() > LogFile.MOST_BYTES - (10 << 20));
  }

  @Test
  void aLogThatIsHandedOverInPiecesHoldsEachEntryOnce() throws IOException {
    Random random = new Random(2);
    Sick sick = new Sick(files.create("store/000007.log"));
    LogFile.Writer writer = LogFile.Writer.begin(7, LIFE, sick);
    sick.begun = true;
    List<byte[]> written = new ArrayList<>();
    int failures = 0;
    for (int i = 0; i < 300; i++) {
      byte[] entry = new byte[1 + random.nextInt(i % 30 == 0 ? 2_000_000 : 5000)];
      random.nextBytes(entry);
      written.add(entry);
      writer.add(entry, entry.length, i);
      try {
        writer.handOver();
      } catch (IOException | IllegalStateException | OutOfMemoryError e) {
        failures++;
      }
    }
    boolean over = false;
    while (!over) {
      try {
        writer.handOver();
        over = true;
      } catch (IOException | IllegalStateException | OutOfMemoryError e) {
        failures++;
      }
    }
    assertTrue(failures > 50, "hardly anything failed: " + failures);
    assertEquals(299, writer.loggedSequence);
    ByteBuffer all = ByteBuffer.allocate(written.stream().mapToInt(entry -> entry.length).sum());
    LogFile.Ending ending =
        LogFile.read(
            files,
            "store/000007.log",
            LIFE,
            entry -> all.put(entry.array(), entry.position(), entry.remaining()));
    assertTrue(ending.clean());
    all.flip();
    for (byte[] entry : written) {
      byte[] found = new byte[entry.length];
      all.get(found);
      assertArrayEquals(entry, found);
    }
  }
}
