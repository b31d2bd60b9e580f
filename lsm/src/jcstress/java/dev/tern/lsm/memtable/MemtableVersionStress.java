package dev.tern.lsm.memtable;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/// A key that is overwritten never seems to go back, and a snapshot sees the version it began with.
@JCStressTest
@Outcome(
    id = {"1, 1, 1", "1, 2, 1", "2, 2, 1"},
    expect = Expect.ACCEPTABLE)
@Outcome(id = ".*", expect = Expect.FORBIDDEN)
@State
public class MemtableVersionStress {
  private static final byte[] KEY = Writes.bytes("key");

  private final Writes writes = new Writes().put(KEY);

  @Actor
  public void writer() {
    writes.put(KEY);
  }

  @Actor
  public void reader(III_Result seen) {
    seen.r1 = writes.see(KEY, Long.MAX_VALUE);
    seen.r2 = writes.see(KEY, Long.MAX_VALUE);
    seen.r3 = writes.see(KEY, 1);
  }
}
