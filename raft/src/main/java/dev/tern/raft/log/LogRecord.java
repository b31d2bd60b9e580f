package dev.tern.raft.log;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileLife;
import dev.tern.raft.Entry;
import dev.tern.raft.EntryCodec;
import dev.tern.raft.HardState;
import dev.tern.raft.SnapshotMark;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What one frame of the log says.
///
/// ```
///   header: u8 1   16 bytes the life of the log's first segment   varint first segment needed
///           varint segment before   16 bytes its life   varint its valid bytes
///           (0, zeros, 0: there is none)
///           varint count, then for each group a write as a blob: the checkpoint
///   write:  u8 2   varint group   u8 flags   then what the flags name, in this order:
///           1 reset      mark: all entries go, the log begins anew after it
///           2 compacted  u8 1 and a mark, or u8 0; varint base index, varint base term
///           4 entries    all entries from the first one's index on are replaced
///           8 state      varint term, varint vote, varint commit
///           16 dropped   the group is gone
/// ```
sealed interface LogRecord {
  /// Its length, type, group and flags.
  int LEAST_WRITE_BYTES = 4;

  /// The first frame of a segment: what all earlier segments say, but for the entries. One frame,
  /// so that a segment that is not whole up to here was never begun.
  ///
  /// @param log the life of the first segment there was: which log this is
  /// @param before the number of the segment before, 0 for none
  /// @param lifeBefore of the segment before
  /// @param bytesBefore of it that are valid
  record Header(
      FileLife log,
      long firstNeeded,
      long before,
      FileLife lifeBefore,
      long bytesBefore,
      List<Write> checkpoint)
      implements LogRecord {}

  /// A group's writes: all of them or none survive a crash.
  record Write(
      int group,
      @Nullable SnapshotMark reset,
      @Nullable Compacted compacted,
      List<Entry> entries,
      @Nullable HardState state,
      boolean dropped)
      implements LogRecord {}

  /// Entries up to the base are not needed; the mark (if any) is that of the latest snapshot.
  record Compacted(@Nullable SnapshotMark mark, long baseIndex, long baseTerm) {}

  static void encode(LogRecord record, ByteWriter out) {
    switch (record) {
      case Header r -> {
        r.log().encode(out.writeByte(1));
        r.lifeBefore().encode(out.writeVarLong(r.firstNeeded()).writeVarLong(r.before()));
        out.writeVarLong(r.bytesBefore());
        out.writeVarInt(r.checkpoint().size());
        ByteWriter one = new ByteWriter();
        for (Write write : r.checkpoint()) {
          encode(write, one.clear());
          out.writeVarInt(one.length()).writeBytes(one.array(), 0, one.length());
        }
      }
      case Write r -> encode(r, out);
    }
  }

  private static void encode(Write write, ByteWriter out) {
    int flags = write.reset() != null ? 1 : 0;
    flags |= write.compacted() != null ? 2 : 0;
    flags |= write.entries().isEmpty() ? 0 : 4;
    flags |= write.state() != null ? 8 : 0;
    flags |= write.dropped() ? 16 : 0;
    out.writeByte(2).writeVarInt(write.group()).writeByte(flags);
    if (write.reset() != null) {
      EntryCodec.encode(write.reset(), out);
    }
    Compacted compacted = write.compacted();
    if (compacted != null) {
      out.writeByte(compacted.mark() == null ? 0 : 1);
      if (compacted.mark() != null) {
        EntryCodec.encode(compacted.mark(), out);
      }
      out.writeVarLong(compacted.baseIndex()).writeVarLong(compacted.baseTerm());
    }
    if (!write.entries().isEmpty()) {
      EntryCodec.encode(write.entries(), out);
    }
    HardState state = write.state();
    if (state != null) {
      out.writeVarLong(state.term()).writeVarInt(state.vote()).writeVarLong(state.commit());
    }
  }

  /// @throws DecodeException if the bytes are no record
  static LogRecord decode(ByteReader in) {
    int type = in.readUnsignedByte();
    LogRecord record =
        switch (type) {
          case 1 -> header(in);
          case 2 -> write(in);
          default -> throw new DecodeException("a record of type " + type);
        };
    in.expectEnd();
    return record;
  }

  private static Header header(ByteReader in) {
    FileLife log = FileLife.decode(in);
    long firstNeeded = in.readPositiveVarLong();
    long before = in.readPositiveVarLong();
    FileLife lifeBefore = FileLife.decode(in);
    long bytesBefore = in.readPositiveVarLong();
    int count = in.readCount(LEAST_WRITE_BYTES);
    List<Write> checkpoint = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      ByteReader one = new ByteReader(in.readBlob());
      if (one.readUnsignedByte() != 2) {
        throw new DecodeException("a checkpoint of something else than groups");
      }
      checkpoint.add(write(one));
      one.expectEnd();
    }
    return new Header(log, firstNeeded, before, lifeBefore, bytesBefore, checkpoint);
  }

  private static Write write(ByteReader in) {
    int group = in.readVarInt();
    int flags = in.readUnsignedByte();
    if (flags > 31) {
      throw new DecodeException("flags of " + flags);
    }
    SnapshotMark reset = (flags & 1) != 0 ? EntryCodec.mark(in) : null;
    Compacted compacted = null;
    if ((flags & 2) != 0) {
      SnapshotMark mark = in.readUnsignedByte() != 0 ? EntryCodec.mark(in) : null;
      compacted = new Compacted(mark, in.readPositiveVarLong(), in.readPositiveVarLong());
    }
    List<Entry> entries = (flags & 4) != 0 ? EntryCodec.entries(in) : List.of();
    HardState state =
        (flags & 8) != 0
            ? new HardState(in.readPositiveVarLong(), in.readVarInt(), in.readPositiveVarLong())
            : null;
    return new Write(group, reset, compacted, entries, state, (flags & 16) != 0);
  }
}
