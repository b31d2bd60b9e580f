package dev.tern.lsm.memtable;

import dev.tern.lsm.entry.Keys;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// While a part of the index grows, the keys that were there are found.
@JCStressTest
@Outcome(
    id = {"1, 0", "1, 5"},
    expect = Expect.ACCEPTABLE)
@Outcome(id = ".*", expect = Expect.FORBIDDEN)
@State
public class MemtableGrowStress {
  /// One part of the index, which grows with the fifth.
  private static final byte[][] KEYS = keysOfOnePart(5);

  private final Writes writes = new Writes();

  public MemtableGrowStress() {
    for (int i = 0; i < 4; i++) {
      writes.put(KEYS[i]);
    }
  }

  private static byte[][] keysOfOnePart(int count) {
    byte[][] keys = new byte[count][];
    int found = 0;
    for (int i = 0; found < count; i++) {
      byte[] key = Writes.bytes("key-" + i);
      if (Memtable.part(Keys.hash(key)) == 0) {
        keys[found++] = key;
      }
    }
    return keys;
  }

  @Actor
  public void writer() {
    writes.put(KEYS[4]);
  }

  @Actor
  public void reader(II_Result seen) {
    seen.r1 = writes.see(KEYS[0], Long.MAX_VALUE);
    seen.r2 = writes.see(KEYS[4], Long.MAX_VALUE);
  }
}
