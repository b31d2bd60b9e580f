package dev.tern.core.version;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SiblingsTest {
  private static Version version(int replica, long counter) {
    return Version.put(replica, counter, counter << 8 | replica, 0, new byte[] {(byte) counter});
  }

  private static DotSet clock(int replica, long to) {
    DotSet clock = new DotSet();
    clock.addRun(replica, 1, to);
    return clock;
  }

  @Test
  void concurrentWritesAreKeptAndAWriteThatHasSeenThemReplacesThem() {
    Siblings a = Siblings.written(null, new DotSet(), version(1, 1));
    Siblings b = Siblings.written(null, new DotSet(), version(2, 1));
    Siblings both = Siblings.merged(a, b);
    assertEquals(2, both.count());
    Siblings one = Siblings.written(both, both.seen(), version(1, 2));
    assertEquals(1, one.count());
    assertEquals(1, Siblings.merged(one, b).count(), "what was replaced does not come back");
    Siblings blind = Siblings.written(both, new DotSet(), version(1, 3));
    assertEquals(3, blind.count());
  }

  @Test
  void whatTheClockSaysNeedNotBeStored() {
    Siblings old = Siblings.of(version(1, 7));
    Siblings later = Siblings.written(old, old.seen(), version(1, 8));
    Siblings stored = later.stripped(clock(1, 8));
    assertTrue(stored.context().isEmpty());
    assertEquals(2, Siblings.merged(stored, old).count(), "by itself it has forgotten");
    assertEquals(1, Siblings.merged(stored.filled(clock(1, 8)), old).count());
    assertEquals(0, Siblings.merged(Siblings.nothing(clock(1, 8)), old).count());
    int bytes = stored.encoded().length;
    for (int update = 9; update < 1000; update++) {
      stored =
          Siblings.written(stored, stored.filled(clock(1, update - 1)).seen(), version(1, update))
              .stripped(clock(1, update));
    }
    assertTrue(stored.encoded().length <= bytes + 1, "a thousand updates cost what one costs");
  }

  @Test
  void whatNothingHasSeenDoesNotGrowWithTheClock() {
    DotSet clock = clock(1, 8);
    Siblings nothing = Siblings.nothing(clock);
    clock.add(1, 9);
    assertFalse(nothing.context().contains(1, 9));
  }

  /// Three replicas, one clock each; merging is commutative, associative and idempotent, whatever
  /// clients wrote with whatever they had seen.
  @Test
  void mergesComeToTheSameInAnyOrder() {
    Randomness random = Randomness.of(17);
    for (int round = 0; round < 500; round++) {
      List<Siblings> states = new ArrayList<>(List.of(empty(), empty(), empty()));
      long[] counters = new long[3];
      DotSet seen = new DotSet();
      for (int step = 0; step < 12; step++) {
        int at = random.nextInt(3);
        switch (random.nextInt(4)) {
          case 0 -> states.set(at, Siblings.merged(states.get(at), states.get(random.nextInt(3))));
          case 1 -> seen = states.get(at).seen();
          default -> {
            DotSet context = random.nextInt(3) == 0 ? new DotSet() : seen;
            Version fresh = version(at + 1, ++counters[at]);
            states.set(at, Siblings.written(states.get(at), context, fresh));
          }
        }
      }
      Siblings a = states.get(0);
      Siblings b = states.get(1);
      Siblings c = states.get(2);
      Siblings abc = Siblings.merged(Siblings.merged(a, b), c);
      assertTrue(abc.sameVersions(Siblings.merged(c, Siblings.merged(b, a))));
      assertTrue(abc.sameVersions(Siblings.merged(abc, abc)));
      assertTrue(abc.sameVersions(Siblings.merged(abc, b)));
      assertEquals(abc.digest(), Siblings.merged(Siblings.merged(c, a), b).digest());
      assertArrayEquals(abc.encoded(), Siblings.decode(new ByteReader(abc.encoded())).encoded());
    }
  }

  private static Siblings empty() {
    return Siblings.nothing(new DotSet());
  }

  @Test
  void deletesAreVersionsWithoutAValue() {
    Siblings value = Siblings.of(version(1, 1));
    Version delete = Version.put(2, 1, 1L << 40, 0, null);
    Siblings deleted = Siblings.written(value, value.seen(), delete);
    assertTrue(value.hasValue());
    assertFalse(deleted.hasValue());
    assertFalse(Siblings.merged(deleted, value).hasValue());
    assertFalse(deleted.sameVersions(value));
  }

  @Test
  void brokenBytesAreRefusedAndNothingElse() {
    byte[] good = Siblings.written(null, clock(3, 9), version(1, 1)).encoded();
    Randomness random = Randomness.of(7);
    int refused = 0;
    for (int round = 0; round < 3000; round++) {
      byte[] bytes = good.clone();
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      try {
        Siblings.decode(new ByteReader(bytes));
      } catch (DecodeException e) {
        refused++;
      }
    }
    assertTrue(refused > 500);
    assertThrows(
        DecodeException.class, () -> Siblings.decode(new ByteReader(new byte[] {2, 0, 0})));
  }
}
