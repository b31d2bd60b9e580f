package dev.tern.core.wire;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import org.jspecify.annotations.Nullable;

/// The first two bytes of every frame between nodes: what kind it is, a letter, and the format of
/// that kind. This is the registry: a letter is never given to anything else.
///
/// A kind has one format at a time. Which one is spoken is agreed on by the *level* of the cluster
/// (`Levels`), which greetings tell; a frame of another format is refused. Greetings alone are read
/// in all versions, so that a node can say why it does not speak with another.
///
/// | first byte | kind | since |
/// |---|---|---|
/// | 01 to 03 | messages about data of formats 1 to 3, which had no kind | gone |
/// | 'A' | proofs of who a node is, after its greeting | reserved |
/// | 'D' | messages about data, see `MessageCodec` | level 2; format 7 since level 4 |
/// | 'G' | gossip, see `Liveness`; a kind stood in place of the format until level 2 | level 1 |
/// | 'R' | a Raft group's messages: varint group, then as `RaftMessageCodec` says | level 2 |
/// | 'S' | streams: files that are copied, feeds of changes | reserved |
/// | 'T' | greetings and the topology, see `TopologyMessageCodec` | level 1 |
public enum FrameKind {
  /// Proofs of who a node is; reserved.
  AUTHENTICATION('A', 0),

  /// Messages about data.
  DATA('D', 7),

  /// Gossip. Formats 0 to 2 would be taken for a kind by nodes of level 1.
  GOSSIP('G', 3),

  /// Messages of a Raft group.
  RAFT('R', 1),

  /// Streams; reserved.
  STREAM('S', 0),

  /// Greetings and what members say of the topology.
  TOPOLOGY('T', 1);

  /// The number of the Raft group that is the topology log, in the first frames' fields of [#RAFT].
  public static final int TOPOLOGY_GROUP = 0;

  /// Messages about data had formats up to this one as their first byte.
  private static final int LAST_BARE_FORMAT = 3;

  private static final @Nullable FrameKind[] BY_LETTER = new FrameKind[1 << Byte.SIZE];

  static {
    for (FrameKind kind : values()) {
      BY_LETTER[kind.letter] = kind;
    }
  }

  private final int letter;
  private final int format;

  FrameKind(int letter, int format) {
    this.letter = letter;
    this.format = format;
  }

  /// What a frame is; reads nothing.
  ///
  /// @throws DecodeException if it is of no kind that this version speaks
  public static FrameKind of(ByteReader in) {
    int first = in.remaining() == 0 ? 0 : in.array()[in.position()] & 0xff;
    FrameKind kind = BY_LETTER[first];
    if (kind == null || kind.format == 0) {
      throw new DecodeException(refusal(first, kind));
    }
    return kind;
  }

  private static String refusal(int first, @Nullable FrameKind kind) {
    if (kind != null) {
      return "a frame of kind " + kind + ", which this version does not speak; upgrade this node";
    }
    return first > 0 && first <= LAST_BARE_FORMAT
        ? "a message of format %d, of a version before; upgrade the node that sent it"
            .formatted(first)
        : "a frame of kind %02x, which is none".formatted(first);
  }

  /// Appends the two bytes.
  public ByteWriter lead(ByteWriter out) {
    assert format > 0 : this + " is reserved";
    return out.writeByte(letter).writeByte(format);
  }

  /// Reads the two bytes of a frame of this kind.
  ///
  /// @throws DecodeException if they are not this version's
  public void expect(ByteReader in) {
    FrameKind kind = of(in);
    in.readUnsignedByte();
    int found = in.readUnsignedByte();
    if (kind != this || found != format) {
      throw new DecodeException(
          "a frame of kind %s and format %d where %s of format %d belongs"
              .formatted(kind, found, this, format));
    }
  }
}
