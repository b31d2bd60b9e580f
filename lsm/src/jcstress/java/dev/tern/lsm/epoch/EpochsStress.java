package dev.tern.lsm.epoch;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/// What a reader found linked is not let go while it is inside; when all have left, it is.
@JCStressTest
@Outcome(
    id = {"0, 0, 1", "7, 0, 1", "7, 7, 1"},
    expect = Expect.ACCEPTABLE)
@Outcome(id = ".*", expect = Expect.FORBIDDEN)
@State
public class EpochsStress {
  private static final int WHOLE = 7;

  private final Epochs<?> epochs = new Epochs<>(Object::new);
  private final int[] memory = {WHOLE};
  private volatile int[] linked = memory;

  /// What lies behind the link: 0 if there is none any more.
  private int read() {
    Epochs.Reader<?> reader = epochs.enter();
    try {
      int[] found = linked;
      return found.length == 0 ? 0 : found[0];
    } finally {
      reader.exit();
    }
  }

  @Actor
  public void reader(III_Result seen) {
    seen.r1 = read();
    seen.r2 = read();
  }

  @Actor
  public void unlinker() {
    linked = new int[0];
    epochs.retire(() -> memory[0] = -1);
  }

  @Arbiter
  public void after(III_Result seen) {
    epochs.reclaim();
    seen.r3 = memory[0] == -1 ? 1 : 0;
  }
}
