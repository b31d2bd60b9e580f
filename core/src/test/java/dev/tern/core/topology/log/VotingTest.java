package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.tern.raft.Membership;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The steps from one set of voters to another.
class VotingTest {
  private static final long COMMIT = 10;
  private static final List<Integer> THREE = List.of(1, 2, 3);
  private static final List<Integer> OTHER = List.of(1, 2, 4);
  private static final Membership LEARNING = Membership.of(THREE, List.of(4));

  private static @Nullable Membership next(
      Membership present, List<Integer> voters, long matched, boolean settled) {
    return Voting.next(present, voters, Map.of(4, matched), COMMIT, member -> settled);
  }

  @Test
  void aNewcomerLearnsBeforeItVotes() {
    Membership three = Membership.of(THREE, List.of());
    assertEquals(LEARNING, next(three, OTHER, COMMIT, true));
    assertNull(next(LEARNING, OTHER, COMMIT - 1, true), "it lacks what is committed");
    assertNull(next(LEARNING, OTHER, COMMIT, false), "it may have forgotten a vote");
    assertNull(Voting.next(LEARNING, OTHER, Map.of(), COMMIT, member -> true), "not heard of");
    assertEquals(Membership.of(OTHER, List.of()), next(LEARNING, OTHER, COMMIT, true));
  }

  @Test
  void aNewcomerThatIsWantedNoMoreLearnsNoMore() {
    assertEquals(Membership.of(THREE, List.of()), next(LEARNING, THREE, 0, true));
    assertEquals(Membership.of(THREE, List.of(5)), next(LEARNING, List.of(1, 2, 5), COMMIT, true));
  }

  @Test
  void nothingChangesWhereAllIsAsWantedOrAChangeIsUnderWay() {
    assertNull(next(Membership.of(THREE, List.of()), THREE, COMMIT, true));
    Membership joint = new Membership(OTHER, THREE, List.of());
    assertNull(next(joint, THREE, COMMIT, true));
  }
}
