package dev.tern.raft.log;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import dev.tern.env.SmallFile;
import dev.tern.raft.Entry;
import dev.tern.raft.HardState;
import dev.tern.raft.Membership;
import dev.tern.raft.SnapshotMark;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The bytes of the files of Raft groups and of small files, as this version writes them and as the
/// files committed beside the tests have them; and bytes that nobody wrote. A format that changes
/// gets a new version and a new file.
///
/// `-Dgolden.write=DIRECTORY` writes the files instead: HACKING.md has the command.
@Timeout(120)
class RaftFilesTest {
  private static final FileLife LIFE = new FileLife(0x0123_4567_89ab_cdefL, 0x1111L);
  private static final FileLife LOG = new FileLife(77, 78);
  private static final Membership VOTERS = Membership.of(List.of(1, 2, 3), List.of(7));

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  private static LogRecord.Write write(int group, List<Entry> entries, boolean dropped) {
    HardState state = entries.isEmpty() ? null : new HardState(9, 2, 300);
    return new LogRecord.Write(group, null, null, entries, state, dropped);
  }

  private static List<LogRecord> records() {
    SnapshotMark mark = new SnapshotMark(40, 3, VOTERS);
    LogRecord.Compacted compacted = new LogRecord.Compacted(mark, 38, 3);
    ByteWriter membership = new ByteWriter();
    VOTERS.encode(membership);
    return List.of(
        new LogRecord.Header(
            LOG,
            3,
            4,
            new FileLife(5, 6),
            1000,
            List.of(
                new LogRecord.Write(1, null, compacted, List.of(), new HardState(9, 1, 40), false),
                new LogRecord.Write(
                    2,
                    null,
                    new LogRecord.Compacted(null, 0, 0),
                    List.of(),
                    HardState.NOTHING,
                    false))),
        write(
            1,
            List.of(
                new Entry(39, 3, Entry.Kind.EMPTY, new byte[0]),
                new Entry(40, 3, Entry.Kind.MEMBERSHIP, membership.toByteArray()),
                new Entry(41, 9, Entry.Kind.COMMAND, bytes("a command"))),
            false),
        new LogRecord.Write(
            2, new SnapshotMark(500, 9, VOTERS), null, List.of(), new HardState(9, 0, 500), false),
        new LogRecord.Write(1, null, new LogRecord.Compacted(mark, 40, 3), List.of(), null, false),
        write(3, List.of(new Entry(1, 1, Entry.Kind.COMMAND, bytes("of another"))), false),
        write(3, List.of(), true));
  }

  private static byte[] segment(FileLife life, List<LogRecord> records) {
    ByteWriter out = new ByteWriter();
    FileHeader.of(FileKind.RAFT_SEGMENT, life).encode(out);
    long synced = FileHeader.BYTES;
    for (int i = 0; i < records.size(); i++) {
      ByteWriter one = new ByteWriter();
      LogRecord.encode(records.get(i), one);
      Segment.frame(life, synced, one.toByteArray(), out);
      synced = i % 2 == 1 ? out.length() : synced;
    }
    return out.toByteArray();
  }

  /// Everything that a start reads of a segment.
  private static List<LogRecord> read(byte[] bytes) throws IOException {
    Segment.Start start = Segment.start("s", bytes);
    List<LogRecord> records = new ArrayList<>();
    if (start == null) {
      return records;
    }
    TreeMap<Integer, GroupState> groups = new TreeMap<>();
    TreeMap<Long, Segment> segments = new TreeMap<>();
    segments.put(5L, new Segment(5, start.life()));
    Segment.read("s", bytes, start.life(), -1, records::add);
    for (LogRecord record : records) {
      switch (record) {
        case LogRecord.Header header ->
            header.checkpoint().forEach(w -> Recovery.apply(w, groups, segments, true));
        case LogRecord.Write write -> Recovery.apply(write, groups, segments, true);
      }
    }
    groups.values().forEach(group -> group.recovered(new SnapshotMark(0, 0, Membership.NOBODY)));
    return records;
  }

  @Test
  void segmentsOfVersion2() throws IOException {
    byte[] made = segment(LIFE, records());
    byte[] wanted = Golden.of("raft-segment-2", made);
    assertArrayEquals(wanted, made);
    List<LogRecord> read = read(wanted);
    assertEquals(6, read.size());
    assertArrayEquals(wanted, segment(LIFE, read));
    assertEquals(records().getFirst().toString(), read.getFirst().toString());
  }

