package dev.tern.core.replica;

import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.store.RecordKey;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.env.DecodeException;
import java.util.SortedMap;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// Merges a record that is here with what a snapshot of another replica has of its key, as the
/// states of two replicas.
///
/// Threads: the shard's loop.
final class MergedRecord {
  private final Writes writes;
  private final IntFunction<@Nullable KeyspaceConfig> keyspaces;
  private final Partition partition;
  private final DotSet clock;
  private final Repair.Strips strips;

  /// @param agreed dots of the snapshot's clock that all other replicas have that were heard
  MergedRecord(
      Writes writes,
      IntFunction<@Nullable KeyspaceConfig> keyspaces,
      ArrivingSnapshot snapshot,
      DotSet agreed) {
    this.writes = writes;
    this.keyspaces = keyspaces;
    this.partition = snapshot.partition;
    this.clock = snapshot.clock();
    boolean higher = snapshot.floor().compareTo(partition.floor()) > 0;
    this.strips =
        new Repair.Strips(
            agreed, higher ? snapshot.floor() : partition.floor(), writes.store().lastWriteWins());
  }

  /// @param staged what the snapshot has, null for nothing
  /// @param replaced gets what that counts
  void store(
      byte[] storageKey,
      byte @Nullable [] staged,
      SortedMap<Integer, ArrivingSnapshot.Figures> replaced,
      SnapshotInstalls.Merge told) {
    int keyspace = RecordKey.keyspace(storageKey);
    KeyspaceConfig config = keyspaces.apply(keyspace);
    Siblings record;
    try {
      record = Siblings.decode(staged);
    } catch (DecodeException e) {
      told.refused();
      return;
    }
    if (record != null) {
      ArrivingSnapshot.Figures one = ArrivingSnapshot.Figures.of(storageKey, record);
      replaced.merge(keyspace, one, (all, more) -> all.plus(more, 1));
    }
    if (config == null) {
      // The keyspace was dropped: both are erased.
      told.one();
    } else if (record == null) {
      dropObsolete(keyspace, storageKey, told);
    } else {
      writes.apply(
          config,
          RecordKey.slot(storageKey),
          RecordKey.userKey(storageKey),
          Reads.filled(config, record, clock),
          new Outcome(told));
    }
  }

  private record Outcome(SnapshotInstalls.Merge told) implements Applied {
    @Override
    public void durable() {
      told.one();
    }

    @Override
    public void superseded(Version by) {
      told.one();
    }

    @Override
    public void refused(Unanswered.Refused why) {
      told.refused();
    }
  }

  /// What the other replica has seen and has no more was replaced or deleted.
  private void dropObsolete(int keyspace, byte[] storageKey, SnapshotInstalls.Merge told) {
    writes.withBase(
        writes.store().records().data(keyspace),
        storageKey,
        new Writes.Based() {
          @Override
          public void base(@Nullable Siblings base) {
            if (base != null && clock.covers(base.dots()) && strips.mayHaveTaken(keyspace, base)) {
              partition.countStrip();
              Siblings nothing = Siblings.nothing(partition.clock());
              writes.append(keyspace, partition, storageKey, base, nothing);
            }
            told.one();
          }

          @Override
          public void refused(Unanswered.Refused why) {
            told.refused();
          }
        });
  }
}
