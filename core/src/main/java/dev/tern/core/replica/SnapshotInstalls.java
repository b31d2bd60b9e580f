package dev.tern.core.replica;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.store.PartitionRecords;
import dev.tern.core.version.DotSet;
import dev.tern.env.CoverageMarks;
import dev.tern.env.EventLoop;
import dev.tern.env.Offload;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.FamilyOptions;
import dev.tern.lsm.KeyRange;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.Replacement;
import dev.tern.lsm.Staging;
import dev.tern.lsm.TableFileWriter;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Takes snapshots of other replicas into the store, for partitions whose replicas here wait to be
/// filled: the rows become readable all at once, with the clock that they go with, by one edit of
/// the manifest. Records that came here meanwhile stay, merged with those of the snapshot.
///
/// ```
///   stage     the files become staged tables                                 (worker)
///   park      writes of the partitions wait; those under way end
///   merge     the keys that are here are read in the staged tables           (worker)
///             and what was found is stored as a record of another replica
///   keep      all rows that are here are read                                (worker)
///             what the partition counts then, and the clock, are staged, too
///   mark      a rotation: what is in tables is before it, the rest behind
///   append    the rows that are here, again: behind the mark, and durable
///   commit    the tables are in the place of all before the mark             (worker)
///   end       the clock holds in memory; it is written where clocks are; writes go on
/// ```
///
/// A commit that fails may be found by the next opening all the same, until another edit follows:
/// so writes wait until one has.
///
/// A crash before the commit leaves what was here. One behind it finds the clock in a row of the
/// tables ([Rows#installed]), and ends the install when the store is opened. So no row of the
/// snapshot, whose contexts its clock says, can ever be read without that clock.
///
/// Several partitions are taken in together: each mark flushes the memtables.
///
/// Threads: the shard's loop, but for jobs.
public final class SnapshotInstalls {
  /// Partitions that are taken in together.
  private static final int MAX_TOGETHER = 64;

  /// Bytes of rows that are here and written again, of all of them; a partition with more is filled
  /// by pages.
  private static final long MAX_KEPT_BYTES = 16 << 20;

  /// Writes wait for no longer than about this.
  private static final long MAX_PARKED_NANOS = 20_000_000_000L;

  private static final long POLL_NANOS = 5_000_000;

  private static final long RETRY_NANOS = 1_000_000_000;

  /// So often a mark is set again, as compactions mixed what is before and behind it.
  private static final int MAX_MARKS = 8;

  private final Store store;
  private final Lsm lsm;
  private final EventLoop loop;
  private final ReplicaContext context;
  private final Writes writes;
  private final SnapshotFiles files;
  private final IntFunction<@Nullable KeyspaceConfig> keyspaces;
  private final ArrayDeque<Arrived> waiting = new ArrayDeque<>();
  private @Nullable Batch underWay;

  /// How many are taken in together: one at a time behind a failure, which may be that of one.
  private int together = MAX_TOGETHER;

  private long labels;

  SnapshotInstalls(
      ReplicaContext context,
      Writes writes,
      SnapshotFiles files,
      IntFunction<@Nullable KeyspaceConfig> keyspaces) {
    this.context = context;
    this.store = context.store();
    this.lsm = context.lsm();
    this.loop = context.loop();
    this.writes = writes;
    this.files = files;
    this.keyspaces = keyspaces;
  }

  /// What became of a snapshot.
  public enum Outcome {
    /// It is here, and its clock holds.
    INSTALLED,
    /// Nothing has changed, and it may be fetched again.
    AGAIN,
    /// Nothing has changed: the partition is to be filled by pages.
    REFUSED
  }

  /// A snapshot of which all has come.
  ///
  /// @param agreed dots of its clock that all other replicas have that were heard
  private record Arrived(ArrivingSnapshot snapshot, DotSet agreed, Consumer<Outcome> done) {}

  /// Begins a snapshot of a partition; see [ArrivingSnapshot].
  public ArrivingSnapshot begin(Partition partition) {
    return new ArrivingSnapshot(store, files, partition);
  }

  /// Takes in a snapshot that is finished, together with others.
  ///
  /// @param agreed dots of its clock that all other replicas have that were heard
  /// @param done told on the loop
  public void install(ArrivingSnapshot snapshot, DotSet agreed, Consumer<Outcome> done) {
    snapshot.partition.arriving(true);
    waiting.add(new Arrived(snapshot, agreed, done));
    beginNext();
  }

  private void beginNext() {
    if (underWay != null || waiting.isEmpty()) {
      return;
    }
    List<Arrived> next = new ArrayList<>();
    while (!waiting.isEmpty() && next.size() < together) {
      next.add(waiting.remove());
    }
    Batch batch = new Batch(next, "snapshots %d".formatted(++labels));
    underWay = batch;
    batch.stage();
  }

