package dev.tern.lsm.log;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import dev.tern.lsm.MemoryFiles;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// The file gets entries in pieces, with failures between them.
class LogPiecesTest {
  private static final FileLife LIFE = new FileLife(1, 2);

  private final MemoryFiles files = new MemoryFiles();

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
