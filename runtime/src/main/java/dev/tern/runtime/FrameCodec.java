package dev.tern.runtime;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Network;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.zip.CRC32C;

/// Frames between nodes on a connection, version 1; numbers are big-endian.
///
/// ```
///   offset
///   0   u32  bytes that follow
///   4   u8   version = 1
///   5   u8   kind
///   6   u16  to shard: who owns the data; the receiver takes it modulo its own shards
///   8   u16  from shard
///   10       payload, at most Network.MAX_PAYLOAD_BYTES
///   end u32  CRC32C of bytes 4 up to here
///
///   kind         direction   payload
///   1 hello      both, once  u64 magic "ternnode", string cluster, u32 member,
///                            u16 shard, u16 shards of the sender
///   2 message    dialler ->  of the layer above
///   3 ping       dialler ->  none
///   4 pong       <- dialled  none
///   5 refusal    <- dialled  string reason; the connection closes after it
///
///   dialler                      dialled
///      | hello  ------------------> |  refusal, or the connection moves to its shard's loop and
///      | <------------------  hello |
///      | message, message, ping --> |
///      | <-------------------  pong |
/// ```
///
/// Every later version keeps the length, the version byte and their places, so that a node always
/// understands that it does not understand.
final class FrameCodec {
  static final int VERSION = 1;
  static final int HELLO = 1;
  static final int MESSAGE = 2;
  static final int PING = 3;
  static final int PONG = 4;
  static final int REFUSAL = 5;

  static final int LENGTH_BYTES = 4;
  static final int HEADER_BYTES = 6;
  static final int CRC_BYTES = 4;
  static final int MIN_FRAME_BYTES = HEADER_BYTES + CRC_BYTES;
  static final int MAX_FRAME_BYTES = Network.MAX_PAYLOAD_BYTES + MIN_FRAME_BYTES;

  /// Bound of all frames but messages, whose sender need not be known yet.
  static final int MAX_CONTROL_FRAME_BYTES = 64 << 10;

  static final long MAGIC = 0x7465726e6e6f6465L;

  private FrameCodec() {}

  /// The length included. The caller releases the buffer or writes it to a channel.
  static ByteBuf encode(
      ByteBufAllocator allocator,
      CRC32C crc,
      int kind,
      int toShard,
      int fromShard,
      ByteWriter payload) {
    int length = HEADER_BYTES + payload.length() + CRC_BYTES;
    ByteBuf out = allocator.directBuffer(LENGTH_BYTES + length, LENGTH_BYTES + length);
    out.writeInt(length).writeByte(VERSION).writeByte(kind).writeShort(toShard);
    out.writeShort(fromShard).writeBytes(payload.array(), 0, payload.length());
    crc.reset();
    crc.update(out.internalNioBuffer(LENGTH_BYTES, length - CRC_BYTES));
    return out.writeInt((int) crc.getValue());
  }

  /// What both ends say of themselves first.
  ///
  /// @param cluster what members of one cluster, and only they, call it
  /// @param member the sender's number
  /// @param shard the sender's shard at this end of the connection
  /// @param shards how many shards the sender has
  record Hello(String cluster, int member, int shard, int shards) {
    ByteWriter encode() {
      ByteWriter out = new ByteWriter();
      out.writeLong(MAGIC).writeString(cluster).writeInt(member);
      return out.writeShort(shard).writeShort(shards);
    }

    static Hello decode(ByteReader in) {
      if (in.remaining() < 8 || in.readLong() != MAGIC) {
        throw new DecodeException("it is no Tern node");
      }
      Hello hello =
          new Hello(in.readString(), in.readInt(), in.readUnsignedShort(), in.readUnsignedShort());
      in.expectEnd();
      return hello;
    }
  }
}
