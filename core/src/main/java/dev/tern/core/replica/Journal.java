package dev.tern.core.replica;

import dev.tern.core.version.Version;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/// Keeps what a store knows of its partitions as durable as their records, at the price of one
/// entry a group of writes.
///
/// The last entry of a group tells what the group changed: no crash parts them. After [#MAX_GROUPS]
/// of them, or [#MAX_BYTES], the rows of all partitions changed since are written instead, with the
/// next *round*; entries of an earlier round are void and get overwritten. So there is no deletion,
/// and an opening reads a bounded number of entries.
///
/// Entry: varint round, then until its end per write u16 partition, u32 replica id, varint counter,
/// u32 keyspace, u8 change of the records with a value plus 1.
final class Journal {
  /// Groups that are told of one by one before rows are written.
  static final int MAX_GROUPS = 1024;

  /// Bytes of entries before rows are written.
  private static final int MAX_BYTES = 4 << 20;

  private final Lsm lsm;
  private final ColumnFamily meta;
  private final WriteBatch batch = new WriteBatch();
  private final ByteWriter group = new ByteWriter();
  private final ByteWriter row = new ByteWriter();
  private final List<Partition> changed = new ArrayList<>();
  private long round;
  private int groups;
  private long bytes;
  private boolean empty = true;

  Journal(Lsm lsm, ColumnFamily meta) {
    this.lsm = lsm;
    this.meta = meta;
  }

  /// Told of each change that [#load] finds.
  interface Changes {
    void count(int keyspace, int partition, int delta);
  }

  /// Brings partitions that were read from their rows to where the groups left them.
  void load(IntFunction<Partition> partitions, Changes changes) throws IOException {
    byte[] last = lsm.get(meta, StorageKey.ROUND_ROW, Long.MAX_VALUE);
    round = last == null ? 0 : new ByteReader(last).readVarLong();
    try (LsmIterator entries = lsm.iterator(meta, IteratorOptions.all())) {
      entries.seek(StorageKey.journalRow(0));
      while (entries.valid() && StorageKey.isJournalRow(entries.key())) {
        ByteReader in = new ByteReader(entries.value());
        if (in.readVarLong() != round) {
          break;
        }
        while (in.remaining() > 0) {
          Partition partition = partitions.apply(in.readUnsignedShort());
          partition.clock.add(in.readInt(), in.readVarLong());
          int keyspace = in.readInt();
          int delta = in.readUnsignedByte() - 1;
          if (delta != 0) {
            partition.count(keyspace, delta);
            changes.count(keyspace, partition.number, delta);
          }
          change(partition);
        }
        entries.next();
      }
    }
  }

  /// A version was appended.
  ///
  /// @param delta change of the records with a value: -1, 0 or 1
  void note(Partition partition, Version version, int keyspace, int delta) {
    if (empty) {
      empty = false;
      group.clear();
      group.writeVarLong(round);
    }
    group.writeShort(partition.number).writeInt(version.replica());
    group.writeVarLong(version.counter()).writeInt(keyspace).writeByte(delta + 1);
    change(partition);
  }

  /// A partition's row is to be written anew with the next ones.
  void change(Partition partition) {
    if (!partition.changed) {
      partition.changed = true;
      changed.add(partition);
    }
  }

  /// Appends the last entry of a group, if it changed anything.
  void endGroup() {
    if (empty) {
      return;
    }
    empty = true;
    batch.clear();
    if (groups == MAX_GROUPS || bytes + group.length() > MAX_BYTES) {
      writeRows(batch);
    } else {
      bytes += group.length();
      batch.put(meta, StorageKey.journalRow(groups++), group);
    }
    lsm.append(batch);
  }

  /// Adds the rows of what changed, and begins the next round.
  void writeRows(WriteBatch to) {
    for (Partition partition : changed) {
      partition.changed = false;
      row.clear();
      partition.encode(row);
      to.put(meta, StorageKey.partitionRow(partition.number), row);
    }
    changed.clear();
    round++;
    groups = 0;
    bytes = 0;
    to.put(meta, StorageKey.ROUND_ROW, new ByteWriter(10).writeVarLong(round).toByteArray());
  }
}
