package dev.tern.core.gossip;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.ArrayList;
import java.util.List;

/// The bytes of a [Packet], format 1; writes one item by item until it is full.
///
/// ```
///   packet    u8 format = 1, u8 type, head, body, item*        to the end of the datagram
///   head      varint generation, varint minted                 the sender's incarnation
///             varint reports made in this life (0: none), figures
///   figures   varint busy per mille, varint disk used MiB, varint disk MiB
///   body      1 Ping         varint sequence
///             2 PingRequest  varint sequence, varint target
///             3 Ack          varint sequence
///             4 Nack         varint sequence
///             5 Idle
///             6 Sync         u8 asks
///   item      varint number * 8 + kind, then
///             kind 0 ALIVE, 1 SUSPECT, 2 DEAD, 3 LEFT: varint generation, varint minted
///                 and of a SUSPECT varint accuser
///             kind 4 a report: varint generation, varint count in that life, figures
/// ```
final class PacketWriter {
  /// Fits an Ethernet frame with its headers.
  static final int MAX_PACKET_BYTES = 1_400;

  /// The largest number of a member.
  static final int MAX_NUMBER = 1 << 16;

  private static final int FORMAT = 1;
  private static final int REPORT = 4;
  private static final Status[] STATUSES = Status.values();

  private final ByteWriter out = new ByteWriter(MAX_PACKET_BYTES + 64);

  /// Forgets what was written and begins a packet.
  PacketWriter begin(long incarnation, Load load, Packet.Body body) {
    out.clear().writeByte(FORMAT).writeByte(type(body));
    incarnation(incarnation);
    out.writeVarLong(Incarnation.minted(load.stamp()));
    figures(load);
    switch (body) {
      case Packet.Ping b -> out.writeVarInt(b.sequence());
      case Packet.PingRequest b -> out.writeVarInt(b.sequence()).writeVarInt(b.target());
      case Packet.Ack b -> out.writeVarInt(b.sequence());
      case Packet.Nack b -> out.writeVarInt(b.sequence());
      case Packet.Idle b -> {}
      case Packet.Sync b -> out.writeByte(b.asks() ? 1 : 0);
    }
    return this;
  }

  /// Appends a claim; false, and nothing is appended, if there is no room.
  boolean add(Rumour rumour) {
    int before = out.length();
    out.writeVarInt(rumour.number() << 3 | rumour.status().ordinal());
    incarnation(rumour.incarnation());
    if (rumour.status() == Status.SUSPECT) {
      out.writeVarInt(rumour.accuser());
    }
    return fits(before);
  }

  /// Appends a report; false, and nothing is appended, if there is no room.
  boolean add(int number, Load load) {
    int before = out.length();
    out.writeVarInt(number << 3 | REPORT);
    incarnation(load.stamp());
    figures(load);
    return fits(before);
  }

  byte[] finish() {
    return out.toByteArray();
  }

  private boolean fits(int before) {
    if (out.length() > MAX_PACKET_BYTES) {
      out.truncate(before);
      return false;
    }
    return true;
  }

  private void incarnation(long value) {
    out.writeVarLong(Incarnation.generation(value)).writeVarLong(Incarnation.minted(value));
  }

  private void figures(Load load) {
    out.writeVarInt(load.busyPermille());
    out.writeVarLong(load.diskUsedMebibytes()).writeVarLong(load.diskMebibytes());
    out.writeVarInt(load.incomplete());
  }

  private static int type(Packet.Body body) {
    return switch (body) {
      case Packet.Ping b -> 1;
      case Packet.PingRequest b -> 2;
      case Packet.Ack b -> 3;
      case Packet.Nack b -> 4;
      case Packet.Idle b -> 5;
      case Packet.Sync b -> 6;
    };
  }

  /// @throws DecodeException if the bytes are no packet of format 1
  static Packet decode(ByteReader in) {
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new DecodeException("gossip of format " + format + "; this member speaks 1");
    }
    int type = in.readUnsignedByte();
    long incarnation = readIncarnation(in);
    long count = minted(in);
    long first = Incarnation.first(Incarnation.generation(incarnation));
    Load load = readFigures(in, count == 0 ? 0 : first | count);
    Packet.Body body =
        switch (type) {
          case 1 -> new Packet.Ping(in.readVarInt());
          case 2 -> new Packet.PingRequest(in.readVarInt(), number(in.readVarInt()));
          case 3 -> new Packet.Ack(in.readVarInt());
          case 4 -> new Packet.Nack(in.readVarInt());
          case 5 -> new Packet.Idle();
          case 6 -> new Packet.Sync(in.readFlag());
          default -> throw new DecodeException("gossip of type " + type);
        };
    List<Rumour> rumours = new ArrayList<>();
    List<Packet.Report> reports = new ArrayList<>();
    while (in.remaining() > 0) {
      int key = in.readVarInt();
      int number = number(key >>> 3);
      int kind = key & 7;
      long claimed = readIncarnation(in);
      if (kind < STATUSES.length) {
        Status status = STATUSES[kind];
        int accuser = status == Status.SUSPECT ? number(in.readVarInt()) : 0;
        rumours.add(new Rumour(number, claimed, status, accuser));
      } else if (kind == REPORT) {
        reports.add(new Packet.Report(number, readFigures(in, claimed)));
      } else {
        throw new DecodeException("a gossip item of kind " + kind);
      }
    }
    return new Packet(incarnation, load, body, rumours, reports);
  }

  private static int number(int value) {
    if (value < 1 || value > MAX_NUMBER) {
      throw new DecodeException("a member's number of " + value);
    }
    return value;
  }

  private static long minted(ByteReader in) {
    return Integer.toUnsignedLong(in.readVarInt());
  }

  private static long readIncarnation(ByteReader in) {
    long generation = in.readVarLong();
    if (generation < 1 || generation > Integer.MAX_VALUE) {
      throw new DecodeException("a generation of " + generation);
    }
    return Incarnation.first(generation) | minted(in);
  }

  private static Load readFigures(ByteReader in, long stamp) {
    int busy = in.readVarInt();
    long used = in.readVarLong();
    long size = in.readVarLong();
    int incomplete = in.readVarInt();
    if (busy < 0 || busy > 1_000 || used < 0 || size < 0 || incomplete < 0) {
      throw new DecodeException("a load out of range");
    }
    return new Load(stamp, busy, used, size, incomplete);
  }
}
