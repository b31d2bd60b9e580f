package dev.tern.lsm.compaction;

import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.Table;
import dev.tern.lsm.table.TableProperties;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Decides what is merged next. Pure: looks at the tables of a family and says what to do.
///
/// Leveled: the last level is as large as the data; each level above has a tenth of it, down to
/// [#baseBytes], and level 0 is merged into the first level that has a size (dynamic level sizes:
/// Dong et al., 2017, section 4). The level that is most over its size goes first, in it the table
/// that moves the least of the next level. Where nothing is over its size, tables that are mostly
/// deletions, that iterators found full of dead entries, or that have expired are merged down.
public final class CompactionPicker {
  /// Tables of level 0 that are worth a merge.
  public static final int YOUNG_TABLES = 4;

  /// Most tables of level 0 in one merge.
  private static final int MAX_YOUNG_INPUTS = 24;

  private static final int LEVEL_RATIO = 10;

  /// Tables of similar size, adjacent in age, that are worth a merge.
  private static final int TIER = 4;

  /// How much larger the largest of a tier may be than its smallest.
  private static final int SIMILAR = 4;

  private static final double DENSE = 0.5;
  private static final long LEAST_DELETES = 64;

  /// Dead entries that iterators stepped over in a table before it is merged for that.
  public static final int MANY_SKIPS = 4096;

  private final long baseBytes;

  public CompactionPicker(long memtableBytes) {
    this.baseBytes = 4 * memtableBytes;
  }

  /// What to merge.
  ///
  /// @param family the number of the column family
  /// @param inputs tables to be read, the newest first
  /// @param output the level the result belongs to
  /// @param last whether no older table has keys of the range
  /// @param drop nothing is written: the inputs go
  public record Plan(
      int family, List<Table> inputs, int output, boolean last, boolean drop, String why) {

    /// Whether a single table can change its level as it is.
    public boolean isMove() {
      return inputs.size() == 1 && output > 0 && !drop && !why.equals(REWRITE);
    }
  }

  static final String REWRITE = "rewrite";

  /// What a size-tiered family needs most; null if nothing.
  ///
  /// @param oldestSnapshot no snapshot sees less; `Long.MAX_VALUE` if there is none
  public static @Nullable Plan tiered(
      int family, Levels levels, long wallMillis, long oldestSnapshot) {
    Plan plan = tiered(family, levels, true);
    return plan == null ? expired(family, levels, wallMillis, oldestSnapshot) : plan;
  }

  /// A table of level 0 that takes less room when it is written anew in its place, the oldest such:
  /// its values have expired, or it has nothing but deletions and is the oldest of all. Null if
  /// there is none.
  ///
  /// @param oldestSnapshot no snapshot sees less; `Long.MAX_VALUE` if there is none
  public static @Nullable Plan expired(
      int family, Levels levels, long wallMillis, long oldestSnapshot) {
    Table[] tables = levels.level(0);
    for (int i = tables.length - 1; i >= 0; i--) {
      TableProperties properties = tables[i].properties;
      boolean oldest = i == tables.length - 1;
      boolean needless =
          oldest
              && properties.deletes() == properties.entries()
              && properties.largestSequence() <= oldestSnapshot;
      if (!tables[i].isBusy() && (needless || isExpired(properties, wallMillis))) {
        return new Plan(family, List.of(tables[i]), 0, oldest, false, REWRITE);
      }
    }
    return null;
  }

  private static boolean isExpired(TableProperties properties, long wallMillis) {
    return properties.lastExpiry() > 0 && properties.lastExpiry() <= wallMillis;
  }

  /// The tables that a FIFO family drops; null if none.
  ///
  /// @param ttlMillis tables that are older go; 0 for none
  /// @param maxBytes the oldest tables go until the family is no larger; 0 for no bound
  public static @Nullable Plan fifo(
      int family, Levels levels, long wallMillis, long ttlMillis, long maxBytes) {
    Table[] tables = levels.level(0);
    long bytes = levels.bytes(0);
    List<Table> gone = new ArrayList<>();
    for (int i = tables.length - 1; i >= 0; i--) {
      TableProperties properties = tables[i].properties;
      boolean old = ttlMillis > 0 && wallMillis - properties.createdMillis() >= ttlMillis;
      boolean over = maxBytes > 0 && bytes > maxBytes;
      if (!old && !over) {
        break;
      }
      gone.add(0, tables[i]);
      bytes -= tables[i].sizeBytes;
    }
    boolean busy = gone.stream().anyMatch(table -> table.isCompacting());
    return gone.isEmpty() || busy ? null : new Plan(family, gone, 0, true, true, "drop");
  }

