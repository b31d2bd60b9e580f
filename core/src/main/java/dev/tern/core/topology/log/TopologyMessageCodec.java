package dev.tern.core.topology.log;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.raft.RaftMessageCodec;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// The bytes of a [TopologyMessage], format 1: the two bytes of [FrameKind#TOPOLOGY], `u8 type,
/// fields`. Numbers are varints, ids and a life u64, a flag and pair a u8. A greeting begins alike
/// in all versions, up to its levels, and may be longer in later ones. Its rest: life, flags pair
/// and departs, and a blob for a proof of who the sender is: empty, and read by nobody yet.
///
/// Raft's messages have frames of their own kind, [FrameKind#RAFT]: varint group, 0 for the
/// topology log, then as RaftMessageCodec says.
///
/// | type | message | fields |
/// |---|---|---|
/// | 1 | Greeting | flag answer, min, max, level, cluster id, epoch, founding, and the rest |
/// | 2 | retired |  |
/// | 3 | State | see TopologyCodec |
/// | 4 | Beat | epoch, term, leader |
/// | 5 | Propose | id, see TopologyCodec |
/// | 6 | Answer | id, u8 kind, and an epoch, a reason, a text: as the kind has them |
/// | 7 | NotLeader | id, leader |
/// | 8 | MoveReports | left, count, for each: set, partition, epoch of the entry, u8 flags |
///
/// Kinds: 1 changed and 2 unchanged have an epoch; 3 refused a u8 reason and a text; 4 not proposed
/// and 5 unknown a text. Left: an epoch, two blobs of a bit a partition, the first one in the
/// lowest bit of the first byte: those of which something is left, and those of them of which it
/// cannot be read.
final class TopologyMessageCodec {
  /// Of a proof in a greeting.
  private static final int MAX_PROOF_BYTES = 4 << 10;

  private static final byte[] NO_PROOF = {};
  private static final TopologyOutcome.Reason[] REASONS = TopologyOutcome.Reason.values();

  private TopologyMessageCodec() {}

  static void encode(TopologyMessage message, ByteWriter out) {
    if (message instanceof TopologyMessage.Raft raft) {
      FrameKind.RAFT.lead(out).writeVarInt(FrameKind.TOPOLOGY_GROUP);
      RaftMessageCodec.encode(raft.message(), out);
      return;
    }
    FrameKind.TOPOLOGY.lead(out);
    switch (message) {
      case TopologyMessage.Greeting m -> {
        out.writeByte(1).writeByte(m.answer() ? 1 : 0);
        out.writeVarInt(m.levels().min()).writeVarInt(m.levels().max()).writeVarInt(m.level());
        TopologyCodec.encode(m.cluster(), out);
        out.writeVarLong(m.epoch());
        TopologyCodec.encode(m.founding(), out);
        out.writeLong(m.life()).writeByte(m.pair() ? 1 : 0).writeByte(m.departs() ? 1 : 0);
        out.writeBlob(NO_PROOF);
      }
      case TopologyMessage.Raft m -> throw new IllegalStateException(m + " has a frame of its own");
      case TopologyMessage.State m -> TopologyCodec.encode(m.state(), out.writeByte(3));
      case TopologyMessage.Beat m ->
          out.writeByte(4).writeVarLong(m.epoch()).writeVarLong(m.term()).writeVarInt(m.leader());
      case TopologyMessage.Propose m ->
          TopologyCodec.encode(m.proposed(), out.writeByte(5).writeLong(m.id()));
      case TopologyMessage.Answer m -> encode(m.decision(), out.writeByte(6).writeLong(m.id()));
      case TopologyMessage.MoveReports m -> {
        out.writeByte(8).writeVarLong(m.left().epoch());
        out.writeBlob(m.left().partitions().toByteArray());
        out.writeBlob(m.left().unreadable().toByteArray());
        out.writeVarInt(m.entries().size());
        for (MoveReport entry : m.entries()) {
          out.writeVarInt(entry.set()).writeVarInt(entry.partition());
          out.writeVarLong(entry.entryEpoch()).writeByte(entry.flags());
        }
      }
      case TopologyMessage.NotLeader m ->
          out.writeByte(7).writeLong(m.id()).writeVarInt(m.leader());
    }
  }

  private static void encode(Decision decision, ByteWriter out) {
    switch (decision) {
      case Decision.Decided decided -> {
        switch (decided.outcome()) {
          case TopologyOutcome.Changed o -> out.writeByte(1).writeVarLong(o.epoch());
          case TopologyOutcome.Unchanged o -> out.writeByte(2).writeVarLong(o.epoch());
          case TopologyOutcome.Refused o ->
              out.writeByte(3).writeByte(o.reason().ordinal()).writeString(o.message());
        }
      }
      case Decision.NotProposed not -> out.writeByte(4).writeString(not.why());
      case Decision.Unknown unknown -> out.writeByte(5).writeString(unknown.why());
    }
  }

