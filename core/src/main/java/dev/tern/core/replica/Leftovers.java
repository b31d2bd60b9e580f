package dev.tern.core.replica;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Records that were stored with dots of a context that the clock on disk did not say yet; they are
/// stored without them when it does. What is forgotten, past a bound or by a restart, is stripped
/// by the key's next write.
final class Leftovers {
  private static final int MAX = 16_384;

  private final ArrayDeque<Leftover> queue = new ArrayDeque<>();
  private final TreeSet<byte[]> known = new TreeSet<>(Arrays::compareUnsigned);

  /// A record of a partition.
  record Leftover(Partition partition, int keyspace, byte[] storageKey) {}

  void add(Partition partition, int keyspace, byte[] storageKey) {
    if (queue.size() < MAX && known.add(storageKey)) {
      queue.add(new Leftover(partition, keyspace, storageKey));
    }
  }

  int size() {
    return queue.size();
  }

  @Nullable Leftover poll() {
    Leftover first = queue.poll();
    if (first != null) {
      known.remove(first.storageKey);
    }
    return first;
  }
}