  /// What a worker found; its failure ends the batch.
  private <T> void job(Batch batch, Offload.Job<T> job, Consumer<@Nullable T> then) {
    loop.<T>offload(
        job,
        (result, failure) -> {
          if (failure != null) {
            batch.failed();
          } else if (!batch.ended) {
            then.accept(result);
          }
        });
  }

  /// A row that is here.
  private record Row(int family, byte[] key, byte[] value) {}

  /// What is here of one partition.
  private static final class Here {
    /// Keys of records, by family.
    final List<List<byte[]>> keys = new ArrayList<>();

    /// Their values in the staged tables.
    final List<List<byte @Nullable []>> staged = new ArrayList<>();

    /// What these count.
    final TreeMap<Integer, ArrivingSnapshot.Figures> replaced = new TreeMap<>();
  }

  /// Partitions that are taken in together.
  private final class Batch {
    private final List<Arrived> all;
    private final String label;
    private final List<Partition> parked = new ArrayList<>();
    private long parkedNanos;
    private List<Here> here = List.of();
    private List<Row> kept = List.of();
    private int marks;
    private @Nullable Replacement replacement;
    private boolean ended;

    /// Whether the edit is being made: nothing gives it up then.
    private boolean committing;

    Batch(List<Arrived> all, String label) {
      this.all = all;
      this.label = label;
    }

    private boolean isStill() {
      return all.stream().allMatch(each -> each.snapshot.isWanted());
    }

    // ---- the tables

    void stage() {
      List<ColumnFamily> families = store.snapshotFamilies();
      job(
          this,
          () -> {
            for (int family = 0; family < families.size(); family++) {
              List<String> paths = new ArrayList<>();
              for (Arrived each : all) {
                paths.addAll(each.snapshot.paths.get(family));
              }
              if (!paths.isEmpty()) {
                lsm.stage(label, families.get(family), paths, Staging.LINK);
              }
            }
            all.forEach(each -> each.snapshot.taken());
            return true;
          },
          done -> park());
    }

    // ---- what is here

    private void park() {
      if (!isStill() || all.stream().anyMatch(each -> each.snapshot.isOvertaken())) {
        fail(Outcome.AGAIN);
        return;
      }
      parkedNanos = context.clock().monotonicNanos();
      loop.schedule(MAX_PARKED_NANOS, this::lateEnd);
      for (Arrived each : all) {
        writes.park(each.snapshot.partition);
        parked.add(each.snapshot.partition);
      }
      poll(() -> parked.stream().noneMatch(writes::isUnderWay), this::readKeys);
    }

    /// Goes on once something is so.
    private void poll(Supplier<Boolean> isSo, Runnable then) {
      if (ended) {
        return;
      }
      if (!isStill() || context.clock().monotonicNanos() - parkedNanos > MAX_PARKED_NANOS) {
        fail(Outcome.AGAIN);
      } else if (isSo.get()) {
        then.run();
      } else {
        loop.schedule(POLL_NANOS, () -> poll(isSo, then));
      }
    }

    private void lateEnd() {
      if (!committing) {
        fail(Outcome.AGAIN);
      }
    }

    private void readKeys() {
      job(
          this,
          () -> {
            List<Here> found = new ArrayList<>();
            long[] room = {MAX_KEPT_BYTES};
            for (Arrived each : all) {
              found.add(here(each.snapshot, room));
            }
            return found;
          },
          found -> {
            here = java.util.Objects.requireNonNull(found);
            merge();
          });
    }

    private Here here(ArrivingSnapshot snapshot, long[] room) throws IOException {
      Here found = new Here();
      for (int family = 0; family < Store.DATA_FAMILIES; family++) {
        List<byte[]> keys = new ArrayList<>();
        snapshot.forEachRow(
            family,
            (key, value) -> {
              keys.add(key.clone());
              spend(room, key.length + value.length);
            });
        ColumnFamily of = store.snapshotFamilies().get(family);
        List<byte @Nullable []> staged =
            keys.isEmpty() ? List.of() : lsm.stagedValues(label, of, keys);
        found.keys.add(keys);
        found.staged.add(staged);
      }
      return found;
    }

    private void merge() {
      if (!isStill()) {
        fail(Outcome.AGAIN);
        return;
      }
      Merge merge = new Merge(this::mergedAll, this::failed);
      writes.passing(
          () -> {
            for (int i = 0; i < all.size(); i++) {
              merge(all.get(i), here.get(i), merge);
            }
          });
      merge.one();
    }

