package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.gossip.GossipBounds;
import dev.tern.simulation.GossipFigures.Conditions;
import dev.tern.simulation.GossipFigures.Figures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What docs/design/0004 promises, at 3, 30, 300 and 1000 members.
class GossipFiguresTest {
  @ParameterizedTest
  @CsvSource({"3, 0, 1800000, 60", "30, 0, 120000, 12", "300, 0, 5000, 2", "1000, 1, 1000, 1"})
  void boundsHoldWithATenthLost(int members, int slowPercent, long steadyMillis, int deaths) {
    Figures figures =
        GossipFigures.measure(7, members, new Conditions(0.1, slowPercent, steadyMillis, deaths));
    check(figures, 1);
    assertEquals(0, figures.falseDeaths(), figures.toString());
  }

  /// One of three that is slow makes the other distrust itself.
  @ParameterizedTest
  @CsvSource({"3, 1800000, 60, 8", "30, 120000, 12, 1", "300, 5000, 2, 1"})
  void boundsHoldWithATenthSlow(int members, long steadyMillis, int deaths, int health) {
    Figures figures =
        GossipFigures.measure(7, members, new Conditions(0, 10, steadyMillis, deaths));
    check(figures, health);
    assertEquals(0, figures.falseDeathsOfHealthy(), figures.toString());
  }

  private static void check(Figures figures, int health) {
    int members = figures.members();
    String said = figures.toString();
    assertTrue(
        figures.slowestDetectionMillis() <= GossipBounds.detectionMillis(members, health), said);
    assertTrue(figures.coldStartMillis() > 0, said);
    assertTrue(figures.joinMillis() >= 0 && figures.joinMillis() < 10_000, said);
    assertTrue(figures.leaveMillis() >= 0 && figures.leaveMillis() < 10_000, said);
    assertTrue(figures.bytesPerSecond() < 3_000, said);
    assertTrue(figures.biggestPacketBytes() <= 1_400, said);
  }
}
