package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A set of dots: per minting replica the runs of counters in it. It is what a replica of a group
/// has stored (its *clock*) and what a write replaces (its *causal context*).
///
/// A run-length form of the base-and-bitmap clock of Gonçalves et al., "Concise Server-Wide
/// Causality Management" (2015): the first run that starts at 1 is the base. Runs per minting
/// replica are bounded by [#MAX_RUNS]; past the bound the shortest is forgotten, which claims too
/// little and never too much: repair then ships again what was there.
///
/// Encoded: varint replicas; each u32 replica id, varint runs, per run varint gap since the end of
/// the run before, varint length.
public final class DotSet implements DotView {
  /// Runs kept for each minting replica.
  public static final int MAX_RUNS = 1024;

  /// Minting replicas of one set; bytes that say more are refused.
  private static final int MAX_REPLICAS = 4096;

  private final List<Entry> entries = new ArrayList<>(4);

  /// Runs `[starts[i], ends[i]]`, sorted, disjoint and not adjacent.
  private static final class Entry {
    final int replica;
    long[] starts = new long[2];
    long[] ends = new long[2];
    int runs;

    Entry(int replica) {
      this.replica = replica;
    }

    /// Whether a run is one, and lies behind the run before and before the next one, touching none.
    boolean isApart(int run) {
      return starts[run] <= ends[run]
          && (run == 0 || ends[run - 1] + 1 < starts[run])
          && (run == runs - 1 || ends[run] + 1 < starts[run + 1]);
    }

    /// The first run that ends at or after a counter.
    int seek(long counter) {
      if (runs > 0 && ends[runs - 1] < counter) {
        return runs;
      }
      int low = 0;
      int high = runs - 1;
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (ends[middle] < counter) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low;
    }
  }

  /// Told of each run of a set, in order of counters within a replica.
  public interface Runs {
    void run(int replica, long from, long to);
  }

  /// Notes a dot; false if it was noted before.
  public boolean add(int replica, long counter) {
    Entry entry = entry(replica);
    int last = entry.runs - 1;
    if (last >= 0 && counter == entry.ends[last] + 1) {
      entry.ends[last] = counter;
      return true;
    }
    return addRun(entry, counter, counter);
  }

  /// Notes the dots of a replica from one counter to another, both included.
  public void addRun(int replica, long from, long to) {
    if (from <= to) {
      addRun(entry(replica), from, to);
    }
  }

  /// Whether it changed anything.
  private static boolean addRun(Entry entry, long from, long to) {
    int first = entry.seek(from - 1);
    if (first < entry.runs && entry.starts[first] <= from && entry.ends[first] >= to) {
      return false;
    }
    int next = first;
    long start = from;
    long end = to;
    while (next < entry.runs && entry.starts[next] <= to + 1) {
      start = Math.min(start, entry.starts[next]);
      end = Math.max(end, entry.ends[next]);
      next++;
    }
    if (next == first) {
      insert(entry, first, start, end);
    } else {
      entry.starts[first] = start;
      entry.ends[first] = end;
      remove(entry, first + 1, next - first - 1);
    }
    assert entry.isApart(Math.min(first, entry.runs - 1)) && entry.runs <= MAX_RUNS;
    return true;
  }

  /// Forgets all dots.
  public void clear() {
    entries.clear();
  }

  /// Notes all dots of another set.
  public void addAll(DotView other) {
    other.forEach(this::addRun);
  }

  /// Notes all dots of another set, and rather than to forget some, past the bound of runs, also
  /// those between two runs that are close to each other.
  public void addAllWidely(DotView other) {
    other.forEach(
        (replica, from, to) -> {
          Entry entry = entry(replica);
          if (entry.runs == MAX_RUNS) {
            closeSmallestGap(entry);
          }
          addRun(entry, from, to);
        });
  }

  private static void closeSmallestGap(Entry entry) {
    int smallest = 1;
    for (int i = 2; i < entry.runs; i++) {
      long gap = entry.starts[i] - entry.ends[i - 1];
      if (gap < entry.starts[smallest] - entry.ends[smallest - 1]) {
        smallest = i;
      }
    }
    entry.ends[smallest - 1] = entry.ends[smallest];
    remove(entry, smallest, 1);
    assert entry.isApart(smallest - 1);
  }

  @Override
  public boolean contains(int replica, long counter) {
    for (int e = 0; e < entries.size(); e++) {
      Entry entry = entries.get(e);
      if (entry.replica == replica) {
        int at = entry.seek(counter);
        return at < entry.runs && entry.starts[at] <= counter;
      }
    }
    return false;
  }

  @Override
  public boolean covers(DotView other) {
    for (Entry entry : ((DotSet) other).entries) {
      Entry mine = find(entry.replica);
      for (int i = 0; i < entry.runs; i++) {
        int at = mine == null ? 0 : mine.seek(entry.starts[i]);
        boolean covered =
            mine != null
                && at < mine.runs
                && mine.starts[at] <= entry.starts[i]
                && entry.ends[i] <= mine.ends[at];
        if (!covered) {
          return false;
        }
      }
    }
    return true;
  }

  @Override
  public DotSet minus(DotView other) {
    DotSet left = new DotSet();
    for (Entry entry : entries) {
      Entry against = ((DotSet) other).find(entry.replica);
      for (int i = 0; i < entry.runs; i++) {
        left.addUncovered(entry.replica, entry.starts[i], entry.ends[i], against);
      }
    }
    return left;
  }

  private void addUncovered(int replica, long from, long to, @Nullable Entry against) {
    long start = from;
    int at = against == null ? 0 : against.seek(from);
    while (against != null && at < against.runs && against.starts[at] <= to) {
      addRun(replica, start, against.starts[at] - 1);
      start = against.ends[at] + 1;
      at++;
    }
    addRun(replica, start, to);
  }

