package dev.tern.raft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The bytes of entries and marks.
class EntryCodecTest {
  private static final Membership THREE = Membership.of(List.of(1, 2, 3), List.of(4));

  private static byte[] bytes(List<Entry> entries) {
    ByteWriter out = new ByteWriter();
    EntryCodec.encode(entries, out);
    return out.toByteArray();
  }

  @Test
  void entriesComeBackWithTheirPlaces() {
    List<Entry> entries =
        List.of(
            new Entry(41, 7, Entry.Kind.EMPTY, new byte[0]),
            new Entry(42, 7, Entry.Kind.COMMAND, new byte[] {1, 2, 3}),
            new Entry(43, 9, Entry.Kind.MEMBERSHIP, THREE.encoded()));
    List<Entry> again = EntryCodec.entries(new ByteReader(bytes(entries)));
    assertEquals(3, again.size());
    for (int i = 0; i < 3; i++) {
      assertEquals(entries.get(i).index(), again.get(i).index());
      assertEquals(entries.get(i).term(), again.get(i).term());
      assertEquals(entries.get(i).kind(), again.get(i).kind());
      assertArrayEquals(entries.get(i).payload(), again.get(i).payload());
    }
    assertEquals(List.of(), EntryCodec.entries(new ByteReader(bytes(List.of()))));
  }

  @Test
  void marksComeBack() {
    SnapshotMark mark = new SnapshotMark(1L << 40, 9, THREE);
    ByteWriter out = new ByteWriter();
    EntryCodec.encode(mark, out);
    assertEquals(mark, EntryCodec.mark(new ByteReader(out.toByteArray())));
  }

  private static void refuses(ByteWriter bytes) {
    assertThrows(
        DecodeException.class, () -> EntryCodec.entries(new ByteReader(bytes.toByteArray())));
  }

  @Test
  void whatNoLeaderWritesIsRefused() {
    // A count that the bytes cannot hold.
    refuses(new ByteWriter().writeVarInt(1 << 20).writeVarLong(1));
    // The index 0, and one whose next has no number.
    refuses(entry(0, 1, 1, new byte[0]));
    refuses(entry(Long.MAX_VALUE, 1, 1, new byte[0]));
    // A negative term, a kind that is not known, a membership that is none.
    refuses(entry(1, -1, 1, new byte[0]));
    refuses(entry(1, 1, 3, new byte[0]));
    refuses(entry(1, 1, 2, new byte[] {(byte) 0xff}));
  }

  private static ByteWriter entry(long index, long term, int kind, byte[] payload) {
    ByteWriter out = new ByteWriter().writeVarInt(1).writeVarLong(index).writeVarLong(term);
    return out.writeByte(kind).writeBlob(payload);
  }
}
