package dev.tern.lsm.table;

import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Deletions;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.epoch.Epochs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The tables of a column family. Immutable.
///
/// Level 0 holds tables that may overlap, the newest first; of size-tiered and FIFO families it
/// holds all. Tables of the other levels are disjoint and in order of their keys. Of one key, all
/// that a level holds is newer than what the levels below it hold.
public final class Levels {
  public static final int COUNT = 7;
  public static final int LAST = COUNT - 1;
  public static final Levels EMPTY = new Levels(emptyLevels());

  private static final Table[] NONE = {};

  private final Table[][] levels;

  /// What iterators ask of all tables, found once: deleted ranges, and by level the largest
  /// sequence.
  private volatile @Nullable List<Deletions.Part> deletions;

  private volatile long @Nullable [] largest;
  private volatile @Nullable List<Covered> covered;

  private Levels(Table[][] levels) {
    this.levels = levels;
  }

  private static Table[][] emptyLevels() {
    Table[][] levels = new Table[COUNT][];
    Arrays.fill(levels, new Table[0]);
    return levels;
  }

  /// The tables of a level; not to be changed.
  public Table[] level(int level) {
    return levels[level];
  }

  public Levels with(int level, List<Table> tables) {
    assert level == 0 || isSorted(tables) : "tables of level " + level + " overlap";
    Table[][] changed = levels.clone();
    changed[level] = tables.isEmpty() ? NONE : tables.toArray(NONE);
    return new Levels(changed);
  }

  private static boolean isSorted(List<Table> tables) {
    for (int i = 1; i < tables.size(); i++) {
      byte[] end = tables.get(i - 1).properties.upper();
      if (Keys.compare(end, tables.get(i).properties.smallest()) > 0) {
        return false;
      }
    }
    return true;
  }

  /// Without some tables.
  public Levels without(List<Table> gone) {
    Levels changed = this;
    for (int level = 0; level < COUNT; level++) {
      List<Table> left = new ArrayList<>(Arrays.asList(levels[level]));
      if (left.removeAll(gone)) {
        changed = changed.with(level, left);
      }
    }
    return changed;
  }

  /// With new tables in a sorted level.
  public Levels plus(int level, List<Table> added) {
    List<Table> all = new ArrayList<>(Arrays.asList(levels[level]));
    all.addAll(added);
    all.sort((a, b) -> Keys.compare(a.properties.smallest(), b.properties.smallest()));
    for (int i = 1; i < all.size(); i++) {
      if (Keys.compare(all.get(i - 1).properties.upper(), all.get(i).properties.smallest()) > 0) {
        throw new IllegalStateException(
            "tables of level "
                + level
                + " overlap: "
                + all.get(i - 1).path
                + ", "
                + all.get(i).path);
      }
    }
    return with(level, all);
  }

  public List<Table> all() {
    List<Table> all = new ArrayList<>();
    for (Table[] level : levels) {
      all.addAll(Arrays.asList(level));
    }
    return all;
  }

  public long bytes(int level) {
    long bytes = 0;
    for (Table table : levels[level]) {
      bytes += table.sizeBytes;
    }
    return bytes;
  }

  /// A table all of whose keys are in deleted ranges of another table, which are newer than all
  /// that it holds.
  ///
  /// @param deletedAt who sees up to this sequence sees nothing of the table
  public record Covered(Table table, long deletedAt) {}

  /// The tables that deleted ranges cover; found once, without reading a file.
  public List<Covered> covered() {
    List<Covered> found = covered;
    if (found == null) {
      found = new ArrayList<>();
      for (Table deleting : all()) {
        if (!deleting.tombstones.isEmpty()) {
          for (int level = 0; level < COUNT; level++) {
            addCovered(level, deleting, found);
          }
        }
      }
      covered = found;
    }
    return found;
  }

  private void addCovered(int level, Table deleting, List<Covered> to) {
    TableProperties by = deleting.properties;
    List<Table> near =
        level == 0 ? Arrays.asList(levels[0]) : overlapping(level, by.smallest(), by.upper());
    for (Table table : near) {
      TableProperties properties = table.properties;
      long newest = properties.largestSequence();
      if (deleting.tombstones.newestSequence() > newest) {
        long at =
            deleting
                .tombstones
                .fragments()
                .coveringAll(properties.smallest(), properties.upper(), newest);
        if (at > 0 && to.stream().noneMatch(other -> other.table == table)) {
          to.add(new Covered(table, at));
        }
      }
    }
  }

  /// The tables of a sorted level that have something of a range.
  public List<Table> overlapping(int level, byte[] from, byte[] to) {
    List<Table> found = new ArrayList<>();
    Table[] tables = levels[level];
    for (int i = RunCursor.tableAfter(tables, from); i < tables.length; i++) {
      if (Keys.compare(tables[i].properties.smallest(), to) >= 0) {
        break;
      }
      found.add(tables[i]);
    }
    return found;
  }

