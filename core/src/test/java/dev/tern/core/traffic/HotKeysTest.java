package dev.tern.core.traffic;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import org.junit.jupiter.api.Test;

class HotKeysTest {
  private static final int KEYSPACE = 7;
  private static final int KEYS = 20_000;

  private static byte[] key(int number) {
    return ("user:profile:" + number).getBytes(US_ASCII);
  }

  /// Reads by a Zipf law of exponent 1; how often each key was read.
  private static int[] zipf(HotKeys hotKeys, int reads, boolean[] hot) {
    double[] upTo = new double[KEYS];
    double sum = 0;
    for (int i = 0; i < KEYS; i++) {
      sum += 1.0 / (i + 1);
      upTo[i] = sum;
    }
    Randomness random = Randomness.of(5);
    int[] truth = new int[KEYS];
    for (int i = 0; i < reads; i++) {
      double at = (random.nextLong() >>> 11) * 0x1p-53 * sum;
      int found = java.util.Arrays.binarySearch(upTo, at);
      int number = Math.min(KEYS - 1, found < 0 ? -found - 1 : found);
      truth[number]++;
      hot[number] = hotKeys.read(KEYSPACE, key(number), 0);
    }
    return truth;
  }

  @Test
  void estimatesAreNeverTooLowAndSeldomTooHighByMoreThanTheBound() {
    HotKeys hotKeys = new HotKeys(1_000, 0);
    int reads = 200_000;
    boolean[] hot = new boolean[KEYS];
    int[] truth = zipf(hotKeys, reads, hot);
    double bound = Math.E / HotKeys.COLUMNS * reads;
    int beyond = 0;
    for (int i = 0; i < KEYS; i++) {
      int estimate = hotKeys.estimate(KEYSPACE, key(i));
      assertTrue(estimate >= truth[i]);
      beyond += estimate > truth[i] + bound ? 1 : 0;
      if (truth[i] > reads / 50) {
        assertTrue(hot[i], "not hot with " + truth[i]);
      } else if (truth[i] < reads / 200) {
        assertFalse(hot[i], "hot with " + truth[i]);
      }
    }
    assertTrue(beyond < KEYS / 50, beyond + " of " + KEYS);
  }

  @Test
  void aKeyThatIsNotReadAnyMoreCoolsDown() {
    HotKeys hotKeys = new HotKeys(1_000, 0);
    for (int i = 0; i < 4_000; i++) {
      hotKeys.read(KEYSPACE, key(1), 0);
    }
    assertTrue(hotKeys.read(KEYSPACE, key(1), HotKeys.WINDOW_NANOS));
    assertEquals(2_001, hotKeys.estimate(KEYSPACE, key(1)));
    assertFalse(hotKeys.read(KEYSPACE, key(1), 3 * HotKeys.WINDOW_NANOS));
    assertFalse(hotKeys.read(KEYSPACE, key(2), 100 * HotKeys.WINDOW_NANOS));
    assertEquals(0, hotKeys.estimate(KEYSPACE, key(1)));
  }

  @Test
  void aSteadyKeyIsHotByItsRateAndByItsShare() {
    HotKeys hotKeys = new HotKeys(1_000, 0);
    boolean slow = false;
    boolean quick = false;
    for (int i = 0; i < 10_000; i++) {
      slow |= hotKeys.read(KEYSPACE, key(1), i * HotKeys.WINDOW_NANOS / 400);
    }
    assertFalse(slow, "400 a second");
    for (int i = 10_000 * 3; i < 20_000 * 3; i++) {
      quick |= hotKeys.read(KEYSPACE, key(2), i * HotKeys.WINDOW_NANOS / 1_200);
    }
    assertTrue(quick, "1200 a second");
    HotKeys even = new HotKeys(1_000, 0);
    boolean any = false;
    for (int i = 0; i < 200 * 2_000; i++) {
      any |= even.read(KEYSPACE, key(i % 200), 0);
    }
    assertFalse(any, "half a percent of all reads each");
  }

  @Test
  void keyspacesAreToldApart() {
    HotKeys hotKeys = new HotKeys(10, 0);
    for (int i = 0; i < 100; i++) {
      hotKeys.read(1, key(1), 0);
    }
    assertEquals(100, hotKeys.estimate(1, key(1)));
    assertEquals(0, hotKeys.estimate(2, key(1)));
  }
}
