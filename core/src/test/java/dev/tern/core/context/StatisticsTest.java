package dev.tern.core.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Unanswered;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// What operators read of a shard.
class StatisticsTest {
  private static Counter counted(Unanswered why) {
    Statistics statistics = new Statistics();
    statistics.failed(why);
    Counter found = null;
    for (Counter counter : Counter.values()) {
      if (statistics.value(counter) != 0) {
        assertEquals(null, found, "it is counted twice");
        assertEquals(1, statistics.value(counter));
        found = counter;
      }
    }
    return found;
  }

  @Test
  void eachRefusalIsCountedByWhatAnOperatorCanDo() {
    Map<Unanswered.Reason, Counter> wanted = new EnumMap<>(Unanswered.Reason.class);
    wanted.put(Unanswered.Reason.UNAVAILABLE, Counter.REFUSED_UNAVAILABLE);
    wanted.put(Unanswered.Reason.UNREADABLE, Counter.REFUSED_UNAVAILABLE);
    wanted.put(Unanswered.Reason.OVERLOADED, Counter.REFUSED_OVERLOADED);
    wanted.put(Unanswered.Reason.DISK_FULL, Counter.REFUSED_DISK_FULL);
    for (Unanswered.Reason reason : Unanswered.Reason.values()) {
      assertEquals(
          wanted.getOrDefault(reason, Counter.REFUSED_OTHER),
          counted(new Unanswered.Refused(reason, "", 0)),
          reason::name);
    }
  }

  @Test
  void eachCounterHasAHelpTextOfItsOwn() {
    TreeSet<String> texts = new TreeSet<>();
    for (Counter counter : Counter.values()) {
      assertFalse(counter.help().isBlank());
      assertTrue(texts.add(counter.help()), counter + " says what another says");
    }
  }

  @Test
  void countersDoNotTouchEachOther() {
    Statistics statistics = new Statistics();
    statistics.add(Counter.READS, 3);
    statistics.add(Counter.SPREAD_READS, 5);
    statistics.add(Counter.READS, 4);
    assertEquals(7, statistics.value(Counter.READS));
    assertEquals(5, statistics.value(Counter.SPREAD_READS));
    assertEquals(0, statistics.value(Counter.WRITES));
  }
}
