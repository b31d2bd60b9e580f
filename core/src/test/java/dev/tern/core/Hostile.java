package dev.tern.core;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.tern.core.raft.log.RaftLogException;
import dev.tern.env.DecodeException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;

/// Gives a decoder bytes that nobody wrote: it may take them or refuse them with an error of the
/// declared type, and allocates no more than a bound.
public final class Hostile {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /// Reads all that the bytes say.
  public interface Decoder {
    void decode(byte[] bytes) throws IOException;
  }

  /// Makes the checksums right that cover a byte, so that what is behind them sees it.
  public interface Mender {
    void mend(byte[] bytes, int changed);
  }

  private final Decoder decoder;
  private final long mostBytes;
  private int refused;
  private int tried;

  /// @param mostBytes that one decoding may allocate
  public Hostile(Decoder decoder, long mostBytes) {
    this.decoder = decoder;
    this.mostBytes = mostBytes;
  }

  /// How many of those tried were refused.
  public int refused() {
    return refused;
  }

  public int tried() {
    return tried;
  }

  /// Every truncation, every byte changed in several ways, and random bytes.
  public void all(byte[] good) {
    for (int length = 0; length < good.length; length++) {
      give(Arrays.copyOf(good, length), "cut at " + length);
    }
    each(good, (bytes, changed) -> {});
    Random random = new Random(good.length);
    for (int i = 0; i < 300; i++) {
      byte[] bytes = new byte[random.nextInt(2 * good.length)];
      random.nextBytes(bytes);
      give(bytes, "random bytes " + i);
      int kept = random.nextInt(Math.min(bytes.length, good.length) + 1);
      System.arraycopy(good, 0, bytes, 0, kept);
      give(bytes, "random bytes behind " + kept);
    }
  }

  /// Every byte changed in several ways, with the right checksums.
  public void each(byte[] good, Mender mender) {
    for (int at = 0; at < good.length; at++) {
      for (int change : new int[] {1 << at % 8, 0x80, 0xff, good[at], good[at] ^ 0x7f}) {
        byte[] bytes = good.clone();
        bytes[at] ^= (byte) change;
        if (change != 0) {
          mender.mend(bytes, at);
          give(bytes, "byte %d changed by %02x".formatted(at, change & 0xff));
        }
      }
      // A varint, or a number of more bytes, that is as large as can be.
      byte[] bytes = good.clone();
      Arrays.fill(bytes, at, Math.min(at + 9, bytes.length), (byte) 0xff);
      mender.mend(bytes, at);
      give(bytes, "ones from " + at);
    }
  }

  /// One case.
  public void give(byte[] bytes, String what) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    tried++;
    try {
      decoder.decode(bytes);
    } catch (RaftLogException | DecodeException e) {
      refused++;
      assertTrue(e.getMessage() != null && !e.getMessage().isEmpty(), what);
    } catch (IOException | RuntimeException | Error e) {
      throw new AssertionError(what, e);
    }
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertTrue(allocated <= mostBytes, () -> what + ": " + allocated + " bytes were allocated");
  }
}