  @Test
  void hostileSegments() throws IOException {
    byte[] good = segment(LIFE, records());
    List<int[]> frames = new ArrayList<>();
    for (int at = FileHeader.BYTES; at < good.length; ) {
      int end = at + Segment.HEADER_BYTES + ByteBuffer.wrap(good).getInt(at + 4);
      frames.add(new int[] {at, end});
      at = end;
    }
    Hostile hostile = new Hostile(RaftFilesTest::read, 1 << 20, RaftLogException.class);
    hostile.all(good);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
    Hostile mended = new Hostile(RaftFilesTest::read, 1 << 20, RaftLogException.class);
    mended.each(
        good,
        (bytes, changed) -> {
          mendHeader(bytes);
          for (int[] frame : frames) {
            if (frame[1] > changed && frame[0] < changed + 9) {
              int sum = crc(bytes, frame[0] + 4, frame[1]);
              ByteBuffer.wrap(bytes).putInt(frame[0], sum);
            }
          }
        });
    assertTrue(mended.refused() > mended.tried() / 3, "refused " + mended.refused());
  }

  /// A checkpoint within a checkpoint within a checkpoint: refused at the first, whatever is below.
  @Test
  void aCheckpointOfCheckpointsIsRefused() {
    byte[] inner = {2, 1, 0};
    for (int depth = 0; depth < 3000; depth++) {
      ByteWriter out = new ByteWriter();
      LOG.encode(out.writeByte(1));
      LOG.encode(out.writeVarLong(1).writeVarLong(0));
      out.writeVarLong(0).writeVarInt(1).writeBlob(inner);
      inner = out.toByteArray();
    }
    byte[] nested = inner;
    assertThrows(DecodeException.class, () -> LogRecord.decode(new ByteReader(nested)));
  }

  private static int crc(byte[] bytes, int from, int to) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, to - from);
    return (int) crc.getValue();
  }

  private static void mendHeader(byte[] bytes) {
    int at = FileHeader.BYTES - 4;
    ByteBuffer.wrap(bytes).putInt(at, crc(bytes, 0, at));
  }

  private static void mendEnd(byte[] bytes) {
    mendHeader(bytes);
    int at = bytes.length - 4;
    ByteBuffer.wrap(bytes).putInt(at, crc(bytes, 0, at));
  }

  private static byte[] snapshot(FileLife life, int group, SnapshotMark mark, byte[] content) {
    ByteWriter out = new ByteWriter();
    out.writeBytes(SnapshotFiles.lead(life, group, mark)).writeBytes(content);
    return out.writeInt(crc(out.array(), 0, out.length())).toByteArray();
  }

  @Test
  void snapshotsOfVersion2() throws IOException {
    SnapshotMark mark = new SnapshotMark(1234, 7, VOTERS);
    byte[] made = snapshot(LIFE, 3, mark, bytes("what the machine wrote"));
    byte[] wanted = Golden.of("raft-snapshot-2", made);
    assertArrayEquals(wanted, made);
    SnapshotFiles.Lead lead = SnapshotFiles.verify(new Readable(wanted), "s");
    assertEquals(new SnapshotFiles.Lead(LIFE, 3, 1234, 7), lead);
    Hostile hostile =
        new Hostile(
            bytes -> SnapshotFiles.verify(new Readable(bytes), "s"),
            1 << 20,
            RaftLogException.class);
    hostile.all(wanted);
    assertEquals(hostile.tried(), hostile.refused());
    hostile.each(wanted, (bytes, changed) -> mendEnd(bytes));
  }

  /// What a topology says is a format of its own; here is what stands around it.
  @Test
  void smallFilesOfVersion2() throws IOException {
    for (FileKind kind :
        List.of(FileKind.KNOWN_TOPOLOGY, FileKind.FORGETFUL, FileKind.GENERATION)) {
      byte[] made = SmallFile.encode(kind, LIFE, bytes("content of " + kind));
      byte[] wanted = Golden.of("small-2-" + kind.name().toLowerCase(java.util.Locale.ROOT), made);
      assertArrayEquals(wanted, made);
      assertArrayEquals(bytes("content of " + kind), SmallFile.decode(kind, wanted));
      Hostile hostile =
          new Hostile(bytes -> SmallFile.decode(kind, bytes), 1 << 20, RaftLogException.class);
      hostile.all(wanted);
      assertEquals(hostile.tried(), hostile.refused());
      hostile.each(wanted, (bytes, changed) -> mendEnd(bytes));
    }
  }

  /// Bytes as a file.
  private record Readable(byte[] bytes) implements FileSystem.ReadableFile {
    @Override
    public int read(long position, ByteBuffer target) {
      int count = (int) Math.min(target.remaining(), bytes.length - position);
      if (count <= 0) {
        return -1;
      }
      target.put(bytes, (int) position, count);
      return count;
    }

    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public void close() {
      // Nothing to let go.
    }
  }
}
