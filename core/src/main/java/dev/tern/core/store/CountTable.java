package dev.tern.core.store;

import dev.tern.core.keyspace.CountOutcome.Count;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// What the partitions of a store count, for who is not on its loop: the same figures as
/// [PartitionRecords] keeps, by keyspace and number of the partition.
///
/// Threads: written on the shard's loop, read by any. The figures of one partition may be read
/// between two changes of one write.
final class CountTable {
  private static final int FIGURES = 3;
  private static final VarHandle FIGURE = MethodHandles.arrayElementVarHandle(long[].class);

  private final int partitions;

  /// By keyspace id: per partition keys, expiring keys, bytes; null where there are none.
  private volatile long[] @Nullable [] figures = new long[1][];

  CountTable(int partitions) {
    this.partitions = partitions;
  }

  /// On the loop.
  void add(int keyspace, int partition, long keys, long expiring, long bytes) {
    long[] known = of(keyspace);
    if (known == null) {
      known = new long[FIGURES * partitions];
      long[][] all = Arrays.copyOf(figures, Math.max(figures.length, keyspace + 1));
      all[keyspace] = known;
      figures = all;
    }
    add(known, FIGURES * partition, keys);
    add(known, FIGURES * partition + 1, expiring);
    add(known, FIGURES * partition + 2, bytes);
  }

  /// A keyspace that was dropped has no records any more; on the loop.
  void forget(int keyspace) {
    if (of(keyspace) != null) {
      long[][] all = figures.clone();
      all[keyspace] = null;
      figures = all;
    }
  }

  private static void add(long[] known, int at, long delta) {
    if (delta != 0) {
      FIGURE.setOpaque(known, at, known[at] + delta);
    }
  }

  private long @Nullable [] of(int keyspace) {
    long[] @Nullable [] all = figures;
    return keyspace < 0 || keyspace >= all.length ? null : all[keyspace];
  }

  /// What a partition counts, nothing for one that is not there; any thread. A figure that the loss
  /// of records has brought below zero is told as zero.
  Count of(int keyspace, int partition) {
    long[] known = of(keyspace);
    return known == null || partition >= partitions
        ? Count.NONE
        : new Count(
            figure(known, FIGURES * partition),
            figure(known, FIGURES * partition + 1),
            figure(known, FIGURES * partition + 2));
  }

  private static long figure(long[] known, int at) {
    return Math.max(0, (long) FIGURE.getOpaque(known, at));
  }
}
