package dev.tern.core.replica;

import java.util.Arrays;

/// The dots that a store has and its disk does not yet: in order of their sequences, each goes to
/// its partition's synced clock when the disk has it. A ring that grows to what the engine lets lie
/// unforced.
final class Unsynced {
  private Partition[] partitions = new Partition[256];
  private int[] replicas = new int[256];

  /// Per entry: sequence, first counter, last counter; a last counter of 0 is a run of nothing.
  private long[] numbers = new long[3 * 256];

  /// At five calls a second: what is not forced for its own sake is forced after a second, for
  /// others to be told of it.
  private static final int STALE_CALLS = 5;

  private long oldest;
  private int calls;
  private int first;
  private int size;

  void add(long sequence, Partition partition, int replica, long from, long to) {
    if (size == partitions.length) {
      grow();
    }
    int at = (first + size) & (partitions.length - 1);
    partitions[at] = partition;
    replicas[at] = replica;
    numbers[3 * at] = sequence;
    numbers[3 * at + 1] = from;
    numbers[3 * at + 2] = to;
    size++;
  }

  private void grow() {
    int length = partitions.length;
    Partition[] more = Arrays.copyOf(partitions, 2 * length);
    int[] moreReplicas = new int[2 * length];
    long[] moreNumbers = new long[6 * length];
    for (int i = 0; i < size; i++) {
      int at = (first + i) & (length - 1);
      more[i] = partitions[at];
      moreReplicas[i] = replicas[at];
      System.arraycopy(numbers, 3 * at, moreNumbers, 3 * i, 3);
    }
    partitions = more;
    replicas = moreReplicas;
    numbers = moreNumbers;
    first = 0;
  }

  /// Whether the oldest entry of a replicated partition lay here at the [#STALE_CALLS]th last call,
  /// too.
  boolean stale() {
    if (size == 0 || !partitions[first].isReplicated()) {
      calls = 0;
      return false;
    }
    if (numbers[3 * first] != oldest) {
      oldest = numbers[3 * first];
      calls = 0;
    }
    return ++calls > STALE_CALLS;
  }

  /// A partition was emptied: none of its dots that wait here is in its clock any more.
  void forget(Partition partition) {
    for (int i = 0; i < size; i++) {
      int at = (first + i) & (partitions.length - 1);
      if (partitions[at] == partition) {
        numbers[3 * at + 2] = 0;
      }
    }
  }

  /// Everything up to a sequence is on disk.
  void synced(long sequence) {
    while (size > 0 && numbers[3 * first] <= sequence) {
      Partition partition = partitions[first];
      partition.synced(replicas[first], numbers[3 * first + 1], numbers[3 * first + 2]);
      first = (first + 1) & (partitions.length - 1);
      size--;
    }
  }
}
