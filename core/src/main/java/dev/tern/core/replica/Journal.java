package dev.tern.core.replica;

import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Version;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Keeps what a store knows of its partitions as durable as their records, at the price of one
/// entry a group of writes.
///
/// The last entry of a group tells what the group changed: no crash parts them. After [#MAX_GROUPS]
/// of them, or [#MAX_BYTES], the rows of all partitions changed since are written instead, with the
/// next *round*; entries of an earlier round are void and get overwritten. So there is no deletion,
/// and an opening reads a bounded number of entries.
///
/// Each group carries the time of its commit, as hybrid time of the cluster's time
/// ([dev.tern.core.version.ClusterTime]): in its entry, or in the row of the round that it begins.
/// It rises strictly within a store, over restarts too, and counts on while the cluster's time is
/// not known. Stamps of versions do not say it: an update inherits the time of what it replaces.
/// The bytes are drawn in [JournalRows].
final class Journal {
  /// Groups that are told of one by one before rows are written.
  static final int MAX_GROUPS = 1024;

  /// Bytes of entries before rows are written.
  private static final int MAX_BYTES = 4 << 20;

  private static final byte[] NO_VALUE = {};

  private final Lsm lsm;
  private final ColumnFamily meta;
  private final ColumnFamily dots;
  private final ColumnFamily graves;
  private final ColumnFamily expiries;
  private final WriteBatch batch = new WriteBatch();
  private final ByteWriter group = new ByteWriter();
  private final ByteWriter row = new ByteWriter();
  private final List<Partition> changed = new ArrayList<>();
  private final Unsynced unsynced = new Unsynced();

  /// What the groups were committed at; nothing reserves it, as an opening reads the last one.
  private HybridClock committed = clock(0);

  private long round;
  private int groups;
  private long bytes;
  private boolean empty = true;

  /// @param dots for each dot the key of the record it belongs to, until all replicas have it
  /// @param graves the same for each delete, until it is stripped
  /// @param expiries versions by the time at which they go
  Journal(
      Lsm lsm, ColumnFamily meta, ColumnFamily dots, ColumnFamily graves, ColumnFamily expiries) {
    this.lsm = lsm;
    this.meta = meta;
    this.dots = dots;
    this.graves = graves;
    this.expiries = expiries;
  }

  /// Finds a partition.
  interface Partitions {
    /// Null for one of groups that were let go of: what is said of it is passed over.
    @Nullable Partition of(int set, int number);
  }

  private static HybridClock clock(long last) {
    return new HybridClock(last, Long.MAX_VALUE);
  }

  /// Told of each change that [#load] finds.
  interface Changes {
    void count(Partition partition, int keyspace, int keys, int expiring, long bytes);
  }

  /// Brings partitions that were read from their rows to where the groups left them.
  void load(Partitions partitions, Changes changes) throws IOException {
    JournalRows.Changes told = told(partitions, changes);
    byte[] last = lsm.get(meta, Rows.ROUND, Long.MAX_VALUE);
    if (last != null) {
      round = committed(JournalRows.round(last)).round();
    }
    try (LsmIterator entries = lsm.iterator(meta, IteratorOptions.all())) {
      entries.seek(Rows.journal(0));
      while (entries.valid() && Rows.isJournal(entries.key())) {
        ByteReader in = new ByteReader(entries.value());
        JournalRows.Head head = JournalRows.entry(in);
        if (head.round() != round) {
          break;
        }
        committed(head);
        JournalRows.changes(in, told);
        entries.next();
      }
    }
  }

  private JournalRows.Changes told(Partitions partitions, Changes changes) {
    return new JournalRows.Changes() {
      @Override
      public void dots(int set, int number, int replica, long counter, long further) {
        Partition partition = partitions.of(set, number);
        if (partition != null) {
          partition.load(replica, counter, counter + further);
          change(partition);
        }
      }

      @Override
      public void counts(int set, int number, int keyspace, int keys, int expiring, long bytes) {
        Partition partition = partitions.of(set, number);
        if (partition != null) {
          changes.count(partition, keyspace, keys, expiring, bytes);
          change(partition);
        }
      }
    };
  }

  private JournalRows.Head committed(JournalRows.Head head) {
    if (head.time() <= committed.last()) {
      throw new DecodeException(
          "a commit at %016x after one at %016x".formatted(head.time(), committed.last()));
    }
    committed.follow(head.time());
    return head;
  }

  /// When the last group was committed, hybrid time; 0 if there was none yet.
  long lastCommit() {
    return committed.last();
  }

