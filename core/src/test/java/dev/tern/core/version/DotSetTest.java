package dev.tern.core.version;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class DotSetTest {
  @Test
  void holdsExactlyWhatWasAddedInAnyOrder() {
    Randomness random = Randomness.of(3);
    for (int round = 0; round < 200; round++) {
      DotSet clock = new DotSet();
      TreeSet<Long> model = new TreeSet<>();
      for (int i = 0; i < 80; i++) {
        long counter = 1 + random.nextInt(100);
        assertEquals(model.add(counter), clock.add(9, counter));
      }
      ByteWriter out = new ByteWriter();
      clock.encode(out);
      DotSet copy = DotSet.decode(new ByteReader(out.toByteArray()));
      for (long counter = 1; counter <= 101; counter++) {
        assertEquals(model.contains(counter), copy.contains(9, counter));
      }
      assertEquals(model.last(), copy.highest(9));
      assertFalse(copy.contains(8, 1));
    }
  }

  @Test
  void pastItsBoundItClaimsTooLittleAndNeverTooMuch() {
    DotSet clock = new DotSet();
    int claimed = 0;
    for (long counter = 1; counter < 4000; counter += 2) {
      clock.add(1, counter);
    }
    for (long counter = 1; counter <= 4000; counter++) {
      boolean contains = clock.contains(1, counter);
      assertTrue(!contains || counter % 2 == 1);
      claimed += contains ? 1 : 0;
    }
    assertEquals(DotSet.MAX_RUNS, claimed);
  }

  /// What both sets have is never more than one of them has, however many gaps there are: a set
  /// that claims too much would let deletes go that a replica still lacks.
  @Test
  void whatBothHaveIsNeverMoreThanOneHas() {
    DotSet odd = new DotSet();
    DotSet all = new DotSet();
    for (long counter = 1; counter < 2L * DotSet.MAX_RUNS; counter += 2) {
      odd.add(1, counter);
    }
    all.addRun(1, 1, 6L * DotSet.MAX_RUNS);
    for (DotSet both : List.of(odd.and(all), all.and(odd))) {
      assertTrue(odd.covers(both));
      assertTrue(all.covers(both));
      assertTrue(both.covers(odd));
    }
  }

  private static DotSet random(Randomness random, Set<String> model) {
    DotSet set = new DotSet();
    for (int i = random.nextInt(8); i > 0; i--) {
      int replica = 1 + random.nextInt(3);
      long from = 1 + random.nextInt(40);
      long to = from + random.nextInt(10);
      set.addRun(replica, from, to);
      for (long counter = from; counter <= to; counter++) {
        model.add(replica + ":" + counter);
      }
    }
    return set;
  }

  private static Set<String> dots(DotSet set) {
    Set<String> dots = new TreeSet<>();
    set.forEach(
        (replica, from, to) -> {
          for (long counter = from; counter <= to; counter++) {
            assertTrue(dots.add(replica + ":" + counter));
          }
        });
    assertEquals(dots.size(), set.size());
    return dots;
  }

  @Test
  void runsAndTheirSumsAndDifferencesAreThoseOfSets() {
    Randomness random = Randomness.of(5);
    for (int round = 0; round < 2000; round++) {
      Set<String> modelA = new TreeSet<>();
      Set<String> modelB = new TreeSet<>();
      DotSet a = random(random, modelA);
      DotSet b = random(random, modelB);
      assertEquals(modelA, dots(a));
      Set<String> left = new TreeSet<>(modelA);
      left.removeAll(modelB);
      assertEquals(left, dots(a.minus(b)));
      Set<String> common = new TreeSet<>(modelA);
      common.retainAll(modelB);
      assertEquals(common, dots(a.and(b)));
      assertEquals(modelA.containsAll(modelB), a.covers(b));
      DotSet sum = a.copy();
      sum.addAll(b);
      Set<String> all = new TreeSet<>(modelA);
      all.addAll(modelB);
      assertEquals(all, dots(sum));
      assertEquals(modelA, dots(a), "a copy is a copy");
      assertEquals(all, dots(DotSet.decode(new ByteReader(sum.encoded()))));
    }
  }

  @Test
  void aSetThatReachesOverGapsForgetsNothing() {
    DotSet some = new DotSet();
    for (int i = 0; i < 3 * DotSet.MAX_RUNS; i++) {
      long from = 10L * i + i % 7;
      some.addAllWidely(run(from, from + 1));
    }
    assertTrue(some.runs() <= DotSet.MAX_RUNS);
    for (int i = 0; i < 3 * DotSet.MAX_RUNS; i++) {
      long from = 10L * i + i % 7;
      assertTrue(some.contains(5, from) && some.contains(5, from + 1), "run " + i);
    }
  }

  private static DotSet run(long from, long to) {
    DotSet run = new DotSet();
    run.addRun(5, from, to);
    return run;
  }
}
