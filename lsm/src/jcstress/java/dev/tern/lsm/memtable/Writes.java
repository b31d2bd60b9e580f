package dev.tern.lsm.memtable;

import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.Lookup;
import java.nio.charset.StandardCharsets;

/// A memtable with its writer, and what a reader makes of it.
final class Writes {
  static final int ABSENT = 0;
  static final int TORN = -1;

  private static final MemoryAccount MEMORY = MemoryAccount.unbounded();

  final Memtable memtable = new Memtable(new Chunks(0, MEMORY), MEMORY);
  private long sequence;

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /// Sets a key to bytes that tell its sequence, the next one.
  Writes put(byte[] key) {
    BatchEntries entry = new BatchEntries();
    entry.sequence = ++sequence;
    entry.kind = Kind.PUT;
    entry.array = java.util.Arrays.copyOf(key, key.length + 4);
    entry.keyLength = key.length;
    entry.valueAt = key.length;
    entry.valueLength = 4;
    java.util.Arrays.fill(entry.array, key.length, key.length + 4, (byte) sequence);
    memtable.apply(entry);
    return this;
  }

  /// The sequence of a key's newest version up to `most`, [#ABSENT], or [#TORN] if what is there is
  /// not whole.
  int see(byte[] key, long most) {
    Lookup lookup = new Lookup();
    lookup.begin(key, Keys.hash(key), most);
    if (memtable.find(lookup) == Lookup.ABSENT) {
      return ABSENT;
    }
    byte[] array = java.util.Objects.requireNonNull(lookup.array);
    for (int i = 0; i < 4; i++) {
      if (lookup.valueLength != 4 || array[(int) lookup.valueAt + i] != lookup.sequence) {
        return TORN;
      }
    }
    return (int) lookup.sequence;
  }
}
