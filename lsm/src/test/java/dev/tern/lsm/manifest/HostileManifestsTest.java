package dev.tern.lsm.manifest;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.FileHeader;
import dev.tern.env.FileLife;
import dev.tern.env.FileLives;
import dev.tern.env.Randomness;
import dev.tern.lsm.Batches;
import dev.tern.lsm.Checksums;
import dev.tern.lsm.Entries;
import dev.tern.lsm.MemoryFiles;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.log.NamedLog;
import dev.tern.lsm.table.Levels;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Manifests that nobody wrote: cut, changed with and without the right checksums, and random. Each
/// is read or refused as corrupt.
@Timeout(120)
class HostileManifestsTest {
  private static final FileLife LIFE = new FileLife(0x0123_4567_89ab_cdefL, 77);

  private final MemoryFiles files = new MemoryFiles();

  private byte[] manifest() throws IOException {
    Manifest.Family data = new Manifest.Family(0, "data", 1, 1, 0, 0);
    Manifest.Family recent = new Manifest.Family(1, "recent", 2, 2, 60_000, 9);
    List<Manifest.Named> tables =
        List.of(
            new Manifest.Named(12, LIFE, 1200, 1, 0, Entries.properties(Entries.key(1))),
            new Manifest.Named(
                13, new FileLife(3, 4), 9, 2, 70_001, Entries.properties(Entries.key(2))));
    List<NamedLog> logs = List.of(new NamedLog(300, LIFE, 77_000), new NamedLog(302, LIFE, 32));
    Manifest manifest = new Manifest(files, "store", FileLives.of(Randomness.of(3)));
    manifest.roll(new Manifest.Edit(2, 1, 0, List.of(), List.of(data), List.of(), null), 1);
    manifest.append(new Manifest.Edit(3, 1, 5, logs, List.of(recent), List.of(), null));
    manifest.append(
        new Manifest.Edit(
            900,
            300,
            70_000,
            logs,
            List.of(),
            List.of(new Manifest.LevelChange(1, 6, tables)),
            List.of(
                new Manifest.Staged("move", 1, tables.getFirst()),
                new Manifest.Staged("move", 0, tables.getLast()))));
    // The tables again, by their numbers alone.
    manifest.append(
        new Manifest.Edit(
            901,
            301,
            70_001,
            logs,
            List.of(),
            List.of(new Manifest.LevelChange(1, 5, tables)),
            null));
    return files.bytes("store/MANIFEST-000001");
  }

  private static void readManifest(byte[] bytes) throws IOException {
    Manifest.State state = Manifest.decode("m", bytes, (at, edit) -> Batches.check(edit));
    assertTrue(state.staged.size() < bytes.length);
    for (int family = 0; family < state.families.size(); family++) {
      for (int level = 0; level < Levels.COUNT; level++) {
        assertTrue(state.level(family, level).size() < bytes.length);
      }
    }
  }

  private static void mendManifest(byte[] good, byte[] bytes, int changed) {
    Checksums.mendHeader(bytes);
    for (int at = FileHeader.BYTES; at < good.length; ) {
      int end = at + 8 + new ByteReader(good, at, 4).readInt();
      if (end > changed && at < changed + 9) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, at, 4);
        crc.update(bytes, at + 8, end - at - 8);
        ByteBuffer.wrap(bytes).putInt(at + 4, (int) crc.getValue());
      }
      at = end;
    }
  }

  @Test
  void manifests() throws IOException {
    byte[] good = manifest();
    readManifest(good);
    Hostile hostile =
        new Hostile(HostileManifestsTest::readManifest, 1 << 20, CorruptionException.class);
    hostile.all(good);
    assertTrue(hostile.refused() > hostile.tried() / 2, "refused " + hostile.refused());
    Hostile mended =
        new Hostile(HostileManifestsTest::readManifest, 1 << 20, CorruptionException.class);
    mended.each(good, (bytes, changed) -> mendManifest(good, bytes, changed));
    assertTrue(mended.refused() > mended.tried() / 8, "refused " + mended.refused());
    Hostile current =
        new Hostile(
            bytes -> Manifest.decodeCurrent("store/CURRENT", bytes),
            1 << 20,
            CorruptionException.class);
    current.all(files.bytes("store/CURRENT"));
    assertTrue(current.refused() > current.tried() / 2, "refused " + current.refused());
  }
}
