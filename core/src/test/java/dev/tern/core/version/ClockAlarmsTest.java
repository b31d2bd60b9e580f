package dev.tern.core.version;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.version.ClusterTime.Clocks;
import dev.tern.core.version.ClusterTime.Difference;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClockAlarmsTest {
  private final ClockAlarms alarms = new ClockAlarms();

  private List<String> look(boolean set, long second, long third) {
    List<Difference> differences =
        List.of(new Difference(1, 0), new Difference(2, second), new Difference(3, third));
    return alarms.look(new Clocks(set, 0, 0, 0, differences));
  }

  @Test
  void aClockIsNamedOnceWhenItGoesWrongAndOnceWhenItIsRightAgain() {
    assertEquals(List.of(), look(true, 0, 900));
    List<String> lines = look(true, 0, 3_600_000);
    assertEquals(1, lines.size());
    assertTrue(
        lines.getFirst().startsWith("the clock of node 3 is 3600.0 s ahead of"), lines::toString);
    assertEquals(List.of(), look(true, 0, 3_600_100));
    assertEquals(List.of(), look(true, 0, 1_500), "not yet right");
    assertEquals(List.of("the clock of node 3 agrees with the others again"), look(true, 0, 10));
    assertTrue(
        look(true, -5_000, 0).getFirst().startsWith("the clock of node 2 is 5.0 s behind the"));
  }

  @Test
  void thatNoMajorityAgreesIsTold() {
    assertEquals(3, look(false, 10_000, 20_000).size());
    assertEquals(List.of(), look(false, 10_000, 20_000));
    assertEquals(1, look(true, 10_000, 20_000).size());
  }
}
