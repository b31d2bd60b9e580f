package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.store.Bed;
import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.NodeEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Who is listened to, by what its greeting says.
class AcquaintancesTest {
  private static final ClusterId OURS = new ClusterId(1, 1);
  private static final ClusterId OTHER = new ClusterId(2, 1);

  private final List<NodeEvent> events = new ArrayList<>();
  private final Acquaintances acquaintances =
      new Acquaintances(Levels.OURS, TopologyBug.NONE, events::add);
  private final TopologyState known = state(OURS, 3);

  private static TopologyState state(ClusterId cluster, int members) {
    List<MemberEntry> entries = IntStream.rangeClosed(1, members).mapToObj(Bed::member).toList();
    TopologyState of = new Founding(16, entries, List.of(Bed.keyspace("a"))).state();
    return Bed.of(of, cluster, 5);
  }

  private Acquaintances.Verdict greeted(
      int node, Levels levels, ClusterId cluster, long epoch, boolean departs) {
    return acquaintances.greeted(
        node,
        new TopologyMessage.Greeting(
            false, levels, known.level(), cluster, epoch, known.founding(), 0, false, departs),
        known);
  }

  private Acquaintances.Verdict greeted(int node, ClusterId cluster) {
    return greeted(node, Levels.OURS, cluster, 5, false);
  }

  private String why(int node) {
    return String.valueOf(acquaintances.strangers().get(node));
  }

  @Test
  void aMemberOfTheClusterIsTrustedUntilItHasToGreetAgain() {
    assertFalse(acquaintances.trusts(2));
    assertEquals(Acquaintances.Verdict.FRIEND, greeted(2, OURS));
    assertTrue(acquaintances.trusts(2));
    assertFalse(acquaintances.trusts(3));
    acquaintances.forget(2);
    assertFalse(acquaintances.trusts(2));
  }

  @Test
  void aNodeOfAnotherClusterIsNotTrustedAnyMoreAndNamedOnce() {
    greeted(2, OURS);
    assertEquals(Acquaintances.Verdict.STRANGER, greeted(2, OTHER));
    assertEquals(Acquaintances.Verdict.STRANGER, greeted(2, OTHER));
    assertFalse(acquaintances.trusts(2));
    assertEquals(1, events.size());
    assertTrue(why(2).startsWith("node 2 belongs to cluster"));
    greeted(2, OURS);
    assertEquals(List.of(), List.copyOf(acquaintances.strangers().keySet()));
  }

  /// A member that leaves may be given something to hold after it has said that it holds nothing.
  @Test
  void theLastWordOfAMemberThatLeavesCounts() {
    greeted(2, Levels.OURS, OURS, 5, true);
    assertTrue(acquaintances.departs(2));
    greeted(2, Levels.OURS, OURS, 5, false);
    assertFalse(acquaintances.departs(2));
  }

  @Test
  void aNodeThatIsNoMemberIsAStrangerUnlessItKnowsALaterEpoch() {
    assertEquals(Acquaintances.Verdict.STRANGER, greeted(4, OURS));
    assertEquals(
        Acquaintances.Verdict.UNKNOWN, greeted(4, Levels.OURS, OURS, known.epoch() + 1, false));
    assertFalse(acquaintances.trusts(4));
  }

  @Test
  void aNodeThatCannotSpeakTheClustersLevelIsAStranger() {
    Levels old = new Levels(1, known.level() - 1);
    assertEquals(Acquaintances.Verdict.STRANGER, greeted(2, old, OURS, 5, false));
    assertTrue(why(2).contains("upgrade it"));
  }

  @Test
  void aMemberThatWasRemovedIsNotTrusted() {
    greeted(3, OURS);
    acquaintances.members(state(OURS, 2));
    assertFalse(acquaintances.trusts(3));
  }

  @Test
  void aNodeThatMostRefuseAndNobodyEverTrustedIsInTheWrongPlace() {
    assertNull(acquaintances.onlyStrangers(known));
    greeted(2, OTHER);
    assertTrue(String.valueOf(acquaintances.onlyStrangers(known)).contains("node 2 belongs"));
    greeted(3, OURS);
    assertNull(acquaintances.onlyStrangers(known), "it has met a friend");
  }

  @Test
  void whoLeavesSaysSoUntilItBeginsAnew() {
    greeted(2, Levels.OURS, OURS, 5, true);
    assertTrue(acquaintances.departs(2));
    acquaintances.forget(2);
    assertFalse(acquaintances.departs(2));
  }
}
