package dev.tern.core.replica;

import dev.tern.core.version.ReplicaClock;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import java.util.Arrays;

/// What a replica knows of one partition besides its records.
///
/// Row: the clock, then varint keyspaces, per keyspace u32 id and varint records with a value.
final class Partition {
  final int number;
  final ReplicaClock clock;

  /// The last counter minted here; grows, and jumps to the reservation at a restart.
  long counter;

  /// Since its row was written.
  boolean changed;

  private int[] keyspaces = new int[0];
  private long[] counts = new long[0];

  Partition(int number, ReplicaClock clock, long counter) {
    this.number = number;
    this.clock = clock;
    this.counter = counter;
  }

  static Partition decode(int number, byte[] row, long counter) {
    ByteReader in = new ByteReader(row);
    Partition partition = new Partition(number, ReplicaClock.decode(in), counter);
    int known = in.readLength();
    for (int i = 0; i < known; i++) {
      partition.count(in.readInt(), in.readVarLong());
    }
    in.expectEnd();
    return partition;
  }

  void encode(ByteWriter out) {
    clock.encode(out);
    out.writeVarInt(keyspaces.length);
    for (int i = 0; i < keyspaces.length; i++) {
      out.writeInt(keyspaces[i]).writeVarLong(counts[i]);
    }
  }

  /// Records with a value, expired ones included.
  long count(int keyspace) {
    for (int i = 0; i < keyspaces.length; i++) {
      if (keyspaces[i] == keyspace) {
        return counts[i];
      }
    }
    return 0;
  }

  /// The keyspaces that have or had records here.
  int[] keyspaces() {
    return keyspaces.clone();
  }

  boolean knows(int keyspace) {
    return Arrays.stream(keyspaces).anyMatch(known -> known == keyspace);
  }

  /// A keyspace has no records here any more, and will have none.
  void forget(int keyspace) {
    for (int i = 0; i < keyspaces.length; i++) {
      if (keyspaces[i] == keyspace) {
        int last = keyspaces.length - 1;
        keyspaces[i] = keyspaces[last];
        counts[i] = counts[last];
        keyspaces = Arrays.copyOf(keyspaces, last);
        counts = Arrays.copyOf(counts, last);
        return;
      }
    }
  }

  void count(int keyspace, long delta) {
    for (int i = 0; i < keyspaces.length; i++) {
      if (keyspaces[i] == keyspace) {
        counts[i] += delta;
        return;
      }
    }
    int length = keyspaces.length;
    keyspaces = Arrays.copyOf(keyspaces, length + 1);
    counts = Arrays.copyOf(counts, length + 1);
    keyspaces[length] = keyspace;
    counts[length] = delta;
  }
}
