package dev.tern.lsm.log;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.FileHeader;
import dev.tern.env.FileLife;
import dev.tern.lsm.Batches;
import dev.tern.lsm.Checksums;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.MemoryFiles;
import dev.tern.lsm.WriteBatch;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Logs that nobody wrote: cut, changed with and without the right checksums, and random. Each is
/// read or refused as corrupt.
@Timeout(120)
class HostileLogsTest {
  private static final FileLife LIFE = new FileLife(0x0123_4567_89ab_cdefL, 77);

  private final MemoryFiles files = new MemoryFiles();

  private byte[] log(int valueBytes) throws IOException {
    ColumnFamily data = Batches.family(0, "data");
    String path = "store/%d.log".formatted(valueBytes);
    LogFile.Writer writer = LogFile.Writer.begin(7, LIFE, files.create(path));
    long sequence = 0;
    for (int i = 0; i < 6; i++) {
      WriteBatch batch =
          new WriteBatch()
              .put(data, Checksums.bytes("key " + i), new byte[i * valueBytes])
              .delete(data, Checksums.bytes("gone"))
              .put(data, Checksums.bytes("expiring"), Checksums.bytes("soon"), 1_800_000_000_000L)
              .deleteRange(data, Checksums.bytes("a"), Checksums.bytes("b"));
      byte[] encoded = Batches.encoded(batch, sequence + 1).toByteArray();
      sequence += batch.entries();
      writer.add(encoded, encoded.length, sequence);
      if (i % 2 == 0) {
        writer.handOver();
        writer.syncedOffset = writer.handedOver;
      }
    }
    writer.handOver();
    writer.end();
    return files.bytes(path);
  }

  private void readLog(byte[] bytes) throws IOException {
    files.put("store/hostile.log", bytes);
    BatchEntries entries = new BatchEntries();
    LogFile.read(
        files,
        "store/hostile.log",
        LIFE,
        entry -> {
          while (entry.remaining() > 0) {
            entries.begin(entry);
            while (entries.next()) {
              assertTrue(entries.key().length + entries.value().length <= bytes.length);
            }
          }
        });
  }

  /// The chunks of a log as they were written: where each begins and ends.
  private static List<int[]> chunks(byte[] good) {
    List<int[]> chunks = new ArrayList<>();
    int at = FileHeader.BYTES;
    while (at + LogFile.HEADER_BYTES <= good.length) {
      int left = LogFile.BLOCK_BYTES - at % LogFile.BLOCK_BYTES;
      if (left < LogFile.HEADER_BYTES) {
        at += left;
        continue;
      }
      int length = new ByteReader(good, at + 4, 2).readUnsignedShort();
      chunks.add(new int[] {at, at + LogFile.HEADER_BYTES + length});
      at += LogFile.HEADER_BYTES + length;
    }
    return chunks;
  }

  private static void mendLog(List<int[]> chunks, byte[] bytes, int changed) {
    Checksums.mendHeader(bytes);
    for (int[] chunk : chunks) {
      if (chunk[1] > changed && chunk[0] < changed + 9) {
        ByteBuffer.wrap(bytes).putInt(chunk[0], Checksums.crc(bytes, chunk[0] + 4, chunk[1]));
      }
    }
  }

  @Test
  void logs() throws IOException {
    byte[] good = log(3);
    readLog(good);
    Hostile hostile = new Hostile(this::readLog, 1 << 20, CorruptionException.class);
    hostile.all(good);
    assertTrue(hostile.refused() > hostile.tried() / 4, "refused " + hostile.refused());
    List<int[]> chunks = chunks(good);
    Hostile mended = new Hostile(this::readLog, 1 << 20, CorruptionException.class);
    mended.each(good, (bytes, changed) -> mendLog(chunks, bytes, changed));
    assertTrue(mended.refused() > mended.tried() / 4, "refused " + mended.refused());
  }

  /// A log of several blocks, at some of its bytes.
  @Test
  void logsOfEntriesInPieces() throws IOException {
    byte[] good = log(15_000);
    readLog(good);
    List<int[]> chunks = chunks(good);
    Hostile hostile = new Hostile(this::readLog, 4 << 20, CorruptionException.class);
    for (int[] chunk : chunks) {
      for (int at = chunk[0]; at < Math.min(chunk[0] + 40, chunk[1]); at++) {
        for (int change : new int[] {1, 2, 7, 0x80, 0xff}) {
          byte[] bytes = good.clone();
          bytes[at] ^= (byte) change;
          hostile.give(bytes, "byte " + at);
          byte[] mended = bytes.clone();
          mendLog(chunks, mended, at);
          hostile.give(mended, "byte " + at + " with its checksum");
        }
      }
      hostile.give(Arrays.copyOf(good, chunk[1]), "cut behind a chunk");
    }
    assertTrue(hostile.refused() > hostile.tried() / 4, "refused " + hostile.refused());
  }
}
