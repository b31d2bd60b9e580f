package dev.tern.lsm.memtable;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A reader without a lock sees new keys whole, and none before one that was written earlier.
@JCStressTest
@Outcome(
    id = {"0, 0", "0, 1", "2, 1"},
    expect = Expect.ACCEPTABLE)
@Outcome(id = ".*", expect = Expect.FORBIDDEN)
@State
public class MemtableInsertStress {
  private static final byte[] FIRST = Writes.bytes("first");
  private static final byte[] SECOND = Writes.bytes("second");

  private final Writes writes = new Writes();

  @Actor
  public void writer() {
    writes.put(FIRST).put(SECOND);
  }

  @Actor
  public void reader(II_Result seen) {
    seen.r1 = writes.see(SECOND, Long.MAX_VALUE);
    seen.r2 = writes.see(FIRST, Long.MAX_VALUE);
  }
}