    private void merge(Arrived arrived, Here found, Merge merge) {
      for (int family = 0; family < Store.DATA_FAMILIES; family++) {
        List<byte[]> keys = found.keys.get(family);
        for (int i = 0; i < keys.size(); i++) {
          assert CoverageMarks.reach(CoreMark.SNAPSHOT_MERGED);
          if (context.planted() == PlantedBug.SNAPSHOT_UNMERGED) {
            continue;
          }
          merge.begin();
          byte[] staged = found.staged.get(family).get(i);
          new MergedRecord(writes, keyspaces, arrived.snapshot, arrived.agreed)
              .store(keys.get(i), staged, found.replaced, merge);
        }
      }
    }

    private void mergedAll() {
      if (ended) {
        return;
      }
      // What was just merged has its rows in the log of dots from here on.
      store.journal().endGroup(context.physicalMillis());
      job(
          this,
          () -> {
            List<Row> rows = new ArrayList<>();
            long[] room = {2 * MAX_KEPT_BYTES};
            for (Arrived each : all) {
              for (int family = 0; family < store.snapshotFamilies().size(); family++) {
                int of = family;
                if (each.snapshot.has(family)) {
                  each.snapshot.forEachRow(
                      family,
                      (key, value) -> {
                        rows.add(new Row(of, key.clone(), value.clone()));
                        spend(room, key.length + value.length);
                      });
                }
              }
            }
            return rows;
          },
          rows -> {
            kept = java.util.Objects.requireNonNull(rows);
            stageCounts();
          });
    }

    private static void spend(long[] room, long bytes) throws IOException {
      room[0] -= bytes;
      if (room[0] < 0) {
        throw new IOException("too much was written beside a snapshot");
      }
    }

    /// The row of each partition that says what holds once its rows are readable.
    private void stageCounts() {
      if (!isStill()) {
        fail(Outcome.AGAIN);
        return;
      }
      TreeMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);
      for (int i = 0; i < all.size(); i++) {
        ArrivingSnapshot snapshot = all.get(i).snapshot;
        rows.put(Rows.installed(snapshot.partition), MetaRows.encoded(installed(i)));
      }
      String path = files.nextPath();
      job(
          this,
          () -> {
            try (TableFileWriter out = files.create(path, FamilyOptions.DEFAULT)) {
              for (var each : rows.entrySet()) {
                out.put(each.getKey(), each.getValue());
              }
              out.finish();
            }
            lsm.stage(label, store.records().meta(), List.of(path), Staging.LINK);
            files.deleteQuietly(path);
            return true;
          },
          done -> mark());
    }

    /// What holds of a partition: it counts what is here, and of the snapshot what is not here.
    private MetaRows.Installed installed(int number) {
      ArrivingSnapshot snapshot = all.get(number).snapshot;
      PartitionRecords now = snapshot.partition.records();
      PartitionRecords counts = now.blank();
      for (int keyspace : now.keyspaces()) {
        counts.count(keyspace, now.keys(keyspace), now.expiring(keyspace), now.bytes(keyspace));
      }
      snapshot
          .figures()
          .forEach(
              (keyspace, all) -> {
                ArrivingSnapshot.Figures replaced =
                    here.get(number).replaced.getOrDefault(keyspace, ArrivingSnapshot.Figures.NONE);
                ArrivingSnapshot.Figures rest = all.plus(replaced, -1);
                counts.count(keyspace, rest.keys(), rest.expiring(), rest.bytes());
              });
      return new MetaRows.Installed(
          snapshot.admission,
          snapshot.clock(),
          snapshot.trimmed(),
          snapshot.floor(),
          snapshot.stamp(),
          counts);
    }

    // ---- the replacement

    private void mark() {
      if (!isStill() || ++marks > MAX_MARKS) {
        fail(Outcome.AGAIN);
        return;
      }
      if (replacement == null) {
        replacement = lsm.replacement(label, ranges());
      }
      Replacement next = java.util.Objects.requireNonNull(replacement);
      next.mark();
      poll(next::isMarked, this::append);
    }

    private List<KeyRange> ranges() {
      List<KeyRange> ranges = new ArrayList<>();
      List<ColumnFamily> families = store.snapshotFamilies();
      for (Arrived each : all) {
        for (int family = 0; family < families.size(); family++) {
          if (each.snapshot.has(family)) {
            PartitionRecords of = each.snapshot.partition.records();
            ranges.add(new KeyRange(families.get(family), of.first(), of.end()));
          }
        }
      }
      ranges.add(new KeyRange(store.records().meta(), Rows.INSTALLED_FIRST, Rows.INSTALLED_END));
      return ranges;
    }

