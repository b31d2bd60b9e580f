package dev.tern.core.version;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ReplicaClockTest {
  @Test
  void holdsExactlyWhatWasAddedInAnyOrder() {
    Randomness random = Randomness.of(3);
    for (int round = 0; round < 200; round++) {
      ReplicaClock clock = new ReplicaClock();
      TreeSet<Long> model = new TreeSet<>();
      for (int i = 0; i < 80; i++) {
        long counter = 1 + random.nextInt(100);
        assertEquals(model.add(counter), clock.add(9, counter));
      }
      ByteWriter out = new ByteWriter();
      clock.encode(out);
      ReplicaClock copy = ReplicaClock.decode(new ByteReader(out.toByteArray()));
      for (long counter = 1; counter <= 101; counter++) {
        assertEquals(model.contains(counter), copy.contains(9, counter));
      }
      assertEquals(model.last(), copy.highest(9));
      assertFalse(copy.contains(8, 1));
    }
  }

  @Test
  void pastItsBoundItClaimsTooLittleAndNeverTooMuch() {
    ReplicaClock clock = new ReplicaClock();
    int claimed = 0;
    for (long counter = 1; counter < 1000; counter += 2) {
      clock.add(1, counter);
    }
    for (long counter = 1; counter <= 1000; counter++) {
      boolean contains = clock.contains(1, counter);
      assertTrue(!contains || counter % 2 == 1);
      claimed += contains ? 1 : 0;
    }
    assertEquals(ReplicaClock.MAX_RUNS, claimed);
  }
}