  @Override
  public DotSet and(DotView other) {
    DotSet both = new DotSet();
    for (Entry entry : entries) {
      Entry against = ((DotSet) other).find(entry.replica);
      for (int i = 0; against != null && i < entry.runs; i++) {
        int at = against.seek(entry.starts[i]);
        for (; at < against.runs && against.starts[at] <= entry.ends[i]; at++) {
          both.addRun(
              entry.replica,
              Math.max(entry.starts[i], against.starts[at]),
              Math.min(entry.ends[i], against.ends[at]));
        }
      }
    }
    return both;
  }

  @Override
  public boolean isEmpty() {
    for (Entry entry : entries) {
      if (entry.runs > 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int runs() {
    int runs = 0;
    for (Entry entry : entries) {
      runs += entry.runs;
    }
    return runs;
  }

  @Override
  public long size() {
    long[] size = {0};
    forEach((replica, from, to) -> size[0] += to - from + 1);
    return size[0];
  }

  @Override
  public void forEach(Runs told) {
    for (Entry entry : entries) {
      for (int i = 0; i < entry.runs; i++) {
        told.run(entry.replica, entry.starts[i], entry.ends[i]);
      }
    }
  }

  @Override
  public DotSet copy() {
    DotSet copy = new DotSet();
    for (Entry entry : entries) {
      Entry same = new Entry(entry.replica);
      same.starts = entry.starts.clone();
      same.ends = entry.ends.clone();
      same.runs = entry.runs;
      copy.entries.add(same);
    }
    return copy;
  }

  @Override
  public long highest(int replica) {
    Entry entry = find(replica);
    return entry == null || entry.runs == 0 ? 0 : entry.ends[entry.runs - 1];
  }

  @Override
  public void encode(ByteWriter out) {
    out.writeVarInt(entries.size());
    for (Entry entry : entries) {
      out.writeInt(entry.replica).writeVarInt(entry.runs);
      long end = 0;
      for (int i = 0; i < entry.runs; i++) {
        out.writeVarLong(entry.starts[i] - end).writeVarLong(entry.ends[i] - entry.starts[i] + 1);
        end = entry.ends[i];
      }
    }
  }

  @Override
  public byte[] encoded() {
    ByteWriter out = new ByteWriter();
    encode(out);
    return out.toByteArray();
  }

  /// @throws DecodeException if the bytes are no set
  public static DotSet decode(ByteReader in) {
    DotSet set = new DotSet();
    int replicas = in.readLength();
    if (replicas > MAX_REPLICAS) {
      throw new DecodeException("a set of dots of " + replicas + " replicas");
    }
    for (int r = 0; r < replicas; r++) {
      int replica = in.readInt();
      if (replica == 0 || set.find(replica) != null) {
        throw new DecodeException(
            "a set of dots that names replica %08x, or names it twice".formatted(replica));
      }
      Entry entry = new Entry(replica);
      set.entries.add(entry);
      int runs = in.readLength();
      if (runs > MAX_RUNS) {
        throw new DecodeException("a set of dots of " + runs + " runs");
      }
      long end = 0;
      for (int i = 0; i < runs; i++) {
        long start = end + in.readVarLong();
        long length = in.readVarLong();
        boolean beyond = length > Rank.MAX_COUNTER || start > Rank.MAX_COUNTER - length;
        boolean apart = i == 0 ? start > 0 : start > end + 1;
        if (!apart || length <= 0 || beyond) {
          throw new DecodeException("a set of dots whose runs overlap or touch");
        }
        end = start + length - 1;
        append(entry, start, end);
      }
    }
    return set;
  }

  private @Nullable Entry find(int replica) {
    for (int i = 0; i < entries.size(); i++) {
      if (entries.get(i).replica == replica) {
        return entries.get(i);
      }
    }
    return null;
  }

  private Entry entry(int replica) {
    Entry entry = find(replica);
    if (entry == null) {
      entry = new Entry(replica);
      entries.add(entry);
    }
    return entry;
  }

  private static void append(Entry entry, long start, long end) {
    grow(entry);
    entry.starts[entry.runs] = start;
    entry.ends[entry.runs++] = end;
  }

  private static void insert(Entry entry, int at, long start, long end) {
    grow(entry);
    System.arraycopy(entry.starts, at, entry.starts, at + 1, entry.runs - at);
    System.arraycopy(entry.ends, at, entry.ends, at + 1, entry.runs - at);
    entry.starts[at] = start;
    entry.ends[at] = end;
    entry.runs++;
    if (entry.runs > MAX_RUNS) {
      int shortest = 1;
      for (int i = 2; i < entry.runs - 1; i++) {
        if (entry.ends[i] - entry.starts[i] < entry.ends[shortest] - entry.starts[shortest]) {
          shortest = i;
        }
      }
      remove(entry, shortest, 1);
    }
  }

  private static void remove(Entry entry, int at, int count) {
    int after = at + count;
    System.arraycopy(entry.starts, after, entry.starts, at, entry.runs - after);
    System.arraycopy(entry.ends, after, entry.ends, at, entry.runs - after);
    entry.runs -= count;
  }

  private static void grow(Entry entry) {
    if (entry.runs == entry.starts.length) {
      entry.starts = java.util.Arrays.copyOf(entry.starts, entry.runs * 2);
      entry.ends = java.util.Arrays.copyOf(entry.ends, entry.runs * 2);
    }
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("{");
    forEach(
        (replica, from, to) ->
            text.append(text.length() > 1 ? ", " : "")
                .append("%08x:%d-%d".formatted(replica, from, to)));
    return text.append('}').toString();
  }
}