    private void append() {
      WriteBatch again = new WriteBatch();
      for (Row row : kept) {
        again.put(store.snapshotFamilies().get(row.family), row.key, row.value);
      }
      removed().forEach(row -> again.delete(store.snapshotFamilies().get(row.family), row.key));
      if (again.entries() > 0 && context.planted() != PlantedBug.SNAPSHOT_REPLACES_WRITES) {
        lsm.append(again);
      }
      writes.whenDurable(Durability.SYNC, this::commit);
    }

    /// Keys that the snapshot has and whose records are gone here, now that both were merged.
    private List<Row> removed() {
      TreeSet<byte[]> present = new TreeSet<>(Arrays::compareUnsigned);
      for (Row row : kept) {
        if (row.family < Store.DATA_FAMILIES) {
          present.add(row.key);
        }
      }
      List<Row> gone = new ArrayList<>();
      for (Here each : here) {
        for (int family = 0; family < Store.DATA_FAMILIES; family++) {
          List<byte[]> keys = each.keys.get(family);
          for (int i = 0; i < keys.size(); i++) {
            byte[] staged = each.staged.get(family).get(i);
            if (staged != null && !present.contains(keys.get(i))) {
              gone.add(new Row(family, keys.get(i), staged));
            }
          }
        }
      }
      return gone;
    }

    private void commit() {
      if (ended) {
        return;
      }
      if (!isStill()) {
        fail(Outcome.AGAIN);
        return;
      }
      Replacement now = java.util.Objects.requireNonNull(replacement);
      committing = true;
      job(
          this,
          now::commit,
          done -> {
            if (Boolean.TRUE.equals(done)) {
              end();
            } else {
              committing = false;
              mark();
            }
          });
    }

    private void end() {
      WriteBatch batch = new WriteBatch();
      store.journal().endGroup(context.physicalMillis());
      List<Arrived> installed = new ArrayList<>();
      for (int i = 0; i < all.size(); i++) {
        Partition partition = all.get(i).snapshot.partition;
        if (all.get(i).snapshot.isFor()) {
          store.installed(partition, installed(i), batch);
          installed.add(all.get(i));
        } else {
          // It is of another admission, or of nobody: nothing was written to it since.
          store.notInstalled(partition, batch);
        }
      }
      store.journal().writeRows(batch, context.physicalMillis());
      long sequence = lsm.append(batch);
      for (Arrived each : installed) {
        assert CoverageMarks.reach(CoreMark.SNAPSHOT_INSTALLED);
        each.snapshot.partition.floorWritten(sequence);
      }
      writes.whenDurable(Durability.SYNC, () -> {});
      together = MAX_TOGETHER;
      letGo();
      for (Arrived each : all) {
        each.done.accept(installed.contains(each) ? Outcome.INSTALLED : Outcome.AGAIN);
      }
      beginNext();
    }

    private void letGo() {
      ended = true;
      underWay = null;
      if (replacement != null) {
        replacement.close();
      }
      List<Partition> free = List.copyOf(parked);
      parked.clear();
      all.forEach(each -> each.snapshot.partition.arriving(false));
      free.forEach(writes::unpark);
    }

    /// It cannot be done: of several, each is tried alone before pages are asked for.
    void failed() {
      if (committing) {
        giveUpEdit();
      } else {
        fail(all.size() > 1 ? Outcome.AGAIN : Outcome.REFUSED);
      }
    }

    /// The edit failed, and an opening may find it all the same until another one follows. So
    /// nothing is written to the partitions before one has: where the opening finds it, nothing is
    /// missing from it.
    private void giveUpEdit() {
      loop.<Boolean>offload(
          () -> {
            lsm.abandonStaged(label);
            return true;
          },
          (done, failure) -> {
            if (failure == null) {
              fail(Outcome.AGAIN);
            } else {
              loop.schedule(RETRY_NANOS, this::giveUpEdit);
            }
          });
    }

    /// Nothing has changed.
    void fail(Outcome why) {
      if (ended) {
        return;
      }
      together = 1;
      letGo();
      loop.<Boolean>offload(
          () -> {
            all.forEach(each -> each.snapshot.discard());
            lsm.abandonStaged(label);
            return true;
          },
          (done, failure) -> {
            // What is still staged takes room until the next start.
            all.forEach(each -> each.done.accept(why));
            beginNext();
          });
    }
  }

  /// Counts the records that are being merged.
  static final class Merge {
    private final Runnable done;
    private final Runnable failed;
    private int left = 1;

    Merge(Runnable done, Runnable failed) {
      this.done = done;
      this.failed = failed;
    }

    void begin() {
      left++;
    }

    void one() {
      if (--left == 0) {
        done.run();
      }
    }

    void refused() {
      failed.run();
    }
  }
}
