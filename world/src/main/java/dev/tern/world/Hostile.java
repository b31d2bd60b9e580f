package dev.tern.world;

import com.sun.management.ThreadMXBean;
import dev.tern.env.DecodeException;
import dev.tern.env.Randomness;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

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

  /// Never thrown.
  private static final class NoOther extends IOException {
    private static final long serialVersionUID = 1;
  }

  private final Decoder decoder;
  private final long mostBytes;
  private final Class<? extends IOException> declared;
  private int refused;
  private int tried;

  /// Of a decoder that refuses with a [DecodeException] only.
  ///
  /// @param mostBytes that one decoding may allocate
  public Hostile(Decoder decoder, long mostBytes) {
    this(decoder, mostBytes, NoOther.class);
  }

  /// @param mostBytes that one decoding may allocate
  /// @param declared what the decoder may throw besides a [DecodeException]
  public Hostile(Decoder decoder, long mostBytes, Class<? extends IOException> declared) {
    this.decoder = decoder;
    this.mostBytes = mostBytes;
    this.declared = declared;
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
    Randomness random = Randomness.of(good.length);
    for (int i = 0; i < 300; i++) {
      byte[] bytes = new byte[random.nextInt(2 * good.length)];
      fill(bytes, random);
      give(bytes, "random bytes " + i);
      int kept = random.nextInt(Math.min(bytes.length, good.length) + 1);
      System.arraycopy(good, 0, bytes, 0, kept);
      give(bytes, "random bytes behind " + kept);
    }
  }

  private static void fill(byte[] bytes, Randomness random) {
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) random.nextInt(256);
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
    if (tried == 0) {
      loadClasses(bytes);
    }
    long before = THREADS.getCurrentThreadAllocatedBytes();
    tried++;
    try {
      decoder.decode(bytes);
    } catch (DecodeException e) {
      refused(e, what);
    } catch (IOException e) {
      if (!declared.isInstance(e)) {
        throw new AssertionError(what, e);
      }
      refused(e, what);
    } catch (RuntimeException | Error e) {
      throw new AssertionError(what, e);
    }
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    if (allocated > mostBytes) {
      throw new AssertionError(what + ": " + allocated + " bytes were allocated");
    }
  }

  /// What loading the decoder's classes allocates is not the decoder's.
  private void loadClasses(byte[] bytes) {
    try {
      decoder.decode(bytes);
    } catch (IOException | RuntimeException | Error e) {
      // The measured run comes to the same.
    }
  }

  private void refused(Exception why, String what) {
    refused++;
    String message = why.getMessage();
    if (message == null || message.isEmpty()) {
      throw new AssertionError(what + ": refused without a reason", why);
    }
  }
}