  /// The tables that deleted ranges cover and no snapshot sees; null if there is none. They need
  /// not be read, not even if they cannot be.
  ///
  /// @param snapshots the sequences that open snapshots see; taken when the levels could not change
  ///   any more
  public static @Nullable Plan covered(int family, Levels levels, long[] snapshots) {
    List<Table> gone = new ArrayList<>();
    for (Levels.Covered each : levels.covered()) {
      long smallest = each.table().properties.smallestSequence();
      boolean seen =
          Arrays.stream(snapshots).anyMatch(at -> at >= smallest && at < each.deletedAt());
      if (!seen && !each.table().isCompacting()) {
        gone.add(each.table());
      }
    }
    return gone.isEmpty() ? null : new Plan(family, gone, 0, true, true, "deleted range");
  }

  /// A run of at least [#TIER] adjacent tables of similar size, the youngest such.
  ///
  /// @param oldest whether level 0 holds all that there is
  private static @Nullable Plan tiered(int family, Levels levels, boolean oldest) {
    Table[] tables = levels.level(0);
    for (int start = 0; start + TIER <= tables.length; start++) {
      long least = Long.MAX_VALUE;
      long most = 0;
      int end = start;
      while (end < tables.length && !tables[end].isBusy()) {
        long size = tables[end].sizeBytes;
        if (Math.max(most, size) > SIMILAR * Math.max(4096, Math.min(least, size))) {
          break;
        }
        least = Math.min(least, size);
        most = Math.max(most, size);
        end++;
      }
      if (end - start >= TIER) {
        List<Table> run = List.of(Arrays.copyOfRange(tables, start, end));
        return new Plan(family, run, 0, oldest && end == tables.length, false, "tier");
      }
    }
    return null;
  }

  /// By level: the size it should have; 0 for those above the first that has one.
  long[] targets(Levels levels) {
    long[] targets = new long[Levels.COUNT];
    long size = baseBytes;
    for (int level = 1; level < Levels.COUNT; level++) {
      size = Math.max(size, levels.bytes(level));
    }
    int level = Levels.LAST;
    for (; level > 1 && size > baseBytes; level--) {
      targets[level] = size;
      size /= LEVEL_RATIO;
    }
    targets[level] = Math.max(size, baseBytes / LEVEL_RATIO);
    if (level == Levels.LAST) {
      targets[level] = baseBytes;
    }
    return targets;
  }

  public long baseBytes() {
    return baseBytes;
  }

  /// Bytes by which levels below 0 exceed the sizes they should have.
  public long debt(Levels levels) {
    long[] targets = targets(levels);
    long debt = 0;
    for (int level = 1; level < Levels.LAST; level++) {
      debt += Math.max(0, levels.bytes(level) - targets[level]);
    }
    return debt;
  }

  /// The level that level 0 is merged into: no level above it has tables.
  private static int firstLevel(Levels levels, long[] targets) {
    for (int level = 1; level < Levels.COUNT; level++) {
      if (targets[level] > 0 || levels.level(level).length > 0) {
        return level;
      }
    }
    return Levels.LAST;
  }

  /// What a leveled family needs most; null if nothing.
  ///
  /// @param oldestSnapshot no snapshot sees less; `Long.MAX_VALUE` if there is none
  public @Nullable Plan leveled(int family, Levels levels, long wallMillis, long oldestSnapshot) {
    long[] targets = targets(levels);
    int first = firstLevel(levels, targets);
    List<Integer> order = new ArrayList<>();
    double[] scores = new double[Levels.COUNT];
    for (int level = 0; level < Levels.LAST; level++) {
      scores[level] = score(levels, level, targets);
      if (scores[level] >= 1) {
        order.add(level);
      }
    }
    order.sort(Comparator.comparingDouble(level -> -scores[level]));
    for (int level : order) {
      Plan plan = level == 0 ? young(family, levels, first, "young") : down(family, levels, level);
      if (plan != null) {
        return plan;
      }
    }
    return dense(family, levels, first, wallMillis, oldestSnapshot);
  }

  private static double score(Levels levels, int level, long[] targets) {
    long bytes = 0;
    int idle = 0;
    boolean merging = false;
    for (Table table : levels.level(level)) {
      merging |= table.isCompacting();
      if (!table.isBusy()) {
        bytes += table.sizeBytes;
        idle++;
      }
    }
    if (level == 0) {
      return merging ? 0 : (double) idle / YOUNG_TABLES;
    }
    return bytes == 0 ? 0 : (double) bytes / Math.max(1, targets[level]);
  }