  /// A version was appended, or found to be replaced already.
  ///
  /// @param stored whether it is in the record now
  void note(Partition partition, Version version, byte[] storageKey, boolean stored) {
    int replica = version.replica();
    long counter = version.counter();
    partition.learn(replica, counter);
    note(partition, replica, counter, 0);
    if (stored) {
      index(partition, version, storageKey, /* logged= */ true);
    }
  }

  /// A version that the clock knew of was appended again, as it had got lost.
  void noteHealed(Partition partition, Version version, byte[] storageKey) {
    boolean logged = !partition.trimmed().contains(version.replica(), version.counter());
    note(partition, version.replica(), version.counter(), 0);
    index(partition, version, storageKey, logged);
  }

  private void index(Partition partition, Version version, byte[] storageKey, boolean logged) {
    int replica = version.replica();
    long counter = version.counter();
    if (version.expiryMillis() != 0 && version.value() != null) {
      byte[] row = Expired.row(partition, version.expiryMillis(), storageKey, replica, counter);
      batch.put(expiries, row, NO_VALUE);
    }
    // What was replaced before it came needs no entry: what replaced it has one.
    if (logged || version.value() == null) {
      byte[] dot = Rows.dot(partition, replica, counter);
      if (logged) {
        batch.put(dots, dot, JournalRows.dot(storageKey));
      }
      if (version.value() == null) {
        partition.countGrave();
        batch.put(graves, dot, storageKey);
      }
    }
  }

  /// What a partition holds of a keyspace came to be more or less, by a write of one record.
  ///
  /// @param keys -1 to 1
  /// @param expiring -1 to 1
  void noteCounts(Partition partition, int keyspace, int keys, int expiring, long bytes) {
    begin();
    int number = partition.number();
    JournalRows.counts(partition.set(), number, keyspace, keys, expiring, bytes, group);
    change(partition);
  }

  /// All dots of a run are here, or replaced by what is here.
  void noteRun(Partition partition, int replica, long from, long to) {
    partition.learn(replica, from, to);
    note(partition, replica, from, to - from);
  }

  private void note(Partition partition, int replica, long counter, long further) {
    begin();
    JournalRows.dots(partition.set(), partition.number(), replica, counter, further, group);
    change(partition);
    // The entry that tells of it ends the group.
    unsynced.add(lsm.writtenSequence() + 1, partition, replica, counter, counter + further);
  }

  private void begin() {
    if (empty) {
      empty = false;
      group.clear();
    }
  }

  /// A partition was emptied.
  void forget(Partition partition) {
    unsynced.forget(partition);
  }

  /// The partitions of a set are let go of: their rows are not written any more.
  void letGo(int set) {
    changed.removeIf(
        partition -> {
          boolean ofIt = partition.set() == set;
          if (ofIt) {
            forget(partition);
          }
          return ofIt;
        });
  }

  /// Everything up to a sequence is on disk.
  void synced(long sequence) {
    unsynced.synced(sequence);
  }

  /// Whether dots of replicated partitions were there at the last call, too, and still are not on
  /// disk.
  boolean waitsForDisk() {
    return unsynced.stale();
  }

  /// A partition's row is to be written anew with the next ones.
  void change(Partition partition) {
    if (partition.change()) {
      changed.add(partition);
    }
  }

  /// Appends the last entry of a group, if it changed anything.
  ///
  /// @param millis the cluster's time, 0 if it is not known
  void endGroup(long millis) {
    if (empty) {
      return;
    }
    empty = true;
    if (groups == MAX_GROUPS || bytes + group.length() > MAX_BYTES) {
      writeRows(batch, millis);
    } else {
      bytes += group.length();
      row.clear();
      JournalRows.entry(round, committed.next(millis), group, row);
      batch.put(meta, Rows.journal(groups++), row);
    }
    lsm.append(batch);
    batch.clear();
  }

  /// Adds the rows of what changed, and begins the next round.
  ///
  /// @param millis the cluster's time, 0 if it is not known
  void writeRows(WriteBatch to, long millis) {
    for (Partition partition : changed) {
      partition.rowWritten();
      row.clear();
      MetaRows.partition(partition, row);
      to.put(meta, Rows.of(partition, Rows.PARTITION), row);
    }
    changed.clear();
    round++;
    groups = 0;
    bytes = 0;
    row.clear();
    JournalRows.round(new JournalRows.Head(round, committed.next(millis)), row);
    to.put(meta, Rows.ROUND, row);
  }
}