  /// Looks the lookup's key up in all levels; inside an epoch.
  public int find(BlockLookup lookup) throws java.io.IOException {
    for (Table table : levels[0]) {
      // A table that cannot be read holds up no key outside its bounds.
      int outcome = table.properties.mayHave(lookup.key) ? table.find(lookup) : Lookup.ABSENT;
      if (outcome != Lookup.ABSENT || lookup.covered > 0) {
        return outcome;
      }
    }
    for (int level = 1; level < COUNT; level++) {
      Table[] tables = levels[level];
      int at = tables.length == 0 ? 0 : RunCursor.tableAfter(tables, lookup.key);
      if (at < tables.length && Keys.compare(tables[at].properties.smallest(), lookup.key) <= 0) {
        int outcome = tables[at].find(lookup);
        if (outcome != Lookup.ABSENT || lookup.covered > 0) {
          return outcome;
        }
      }
    }
    return Lookup.ABSENT;
  }

  /// Where deleted ranges are: a part for each table of level 0 that has some, and one for each
  /// other level with such tables.
  public List<Deletions.Part> deletions() {
    List<Deletions.Part> found = deletions;
    if (found == null) {
      found = new ArrayList<>();
      for (int level = 0; level < COUNT; level++) {
        Table[] deleting =
            Arrays.stream(levels[level])
                .filter(table -> !table.tombstones.isEmpty())
                .toArray(Table[]::new);
        if (level == 0) {
          for (Table table : deleting) {
            found.add(table.tombstones::look);
          }
        } else if (deleting.length > 0) {
          found.add((view, key, offset, length) -> look(deleting, view, key, offset, length));
        }
      }
      deletions = found;
    }
    return found;
  }

  /// As [#deletions()], but for the tables of later ingests.
  public List<Deletions.Part> deletions(long generation) {
    return visible(generation).deletions();
  }

  /// Without the tables of later ingests: those that a snapshot of a generation does not see.
  public Levels visible(long generation) {
    List<Table> later = new ArrayList<>();
    if (generation < Long.MAX_VALUE) {
      for (Table table : all()) {
        if (table.generation() > generation) {
          later.add(table);
        }
      }
    }
    return later.isEmpty() ? this : without(later);
  }

  /// In tables of a sorted level: at most one can have ranges with the key.
  private static void look(Table[] tables, Deletions view, byte[] key, int offset, int length) {
    int low = 0;
    int high = tables.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      byte[] upper = tables[middle].properties.upper();
      if (Keys.compare(upper, 0, upper.length, key, offset, length) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    byte[] before = low == 0 ? null : tables[low - 1].properties.upper();
    if (low == tables.length) {
      view.narrow(before, null);
      return;
    }
    byte[] smallest = tables[low].properties.smallest();
    if (Keys.compare(smallest, 0, smallest.length, key, offset, length) > 0) {
      view.narrow(before, smallest);
    } else {
      view.narrow(smallest, tables[low].properties.upper());
      tables[low].tombstones.look(view, key, offset, length);
    }
  }

  private long largest(int level) {
    long[] found = largest;
    if (found == null) {
      found = new long[COUNT];
      for (int i = 1; i < COUNT; i++) {
        found[i] = RunCursor.largestSequence(levels[i]);
      }
      largest = found;
    }
    return found[level];
  }

  /// A cursor for each table of level 0 and for each other level that has some of a range. Tables
  /// outside it are left out, so that none is opened that the caller does not need.
  ///
  /// @param from null for the first key
  /// @param to null for the end
  public void addCursors(
      List<Cursor> cursors,
      Epochs<?> epochs,
      boolean fill,
      byte @Nullable [] from,
      byte @Nullable [] to) {
    for (Table table : levels[0]) {
      TableProperties bounds = table.properties;
      boolean before = from != null && Keys.compare(bounds.upper(), from) <= 0;
      if (!before && (to == null || Keys.compare(bounds.smallest(), to) < 0)) {
        cursors.add(new RunCursor(epochs, new Table[] {table}, fill));
      }
    }
    for (int level = 1; level < COUNT; level++) {
      Table[] tables = levels[level];
      int first = from == null ? 0 : RunCursor.tableAfter(tables, from);
      int end = to == null ? tables.length : Math.max(first, tableFrom(tables, to));
      if (end - first == tables.length && end > first) {
        cursors.add(new RunCursor(epochs, tables, fill, largest(level)));
      } else if (end > first) {
        cursors.add(new RunCursor(epochs, Arrays.copyOfRange(tables, first, end), fill));
      }
    }
  }

  /// The first table that begins at or after a key; their number if there is none.
  private static int tableFrom(Table[] tables, byte[] key) {
    int after = RunCursor.tableAfter(tables, key);
    boolean begun =
        after < tables.length && Keys.compare(tables[after].properties.smallest(), key) < 0;
    return begun ? after + 1 : after;
  }
}
