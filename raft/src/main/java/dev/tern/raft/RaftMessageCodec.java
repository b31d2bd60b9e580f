package dev.tern.raft;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;

/// The bytes of a [RaftMessage], format 1: `u8 format, u8 type, varint term, fields`. Indices,
/// terms, rounds and offsets are varints, a flag is a u8 of 0 or 1, contexts are u64; entries and
/// marks as in [EntryCodec]. Group and members are named by what carries the message.
///
/// | type | message | fields after the term |
/// |---|---|---|
/// | 1 | PreVote | last index, last term |
/// | 2 | PreVoteReply | flag granted |
/// | 3 | Vote | last index, last term, flag transfer |
/// | 4 | VoteReply | flag granted |
/// | 5 | Append | index before, term before, commit, entries |
/// | 6 | Appended | index |
/// | 7 | Conflict | rejected index, hint index, hint term + 1 |
/// | 8 | Heartbeat | commit, round |
/// | 9 | HeartbeatReply | round |
/// | 10 | Chunk | mark, offset, flag last, blob |
/// | 11 | ChunkReply | index, offset, next offset |
/// | 12 | TimeoutNow | |
/// | 13 | Read | context |
/// | 14 | ReadReply | context, index |
/// | 15 | Stale | |
public final class RaftMessageCodec {
  private static final int FORMAT = 1;

  /// Of terms, indices, rounds and offsets: one more never overflows.
  private static final long MOST = 1L << 62;

  private RaftMessageCodec() {}

  /// Appends a message.
  public static void encode(RaftMessage message, ByteWriter out) {
    out.writeByte(FORMAT);
    switch (message) {
      case RaftMessage.PreVote m ->
          head(out, 1, m).writeVarLong(m.lastIndex()).writeVarLong(m.lastTerm());
      case RaftMessage.PreVoteReply m -> head(out, 2, m).writeByte(m.granted() ? 1 : 0);
      case RaftMessage.Vote m -> {
        head(out, 3, m).writeVarLong(m.lastIndex()).writeVarLong(m.lastTerm());
        out.writeByte(m.transfer() ? 1 : 0);
      }
      case RaftMessage.VoteReply m -> head(out, 4, m).writeByte(m.granted() ? 1 : 0);
      case RaftMessage.Append m -> {
        head(out, 5, m).writeVarLong(m.prevIndex()).writeVarLong(m.prevTerm());
        out.writeVarLong(m.commit());
        EntryCodec.encode(m.entries(), out);
      }
      case RaftMessage.Appended m -> head(out, 6, m).writeVarLong(m.index());
      case RaftMessage.Conflict m -> {
        head(out, 7, m).writeVarLong(m.rejected()).writeVarLong(m.hintIndex());
        out.writeVarLong(m.hintTerm() + 1);
      }
      case RaftMessage.Heartbeat m ->
          head(out, 8, m).writeVarLong(m.commit()).writeVarLong(m.round());
      case RaftMessage.HeartbeatReply m -> head(out, 9, m).writeVarLong(m.round());
      case RaftMessage.Chunk m -> {
        EntryCodec.encode(m.mark(), head(out, 10, m));
        out.writeVarLong(m.offset()).writeByte(m.last() ? 1 : 0).writeBlob(m.bytes());
      }
      case RaftMessage.ChunkReply m -> {
        head(out, 11, m).writeVarLong(m.index()).writeVarLong(m.offset());
        out.writeVarLong(m.next());
      }
      case RaftMessage.TimeoutNow m -> head(out, 12, m);
      case RaftMessage.Read m -> head(out, 13, m).writeLong(m.context());
      case RaftMessage.ReadReply m ->
          head(out, 14, m).writeLong(m.context()).writeVarLong(m.index());
      case RaftMessage.Stale m -> head(out, 15, m);
    }
  }

  private static ByteWriter head(ByteWriter out, int type, RaftMessage message) {
    return out.writeByte(type).writeVarLong(message.term());
  }

  /// @throws DecodeException if the bytes are no message of format 1
  public static RaftMessage decode(ByteReader in) {
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new DecodeException("a Raft message of format " + format + "; this node speaks 1");
    }
    int type = in.readUnsignedByte();
    long term = number(in);
    RaftMessage message =
        switch (type) {
          case 1 -> new RaftMessage.PreVote(term, number(in), number(in));
          case 2 -> new RaftMessage.PreVoteReply(term, in.readFlag());
          case 3 -> new RaftMessage.Vote(term, number(in), number(in), in.readFlag());
          case 4 -> new RaftMessage.VoteReply(term, in.readFlag());
          case 5 -> append(term, in);
          case 6 -> new RaftMessage.Appended(term, number(in));
          case 7 -> new RaftMessage.Conflict(term, number(in), number(in), number(in) - 1);
          case 8 -> new RaftMessage.Heartbeat(term, number(in), number(in));
          case 9 -> new RaftMessage.HeartbeatReply(term, number(in));
          case 10 -> chunk(term, in);
          case 11 -> new RaftMessage.ChunkReply(term, number(in), number(in), number(in));
          case 12 -> new RaftMessage.TimeoutNow(term);
          case 13 -> new RaftMessage.Read(term, in.readLong());
          case 14 -> new RaftMessage.ReadReply(term, in.readLong(), number(in));
          case 15 -> new RaftMessage.Stale(term);
          default -> throw new DecodeException("a Raft message of type " + type);
        };
    in.expectEnd();
    return message;
  }

  private static RaftMessage append(long term, ByteReader in) {
    RaftMessage.Append message =
        new RaftMessage.Append(term, number(in), number(in), number(in), EntryCodec.entries(in));
    boolean follows =
        message.entries().isEmpty()
            || message.entries().getFirst().index() == message.prevIndex() + 1;
    if (!follows) {
      throw new DecodeException("entries that do not follow index " + message.prevIndex());
    }
    return message;
  }

  private static RaftMessage chunk(long term, ByteReader in) {
    SnapshotMark mark = EntryCodec.mark(in);
    long offset = number(in);
    boolean last = in.readFlag();
    return new RaftMessage.Chunk(term, mark, offset, in.readBlob(), last);
  }

  private static long number(ByteReader in) {
    long value = in.readPositiveVarLong();
    if (value > MOST) {
      throw new DecodeException("a number of " + value + ", which nothing counts up to");
    }
    return value;
  }
}
