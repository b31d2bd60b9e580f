package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.ArrayList;
import java.util.List;

/// Which dots a replica of one group has stored: per minting replica the runs of counters it has.
///
/// A run-length form of the base-and-bitmap clock of Gonçalves et al., "Concise Server-Wide
/// Causality Management" (2015): the first run that starts at 1 is the base. Runs per minting
/// replica are bounded by [#MAX_RUNS]; past the bound the shortest is forgotten, which claims too
/// little and never too much: repair then ships again what was there.
///
/// Encoded: varint replicas; each u32 replica id, varint runs, per run varint gap since the end of
/// the run before, varint length.
public final class ReplicaClock {
  /// Runs kept for each minting replica.
  public static final int MAX_RUNS = 64;

  private final List<Entry> entries = new ArrayList<>();

  /// Runs `[starts[i], ends[i]]`, sorted, disjoint and not adjacent.
  private static final class Entry {
    final int replica;
    long[] starts = new long[2];
    long[] ends = new long[2];
    int runs;

    Entry(int replica) {
      this.replica = replica;
    }
  }

  /// Notes that a dot is stored; false if it was noted before.
  public boolean add(int replica, long counter) {
    Entry entry = entry(replica);
    int last = entry.runs - 1;
    if (last >= 0 && counter == entry.ends[last] + 1) {
      entry.ends[last] = counter;
      return true;
    }
    int i = 0;
    while (i < entry.runs && entry.ends[i] < counter - 1) {
      i++;
    }
    if (i == entry.runs || counter < entry.starts[i] - 1) {
      insert(entry, i, counter);
      return true;
    }
    if (counter >= entry.starts[i] && counter <= entry.ends[i]) {
      return false;
    }
    if (counter < entry.starts[i]) {
      entry.starts[i] = counter;
      return true;
    }
    entry.ends[i] = counter;
    if (i + 1 < entry.runs && entry.starts[i + 1] == counter + 1) {
      entry.ends[i] = entry.ends[i + 1];
      remove(entry, i + 1);
    }
    return true;
  }

  public boolean contains(int replica, long counter) {
    for (Entry entry : entries) {
      if (entry.replica == replica) {
        for (int i = 0; i < entry.runs; i++) {
          if (counter >= entry.starts[i] && counter <= entry.ends[i]) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /// The largest counter noted of a replica, 0 if none.
  public long highest(int replica) {
    for (Entry entry : entries) {
      if (entry.replica == replica) {
        return entry.runs == 0 ? 0 : entry.ends[entry.runs - 1];
      }
    }
    return 0;
  }

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

  public static ReplicaClock decode(ByteReader in) {
    ReplicaClock clock = new ReplicaClock();
    int replicas = in.readLength();
    for (int r = 0; r < replicas; r++) {
      Entry entry = clock.entry(in.readInt());
      int runs = in.readLength();
      if (runs > MAX_RUNS) {
        throw new DecodeException("a clock of " + runs + " runs");
      }
      long end = 0;
      for (int i = 0; i < runs; i++) {
        long start = end + in.readVarLong();
        end = start + in.readVarLong() - 1;
        if (start <= 0 || end < start) {
          throw new DecodeException("a clock whose runs overlap");
        }
        append(entry, start, end);
      }
    }
    return clock;
  }

  private Entry entry(int replica) {
    for (int i = 0; i < entries.size(); i++) {
      if (entries.get(i).replica == replica) {
        return entries.get(i);
      }
    }
    Entry entry = new Entry(replica);
    entries.add(entry);
    return entry;
  }

  private static void append(Entry entry, long start, long end) {
    grow(entry);
    entry.starts[entry.runs] = start;
    entry.ends[entry.runs++] = end;
  }

  private static void insert(Entry entry, int at, long counter) {
    grow(entry);
    System.arraycopy(entry.starts, at, entry.starts, at + 1, entry.runs - at);
    System.arraycopy(entry.ends, at, entry.ends, at + 1, entry.runs - at);
    entry.starts[at] = counter;
    entry.ends[at] = counter;
    entry.runs++;
    if (entry.runs > MAX_RUNS) {
      int shortest = 1;
      for (int i = 2; i < entry.runs - 1; i++) {
        if (entry.ends[i] - entry.starts[i] < entry.ends[shortest] - entry.starts[shortest]) {
          shortest = i;
        }
      }
      remove(entry, shortest);
    }
  }

  private static void remove(Entry entry, int at) {
    System.arraycopy(entry.starts, at + 1, entry.starts, at, entry.runs - at - 1);
    System.arraycopy(entry.ends, at + 1, entry.ends, at, entry.runs - at - 1);
    entry.runs--;
  }

  private static void grow(Entry entry) {
    if (entry.runs == entry.starts.length) {
      entry.starts = java.util.Arrays.copyOf(entry.starts, entry.runs * 2);
      entry.ends = java.util.Arrays.copyOf(entry.ends, entry.runs * 2);
    }
  }
}