  /// @throws DecodeException if the bytes are no message of format 1
  static TopologyMessage decode(ByteReader in) {
    try {
      return decoded(in);
    } catch (IllegalArgumentException e) {
      // What the constructors of settings, stamps and lists refuse.
      throw new DecodeException("a topology message that cannot be: " + e.getMessage());
    }
  }

  /// 0 for none.
  private static int leader(ByteReader in) {
    return in.readVarIntIn(0, Member.MAX_NUMBER);
  }

  private static TopologyMessage decoded(ByteReader in) {
    if (FrameKind.of(in) == FrameKind.RAFT) {
      return raft(in);
    }
    FrameKind.TOPOLOGY.expect(in);
    int type = in.readUnsignedByte();
    TopologyMessage message =
        switch (type) {
          case 1 -> greeting(in);
          case 3 -> new TopologyMessage.State(TopologyCodec.state(in));
          case 4 ->
              new TopologyMessage.Beat(
                  in.readPositiveVarLong(), in.readPositiveVarLong(), leader(in));
          case 5 -> new TopologyMessage.Propose(in.readLong(), TopologyCodec.proposed(in));
          case 6 -> new TopologyMessage.Answer(in.readLong(), decision(in));
          case 7 -> new TopologyMessage.NotLeader(in.readLong(), leader(in));
          case 8 -> moveReports(in);
          default -> throw new DecodeException("a topology message of type " + type);
        };
    if (type != 1) {
      in.expectEnd();
    }
    return message;
  }

  private static BitSet partitions(ByteReader in) {
    byte[] bits = in.readBlob();
    if (bits.length > Slots.COUNT / Byte.SIZE) {
      throw new DecodeException("%d bytes of a bit a partition".formatted(bits.length));
    }
    return BitSet.valueOf(bits);
  }

  private static TopologyMessage moveReports(ByteReader in) {
    LeftReport left = new LeftReport(in.readPositiveVarLong(), partitions(in), partitions(in));
    int count = in.readVarIntIn(0, TopologyMessage.MoveReports.MAX_ENTRIES);
    List<MoveReport> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int set = in.readVarIntIn(1, 0xffff);
      int partition = in.readVarIntIn(0, Slots.COUNT - 1);
      long epoch = in.readPositiveVarLong();
      int flags = in.readUnsignedByte();
      if (flags > MoveReport.MAX_FLAGS) {
        throw new DecodeException("a report of a move with flags " + flags);
      }
      entries.add(new MoveReport(set, partition, epoch, flags));
    }
    return new TopologyMessage.MoveReports(left, entries);
  }

  private static TopologyMessage raft(ByteReader in) {
    FrameKind.RAFT.expect(in);
    int group = in.readVarIntIn(0, Integer.MAX_VALUE);
    if (group != FrameKind.TOPOLOGY_GROUP) {
      throw new DecodeException("a message of Raft group " + group + ", which is not here");
    }
    return new TopologyMessage.Raft(RaftMessageCodec.decode(in));
  }

  private static TopologyMessage greeting(ByteReader in) {
    boolean answer = in.readFlag();
    int min = in.readVarInt();
    int max = in.readVarInt();
    if (min < 1 || max < min) {
      throw new DecodeException("protocol levels %d to %d".formatted(min, max));
    }
    Levels levels = new Levels(min, max);
    int level = in.readVarInt();
    if (max < Levels.OURS.min() || min > Levels.OURS.max()) {
      // The rest is another version's: that the levels do not meet is all that is told of it.
      return new TopologyMessage.Greeting(
          answer, levels, level, ClusterId.NONE, 0, Founding.NOTHING, 0, false, false);
    }
    TopologyMessage.Greeting greeting =
        new TopologyMessage.Greeting(
            answer,
            levels,
            level,
            TopologyCodec.cluster(in),
            in.readPositiveVarLong(),
            TopologyCodec.founding(in),
            in.readLong(),
            in.readFlag(),
            in.readFlag());
    // At level 1 a greeting ended here.
    int proof = in.remaining() == 0 ? 0 : in.readLength();
    if (proof > MAX_PROOF_BYTES) {
      throw new DecodeException("a proof of " + proof + " bytes");
    }
    in.skip(proof);
    return greeting;
  }

  private static Decision decision(ByteReader in) {
    int kind = in.readUnsignedByte();
    return switch (kind) {
      case 1 -> new Decision.Decided(new TopologyOutcome.Changed(in.readPositiveVarLong()));
      case 2 -> new Decision.Decided(new TopologyOutcome.Unchanged(in.readPositiveVarLong()));
      case 3 ->
          new Decision.Decided(new TopologyOutcome.Refused(in.readOneOf(REASONS), in.readString()));
      case 4 -> new Decision.NotProposed(in.readString());
      case 5 -> new Decision.Unknown(in.readString());
      default -> throw new DecodeException("a decision of kind " + kind);
    };
  }
}
