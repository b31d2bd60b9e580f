package dev.tern.raft;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.ArrayList;
import java.util.List;

/// The bytes of entries and marks, shared by messages and the log on disk.
///
/// ```
///   entries: varint count, and if it is not 0: varint first index, then for each
///            varint term   u8 kind (0 empty, 1 command, 2 membership)   blob payload
///   mark:    varint index  varint term  membership
/// ```
public final class EntryCodec {
  private static final Entry.Kind[] KINDS = Entry.Kind.values();

  /// Term, kind and payload.
  private static final int LEAST_ENTRY_BYTES = 3;

  private EntryCodec() {}

  /// Appends entries that follow each other.
  public static void encode(List<Entry> entries, ByteWriter out) {
    out.writeVarInt(entries.size());
    if (!entries.isEmpty()) {
      out.writeVarLong(entries.getFirst().index());
      for (Entry entry : entries) {
        out.writeVarLong(entry.term()).writeByte(entry.kind().ordinal());
        out.writeBlob(entry.payload());
      }
    }
  }

  /// @throws DecodeException if the bytes are no entries
  public static List<Entry> entries(ByteReader in) {
    int count = in.readCount(LEAST_ENTRY_BYTES);
    if (count == 0) {
      return List.of();
    }
    long index = in.readPositiveVarLong();
    if (index <= 0 || index > Long.MAX_VALUE - count) {
      throw new DecodeException("entries from index " + index);
    }
    List<Entry> entries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      long term = in.readPositiveVarLong();
      int kind = in.readUnsignedByte();
      if (kind >= KINDS.length) {
        throw new DecodeException("an entry of kind " + kind);
      }
      byte[] payload = in.readBlob();
      if (KINDS[kind] == Entry.Kind.MEMBERSHIP) {
        ByteReader membership = new ByteReader(payload);
        Membership.decode(membership);
        membership.expectEnd();
      }
      entries.add(new Entry(index + i, term, KINDS[kind], payload));
    }
    return entries;
  }

  /// Appends a mark.
  public static void encode(SnapshotMark mark, ByteWriter out) {
    out.writeVarLong(mark.index()).writeVarLong(mark.term());
    mark.membership().encode(out);
  }

  /// @throws DecodeException if the bytes are no mark
  public static SnapshotMark mark(ByteReader in) {
    return new SnapshotMark(
        in.readPositiveVarLong(), in.readPositiveVarLong(), Membership.decode(in));
  }
}
