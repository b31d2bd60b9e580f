package dev.tern.gateway.riak;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.tern.testing.Golden;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// The bytes of the values that the Riak door stores: contents of objects and properties of
/// buckets. As the golden files of core: `-Dgolden.write=DIRECTORY` writes them, see HACKING.md.
class RiakFormatTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final long MOST_BYTES = 1 << 20;

  /// Reads stored bytes and writes them.
  private interface Codec {
    byte[] again(byte[] stored);
  }

  /// Every field that a client may set.
  private static byte[] content() {
    byte[] pair = new Fields.Message().string(1, "name").string(2, "of it").encoded();
    byte[] bare = new Fields.Message().string(1, "a key alone").encoded();
    byte[] link = new Fields.Message().string(1, "b").string(2, "k").string(3, "t").encoded();
    return new Fields.Message()
        .bytes(1, "value".getBytes(US_ASCII))
        .string(2, "text/plain")
        .string(3, "utf-8")
        .string(4, "gzip")
        .bytes(6, link)
        .bytes(9, pair)
        .bytes(9, bare)
        .bytes(10, pair)
        .number(12, 3_600)
        .encoded();
  }

  private static byte[] properties() {
    return BucketProperties.decode(
            new Fields.Message().number(1, 3).flag(2, true).number(22, 2).number(23, 1).encoded())
        .encoded();
  }

  private static void check(String name, byte[] made, Codec codec) throws IOException {
    byte[] wanted = Golden.of(name, made);
    assertArrayEquals(wanted, made);
    assertArrayEquals(wanted, codec.again(wanted));
    int refused = 0;
    for (int length = 0; length < wanted.length; length++) {
      refused += give(codec, Arrays.copyOf(wanted, length));
    }
    for (int at = 0; at < wanted.length; at++) {
      for (int value = 0; value < 256; value++) {
        byte[] changed = wanted.clone();
        changed[at] = (byte) value;
        refused += give(codec, changed);
      }
      byte[] ones = wanted.clone();
      Arrays.fill(ones, at, Math.min(at + 9, ones.length), (byte) 0xff);
      refused += give(codec, ones);
    }
    Random random = new Random(7);
    for (int i = 0; i < 1_000; i++) {
      byte[] bytes = new byte[random.nextInt(2 * wanted.length)];
      random.nextBytes(bytes);
      refused += give(codec, bytes);
    }
    assertTrue(refused > 300, name + ": refused " + refused);
  }

  /// 1 if it was refused, with the declared error.
  private static int give(Codec codec, byte[] bytes) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    int refused = 0;
    try {
      codec.again(bytes);
    } catch (RiakException e) {
      assertTrue(e.getMessage() != null && !e.getMessage().isEmpty());
      refused = 1;
    }
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertTrue(allocated <= MOST_BYTES, allocated + " bytes for " + Arrays.toString(bytes));
    return refused;
  }

  @Test
  void contents() throws IOException {
    check("riak-object-1", Contents.checked(content()), Contents::checked);
  }

  @Test
  void bucketProperties() throws IOException {
    check("riak-properties-1", properties(), bytes -> BucketProperties.decode(bytes).encoded());
  }
}
