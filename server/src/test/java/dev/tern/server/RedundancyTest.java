package dev.tern.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.core.topology.TopologyState;
import org.junit.jupiter.api.Test;

/// Eight partitions on members 1, 2, 3. Partition 2 is fenced and partition 3 stable on 4, 1, 2.
class RedundancyTest {
  private final TopologyState state = MovesPagesTest.moving();

  @Test
  void allHaveAllWhileAllLive() {
    assertEquals(new Redundancy(8, 0, 0, 0), Redundancy.of(state, member -> true));
  }

  /// Those that left member 3 do not miss it.
  @Test
  void aDeadMemberIsMissedWhereItIsAReplica() {
    assertEquals(new Redundancy(8, 6, 0, 0), Redundancy.of(state, member -> member != 3));
    assertEquals(new Redundancy(8, 2, 0, 0), Redundancy.of(state, member -> member != 4));
  }

  @Test
  void majoritiesAndLastReplicasAreTold() {
    assertEquals(new Redundancy(8, 8, 8, 2), Redundancy.of(state, member -> member == 3));
    assertEquals(new Redundancy(8, 8, 8, 8), Redundancy.of(state, member -> false));
  }
}
