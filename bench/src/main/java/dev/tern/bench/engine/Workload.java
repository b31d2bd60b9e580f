package dev.tern.bench.engine;

import java.util.EnumSet;
import java.util.Set;

/// What the engines are asked to do, in the order in which it runs.
public enum Workload {
  /// Keys in order into an empty store.
  FILL_SEQUENTIAL("fill-sequential", true, 1, 0),
  /// Uniform keys into an empty store.
  FILL_RANDOM("fill-random", true, 1, 1),
  /// Eight threads, each write on disk before the next.
  SYNCED_PUT("synced-put-8", true, 8, 1),
  /// A queue of which 100,000 entries were taken: seek to its start, take one, add one.
  QUEUE("queue", true, 1, 0),
  /// Uniform keys that are there.
  READ_RANDOM("read-random", false, 1, 2),
  /// The same from two threads.
  READ_RANDOM_2("read-random-2", false, 2, 2),
  /// Keys between those that are there.
  READ_MISSING("read-missing", false, 1, 1),
  /// 16 uniform keys at once.
  MULTI_GET("multiget-16", false, 1, 0),
  /// Seek to a uniform key, read 10 records.
  SEEK_10("seek-10", false, 1, 2),
  /// Seek to a uniform key, read 1000 records.
  SCAN("scan-1000", false, 1, 3),
  /// Seek to a uniform key, read 1000 records backwards.
  REVERSE_SCAN("reverse-scan-1000", false, 1, 0),
  /// Uniform reads beside a thread that overwrites at a fixed rate.
  READ_WHILE_WRITING("read-while-writing", false, 2, 0),
  /// Uniform keys that are there already.
  OVERWRITE("overwrite", false, 1, 1);

  /// Values of this size and more have fewer workloads unless they are asked for.
  static final int LARGE_VALUE_BYTES = 4096;

  private final String label;
  private final boolean fresh;
  private final int lanes;
  private final double target;

  Workload(String label, boolean fresh, int lanes, double target) {
    this.label = label;
    this.fresh = fresh;
    this.lanes = lanes;
    this.target = target;
  }

  /// As said on the command line and in the table.
  public String label() {
    return label;
  }

  /// @throws IllegalArgumentException if there is none
  public static Workload of(String label) {
    for (Workload workload : values()) {
      if (workload.label.equals(label)) {
        return workload;
      }
    }
    throw new IllegalArgumentException("no workload is called " + label);
  }

  /// Those that say something about a size of values.
  static Set<Workload> usual(int valueBytes) {
    return valueBytes < LARGE_VALUE_BYTES
        ? EnumSet.allOf(Workload.class)
        : EnumSet.of(FILL_RANDOM, READ_RANDOM, SEEK_10, OVERWRITE);
  }

  /// Whether it begins with an empty store of its own rather than with the loaded one.
  boolean isFresh() {
    return fresh;
  }

  int lanes() {
    return lanes;
  }

  /// Lanes whose operations count; the others, after them, are there to disturb.
  int measuredLanes() {
    return this == READ_WHILE_WRITING ? 1 : lanes;
  }

  /// The least operations a second beside RocksDB's that storage-engine.md demands; 0 for none.
  ///
  /// @param cached whether all data is in the cache: point reads are only measured then
  double target(boolean cached) {
    boolean point = this == READ_RANDOM || this == READ_RANDOM_2;
    return point && !cached ? 0 : target;
  }

  boolean writes() {
    return fresh || this == OVERWRITE || this == READ_WHILE_WRITING;
  }
}
