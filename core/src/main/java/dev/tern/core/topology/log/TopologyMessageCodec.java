package dev.tern.core.topology.log;

import dev.tern.core.raft.RaftMessageCodec;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;

/// The bytes of a [TopologyMessage], format 1: `u8 'T', u8 format, u8 type, fields`. Numbers are
/// varints, ids and a life u64, a flag and pair a u8. A greeting begins alike in all versions, up
/// to its levels, and may be longer in later ones. Its rest: life, and flags pair and departs.
///
/// | type | message | fields |
/// |---|---|---|
/// | 1 | Greeting | flag answer, min, max, level, cluster id, epoch, founding, and the rest |
/// | 2 | Raft | see RaftMessageCodec |
/// | 3 | State | see TopologyCodec |
/// | 4 | Beat | epoch, term, leader |
/// | 5 | Propose | id, see TopologyCodec |
/// | 6 | Answer | id, u8 kind, and an epoch, a reason, a text: as the kind has them |
/// | 7 | NotLeader | id, leader |
///
/// Kinds: 1 changed and 2 unchanged have an epoch; 3 refused a u8 reason and a text; 4 not proposed
/// and 5 unknown a text.
final class TopologyMessageCodec {
  private static final int FIRST = 'T';
  private static final int FORMAT = 1;
  private static final TopologyOutcome.Reason[] REASONS = TopologyOutcome.Reason.values();

  private TopologyMessageCodec() {}

  /// Whether a frame is about the topology; reads nothing.
  static boolean carries(ByteReader in) {
    return in.remaining() > 0 && in.array()[in.position()] == FIRST;
  }

  static void encode(TopologyMessage message, ByteWriter out) {
    out.writeByte(FIRST).writeByte(FORMAT);
    switch (message) {
      case TopologyMessage.Greeting m -> {
        out.writeByte(1).writeByte(m.answer() ? 1 : 0);
        out.writeVarInt(m.levels().min()).writeVarInt(m.levels().max()).writeVarInt(m.level());
        TopologyCodec.encode(m.cluster(), out);
        out.writeVarLong(m.epoch());
        TopologyCodec.encode(m.founding(), out);
        out.writeLong(m.life()).writeByte(m.pair() ? 1 : 0).writeByte(m.departs() ? 1 : 0);
      }
      case TopologyMessage.Raft m -> RaftMessageCodec.encode(m.message(), out.writeByte(2));
      case TopologyMessage.State m -> TopologyCodec.encode(m.state(), out.writeByte(3));
      case TopologyMessage.Beat m ->
          out.writeByte(4).writeVarLong(m.epoch()).writeVarLong(m.term()).writeVarInt(m.leader());
      case TopologyMessage.Propose m ->
          TopologyCodec.encode(m.proposed(), out.writeByte(5).writeLong(m.id()));
      case TopologyMessage.Answer m -> encode(m.decision(), out.writeByte(6).writeLong(m.id()));
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
    int first = in.readUnsignedByte();
    int format = in.readUnsignedByte();
    if (first != FIRST || format != FORMAT) {
      throw new DecodeException("a topology message of format " + format + "; 1 is known");
    }
    int type = in.readUnsignedByte();
    TopologyMessage message =
        switch (type) {
          case 1 -> greeting(in);
          case 2 -> new TopologyMessage.Raft(RaftMessageCodec.decode(in));
          case 3 -> new TopologyMessage.State(TopologyCodec.state(in));
          case 4 ->
              new TopologyMessage.Beat(
                  in.readPositiveVarLong(), in.readPositiveVarLong(), leader(in));
          case 5 -> new TopologyMessage.Propose(in.readLong(), TopologyCodec.proposed(in));
          case 6 -> new TopologyMessage.Answer(in.readLong(), decision(in));
          case 7 -> new TopologyMessage.NotLeader(in.readLong(), leader(in));
          default -> throw new DecodeException("a topology message of type " + type);
        };
    if (type != 1) {
      in.expectEnd();
    }
    return message;
  }

  private static TopologyMessage greeting(ByteReader in) {
    boolean answer = in.readFlag();
    int min = in.readVarInt();
    int max = in.readVarInt();
    if (min < 1 || max < min) {
      throw new DecodeException("protocol levels %d to %d".formatted(min, max));
    }
    return new TopologyMessage.Greeting(
        answer,
        new Levels(min, max),
        in.readVarInt(),
        TopologyCodec.cluster(in),
        in.readPositiveVarLong(),
        TopologyCodec.founding(in),
        in.readLong(),
        in.readFlag(),
        in.readFlag());
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
