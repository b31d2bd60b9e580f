package dev.tern.core.replica;

import dev.tern.core.store.RecordKey;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Stamp;
import dev.tern.core.wire.SnapshotChunk;
import dev.tern.core.wire.SnapshotChunk.Answer;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.Snapshot;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;

/// All that a replica has of one partition at one moment, for another replica that has nothing: the
/// rows as they are stored, and the clock that goes with them.
///
/// The moment is one at which each dot of the clock has its row or what replaced it, and no row has
/// a dot that is not in the clock: behind the end of a group of writes.
///
/// Threads: made and closed on the shard's loop; [#read] on a worker, one at a time.
public final class PartitionSnapshot implements AutoCloseable {
  private final Lsm lsm;
  private final List<ColumnFamily> families;
  private final SortedMap<Integer, ColumnFamily> data;
  private final byte[] first;
  private final byte[] end;
  private final Snapshot snapshot;
  private final DotSet clock;
  private final DotSet trimmed;
  private final Stamp floor;

  /// @param millis the cluster's time, 0 if it is not known
  PartitionSnapshot(Store store, Partition partition, long millis) {
    this.lsm = store.lsm();
    this.families = store.snapshotFamilies();
    this.data = store.records().families(partition.records());
    this.first = partition.records().first();
    this.end = partition.records().end();
    store.journal().endGroup(millis);
    this.clock = partition.clock().copy();
    this.trimmed = partition.trimmed().copy();
    this.floor = partition.floor();
    this.snapshot = lsm.snapshot();
  }

  /// Its last sequence: what is sent of it must be on the disk.
  public long sequence() {
    return snapshot.sequence();
  }

  /// Rows from a cursor on. Blocks.
  ///
  /// @param session that the chunk names
  /// @param cursor as the chunk before says, empty to begin
  /// @param bytes of rows, about: one row at least
  /// @throws IOException if rows cannot be read
  public SnapshotChunk read(long session, byte[] cursor, int bytes) throws IOException {
    ByteWriter rows = new ByteWriter(bytes + bytes / 8);
    int at = cursor.length == 0 ? 0 : cursor[0];
    byte[] from = cursor.length == 0 ? first : Arrays.copyOfRange(cursor, 1, cursor.length);
    while (at < families.size()) {
      byte[] next = read(families.get(at), from, bytes, rows);
      if (rows.length() > 0 || next.length > 0) {
        boolean more = next.length > 0 || at + 1 < families.size();
        byte[] goesOn = next.length > 0 ? cursor(at, next) : cursor(at + 1, first);
        return chunk(session, at, rows, more ? goesOn : new byte[0]);
      }
      at++;
      from = first;
    }
    return chunk(session, families.size() - 1, rows, new byte[0]);
  }

  private SnapshotChunk chunk(long session, int family, ByteWriter rows, byte[] next) {
    return new SnapshotChunk(
        Answer.ROWS, session, clock, trimmed, floor, family, rows.toByteArray(), next);
  }

  private static byte[] cursor(int family, byte[] key) {
    return new ByteWriter().writeByte(family).writeBytes(key).toByteArray();
  }

  /// Where to go on, empty at the end of the partition's rows.
  private byte[] read(ColumnFamily family, byte[] from, int bytes, ByteWriter rows)
      throws IOException {
    IteratorOptions options =
        IteratorOptions.all().range(first, end).at(snapshot).withoutFillingCache();
    try (LsmIterator all = lsm.iterator(family, options)) {
      for (all.seek(from); all.valid(); all.next()) {
        byte[] key = all.key();
        if (!belongs(family, key)) {
          continue;
        }
        if (rows.length() >= bytes) {
          return key.clone();
        }
        rows.writeBlob(key).writeBlob(all.value());
      }
    }
    return new byte[0];
  }

  /// Whether a row is of a keyspace that there is.
  private boolean belongs(ColumnFamily family, byte[] key) {
    boolean isRecord = families.indexOf(family) < Store.DATA_FAMILIES;
    return !isRecord || family == data.get(RecordKey.keyspace(key));
  }

  /// Told of each row of a chunk.
  interface Rows {
    void row(byte[] key, byte[] value) throws IOException;
  }

  /// Takes the rows of a chunk apart.
  ///
  /// @throws dev.tern.env.DecodeException if they are none
  static void rows(SnapshotChunk chunk, Rows told) throws IOException {
    ByteReader in = new ByteReader(chunk.rows());
    while (in.remaining() > 0) {
      told.row(in.readBlob(), in.readBlob());
    }
  }

  @Override
  public void close() {
    snapshot.close();
  }
}
