package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;

/// A record that is no register: a part of a collection under a key of its own. The forms are
/// reserved; nothing stores them yet.
///
/// ```
///   bare:     u8 31, u8 type, payload to the end
///   dots:     u8 32, varint dots, per dot u32 replica, varint counter, then the context, as DotSet
///   lattice:  u8 33, as dots, then u8 type, blob value
/// ```
///
/// Dots stand by replica, those of one replica together and in rising order. Immutable by
/// convention: arrays and sets handed in belong to the cell.
public sealed interface Cell {
  /// Dots of one cell: what concurrent writers added. Bytes that say more are refused.
  int MAX_DOTS = 1_000;

  /// A cell of a collection whose replicas agree on one log: it has neither stamp nor dot, the head
  /// of the collection has them.
  record Bare(ValueType type, byte[] payload) implements Cell {}

  /// A cell that is there as long as it has a dot: an element of a set, a flag.
  ///
  /// @param dots of the writes that put it there
  /// @param context what these writes replaced
  record Dots(DotSet dots, DotSet context) implements Cell {}

  /// A cell whose concurrent values are joined into one, such as a segment of a HyperLogLog.
  ///
  /// @param value the join of what the writes of the dots wrote
  record Lattice(DotSet dots, DotSet context, ValueType type, byte[] value) implements Cell {}

  /// Appends it.
  default void encode(ByteWriter out) {
    switch (this) {
      case Bare cell -> {
        RecordForm.BARE.encode(out);
        out.writeByte(cell.type().number()).writeBytes(cell.payload());
      }
      case Dots cell -> {
        RecordForm.DOTS.encode(out);
        encode(cell.dots(), cell.context(), out);
      }
      case Lattice cell -> {
        RecordForm.LATTICE.encode(out);
        encode(cell.dots(), cell.context(), out);
        out.writeByte(cell.type().number()).writeBlob(cell.value());
      }
    }
  }

  private static void encode(DotSet dots, DotSet context, ByteWriter out) {
    out.writeVarLong(dots.size());
    dots.forEach(
        (replica, from, to) -> {
          for (long counter = from; counter <= to; counter++) {
            out.writeInt(replica).writeVarLong(counter);
          }
        });
    context.encode(out);
  }

  /// Reads a cell that fills what is left of the reader.
  ///
  /// @throws DecodeException if the bytes are none of a format known here
  static Cell decode(ByteReader in) {
    RecordForm form = RecordForm.decode(in);
    Cell cell =
        switch (form) {
          case VERSIONS -> throw new DecodeException("versions of a key where a cell belongs");
          case BARE -> new Bare(ValueType.decode(in), in.readBytes(in.remaining()));
          case DOTS -> new Dots(dots(in), DotSet.decode(in));
          case LATTICE ->
              new Lattice(dots(in), DotSet.decode(in), ValueType.decode(in), in.readBlob());
        };
    in.expectEnd();
    return cell;
  }

  private static DotSet dots(ByteReader in) {
    int count = in.readCount(Integer.BYTES + 1);
    if (count > MAX_DOTS) {
      throw new DecodeException("a cell of " + count + " dots");
    }
    DotSet dots = new DotSet();
    int before = 0;
    for (int i = 0; i < count; i++) {
      int replica = in.readInt();
      long counter = in.readPositiveVarLong();
      boolean minted = replica != 0 && counter > 0 && counter < Rank.MAX_COUNTER;
      boolean follows =
          replica == before ? counter > dots.highest(replica) : dots.highest(replica) == 0;
      if (!minted || !follows) {
        throw new DecodeException(
            "a dot %08x:%d of a cell, which does not follow the one before"
                .formatted(replica, counter));
      }
      dots.add(replica, counter);
      before = replica;
    }
    return dots;
  }
}
