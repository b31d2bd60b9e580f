package dev.tern.lsm.table;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.RangeTombstones;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What a table says of itself.
///
/// ```
///   blob smallest   blob upper   varint: entries, deletes, range deletes, key bytes, value bytes,
///   smallest sequence, largest sequence, first expiry, last expiry,
///   created (wall milliseconds)   u8 compression
/// ```
///
/// @param smallest no key, and no deleted range, begins before it
/// @param upper all keys, and all deleted ranges, end before it
/// @param entries without range deletes
/// @param deletes of single keys
/// @param keyBytes of all keys, uncompressed
/// @param largestSequence of what it holds, sequences that a compaction made zero included
/// @param firstExpiry the earliest moment at which a value here expires; 0 if none does
/// @param lastExpiry the latest; 0 if none does
/// @param createdMillis by the wall clock of the machine that wrote it
public record TableProperties(
    byte[] smallest,
    byte[] upper,
    long entries,
    long deletes,
    long rangeDeletes,
    long keyBytes,
    long valueBytes,
    long smallestSequence,
    long largestSequence,
    long firstExpiry,
    long lastExpiry,
    long createdMillis,
    int compression) {

  /// Writes them in their form.
  public void encode(ByteWriter out) {
    out.writeBlob(smallest).writeBlob(upper).writeVarLong(entries).writeVarLong(deletes);
    out.writeVarLong(rangeDeletes).writeVarLong(keyBytes).writeVarLong(valueBytes);
    out.writeVarLong(smallestSequence).writeVarLong(largestSequence);
    out.writeVarLong(firstExpiry).writeVarLong(lastExpiry).writeVarLong(createdMillis);
    out.writeByte(compression);
  }

  /// Reads them to the end of the input.
  ///
  /// @throws dev.tern.env.DecodeException if they are none
  public static TableProperties decode(ByteReader in) {
    TableProperties properties =
        new TableProperties(
            in.readBlob(),
            in.readBlob(),
            in.readPositiveVarLong(),
            in.readPositiveVarLong(),
            in.readPositiveVarLong(),
            in.readPositiveVarLong(),
            in.readPositiveVarLong(),
            in.readPositiveVarLong(),
            in.readPositiveVarLong(),
            in.readPositiveVarLong(),
            in.readPositiveVarLong(),
            in.readPositiveVarLong(),
            Compressor.known(in.readUnsignedByte()));
    in.expectEnd();
    if (Keys.compare(properties.smallest, properties.upper) > 0
        || properties.deletes > properties.entries
        || properties.smallestSequence > properties.largestSequence
        || properties.firstExpiry > properties.lastExpiry) {
      throw new DecodeException("properties that no table has");
    }
    return properties;
  }

  /// With all entries at one sequence; as it is if that is 0.
  public TableProperties at(long sequence) {
    return sequence == 0
        ? this
        : new TableProperties(
            smallest,
            upper,
            entries,
            deletes,
            rangeDeletes,
            keyBytes,
            valueBytes,
            sequence,
            sequence,
            firstExpiry,
            lastExpiry,
            createdMillis,
            compression);
  }

  static void encode(List<RangeTombstones.Range> ranges, ByteWriter out) {
    out.writeVarInt(ranges.size());
    for (RangeTombstones.Range range : ranges) {
      out.writeBlob(range.from()).writeBlob(range.to()).writeVarLong(range.sequence());
    }
  }

  static RangeTombstones rangeDeletes(ByteReader in) {
    int count = in.readLength();
    List<RangeTombstones.Range> ranges = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ranges.add(new RangeTombstones.Range(in.readBlob(), in.readBlob(), in.readVarLong()));
    }
    in.expectEnd();
    return RangeTombstones.of(ranges);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TableProperties that && Arrays.equals(toBytes(), that.toBytes());
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(toBytes());
  }

  private byte[] toBytes() {
    ByteWriter out = new ByteWriter();
    encode(out);
    return out.toByteArray();
  }

  /// Whether a key's range and this table's have something in common.
  public boolean overlaps(byte[] from, byte[] to) {
    return Keys.compare(smallest, to) < 0 && Keys.compare(from, upper) < 0;
  }

  /// Whether a key lies within the bounds.
  public boolean mayHave(byte[] key) {
    return Keys.compare(smallest, key) <= 0 && Keys.compare(key, upper) < 0;
  }

  /// How much of it is deletions, 0 to 1.
  public double deleteDensity() {
    return entries == 0 ? (rangeDeletes > 0 ? 1 : 0) : (double) deletes / entries;
  }
}
