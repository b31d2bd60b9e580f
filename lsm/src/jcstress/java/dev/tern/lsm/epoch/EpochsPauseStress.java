package dev.tern.lsm.epoch;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/// A reader that waits outside its epoch and finds the link anew behind the wait reads nothing that
/// was let go; when all have left, it is let go.
@JCStressTest
@Outcome(
    id = {"0, 0, 1", "7, 0, 1", "7, 7, 1"},
    expect = Expect.ACCEPTABLE)
@Outcome(id = ".*", expect = Expect.FORBIDDEN)
@State
public class EpochsPauseStress {
  private static final int WHOLE = 7;

  private final Epochs<?> epochs = new Epochs<>(Object::new);
  private final int[] memory = {WHOLE};
  private volatile int[] linked = memory;

  /// What lies behind the link: 0 if there is none any more.
  private int read() {
    int[] found = linked;
    return found.length == 0 ? 0 : found[0];
  }

  @Actor
  public void reader(III_Result seen) {
    Epochs.Reader<?> reader = epochs.enter();
    try {
      seen.r1 = read();
      reader.pause();
      reader.resume();
      seen.r2 = read();
    } finally {
      reader.exit();
    }
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