  /// The oldest tables of level 0. What is newer than a table that is set aside stays above it, as
  /// a reader looks at level 0 first; so does all while one is set aside below. It is then merged
  /// within level 0, so that its tables stay few.
  private static @Nullable Plan young(int family, Levels levels, int output, String why) {
    Table[] young = levels.level(0);
    int from = young.length;
    while (from > Math.max(0, young.length - MAX_YOUNG_INPUTS) && !young[from - 1].isAside()) {
      from--;
    }
    List<Table> inputs = List.of(Arrays.copyOfRange(young, from, young.length));
    Plan plan = inputs.isEmpty() ? null : plan(family, levels, inputs, output, why);
    boolean held =
        plan == null
            && (Arrays.stream(young).anyMatch(table -> table.isAside())
                || Arrays.stream(levels.level(output)).anyMatch(table -> table.isAside()));
    return held ? tiered(family, levels, false) : plan;
  }

  private static @Nullable Plan plan(
      int family, Levels levels, List<Table> inputs, int output, String why) {
    byte[] smallest = inputs.getFirst().properties.smallest();
    byte[] upper = inputs.getFirst().properties.upper();
    for (Table table : inputs) {
      TableProperties properties = table.properties;
      smallest =
          Keys.compare(properties.smallest(), smallest) < 0 ? properties.smallest() : smallest;
      upper = Keys.compare(properties.upper(), upper) > 0 ? properties.upper() : upper;
    }
    List<Table> all = new ArrayList<>(inputs);
    if (!inputs.stream().allMatch(Arrays.asList(levels.level(output))::contains)) {
      all.addAll(levels.overlapping(output, smallest, upper));
    }
    boolean last = true;
    for (int below = output + 1; below < Levels.COUNT; below++) {
      last &= levels.overlapping(below, smallest, upper).isEmpty();
    }
    boolean busy = all.stream().anyMatch(Table::isBusy);
    return busy ? null : new Plan(family, List.copyOf(all), output, last, false, why);
  }

  /// The table of a level that moves the least of the next one, for its size.
  private static @Nullable Plan down(int family, Levels levels, int level) {
    List<Table> candidates = new ArrayList<>();
    for (Table table : levels.level(level)) {
      if (!table.isBusy()) {
        candidates.add(table);
      }
    }
    double[] best = {Double.MAX_VALUE};
    Plan chosen = null;
    for (Table table : candidates) {
      TableProperties properties = table.properties;
      long moved = 0;
      for (Table other : levels.overlapping(level + 1, properties.smallest(), properties.upper())) {
        moved += other.sizeBytes;
      }
      double cost = (1 - properties.deleteDensity() / 2) * moved / table.sizeBytes;
      if (cost < best[0]) {
        Plan plan = plan(family, levels, List.of(table), level + 1, "size");
        if (plan != null) {
          best[0] = cost;
          chosen = plan;
        }
      }
    }
    return chosen;
  }

  private static @Nullable Plan dense(
      int family, Levels levels, int first, long wallMillis, long oldestSnapshot) {
    for (int level = 0; level < Levels.COUNT; level++) {
      for (Table table : levels.level(level)) {
        TableProperties properties = table.properties;
        boolean deletes =
            properties.deletes() >= LEAST_DELETES && properties.deleteDensity() >= DENSE
                || properties.rangeDeletes() > 0 && properties.entries() == 0;
        boolean expired = isExpired(properties, wallMillis);
        boolean skipped = table.skips.get() >= MANY_SKIPS && properties.deletes() > 0;
        if (table.isBusy() || !deletes && !expired && !skipped) {
          continue;
        }
        Plan plan = null;
        if (level == 0) {
          boolean idle = Arrays.stream(levels.level(0)).noneMatch(each -> each.isCompacting());
          plan = idle ? young(family, levels, first, REWRITE) : null;
        } else if (below(levels, level)) {
          plan = plan(family, levels, List.of(table), level + 1, REWRITE);
        } else if (properties.largestSequence() <= oldestSnapshot) {
          plan = plan(family, levels, List.of(table), level, REWRITE);
        }
        if (plan != null) {
          return plan;
        }
      }
    }
    return null;
  }

  private static boolean below(Levels levels, int level) {
    for (int below = level + 1; below < Levels.COUNT; below++) {
      if (levels.level(below).length > 0) {
        return true;
      }
    }
    return false;
  }
}
