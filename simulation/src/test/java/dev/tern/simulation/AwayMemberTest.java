package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// A member holds writes that no other replica has, is away while its replicas are given to others,
/// and is back: it is given none of them again before it has handed on what it alone has.
class AwayMemberTest {
  private static final long SECOND = Cluster.SECOND;
  private static final int NODES = 5;
  private static final int KEYS = 60;

  /// The member that is away.
  private static final int AWAY = 5;

  private Cluster cluster = new Cluster(NODES);
  private Script script = new Script(cluster, NODES);

  private TopologyState state() {
    return cluster.node(1).view().state();
  }

  private MemberEntry away() {
    return Objects.requireNonNull(state().member(AWAY));
  }

  private void propose(Command command) {
    List<Decision> decisions = new ArrayList<>();
    cluster.node(1).propose(new Proposed(0, command), decisions::add);
    cluster.within(10 * SECOND, () -> !decisions.isEmpty());
    assertInstanceOf(Decision.Decided.class, decisions.getFirst());
  }

  private boolean isAtRest() {
    for (ReplicaGroups groups : state().groups()) {
      for (int p = 0; p < state().partitions(); p++) {
        if (!groups.replicaSet(p).isStable()) {
          return false;
        }
      }
    }
    return true;
  }

  private static String key(int i) {
    return "key-" + i;
  }

  private void cut(boolean isCut) {
    for (int other = 1; other < AWAY; other++) {
      script.cut(AWAY, other, isCut);
    }
  }

  /// Keys that the member alone has; others have its place now.
  private List<String> replaced() {
    cut(true);
    cluster.runFor(3 * SECOND);
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < KEYS; i++) {
      if (has(script.replicas("data", key(i)), AWAY)) {
        script.put(AWAY, key(i), "alone", Script.ONE);
        keys.add(key(i));
      }
    }
    assertTrue(keys.size() > 20, keys::toString);
    cluster.end(AWAY);
    cut(false);
    propose(new Command.SetAway(AWAY, true));
    cluster.within(60 * SECOND, () -> !state().holds(AWAY) && isAtRest());
    return keys;
  }

  private static boolean has(int[] members, int member) {
    return java.util.Arrays.stream(members).anyMatch(each -> each == member);
  }

  private void isBack() {
    cluster.withoutData = 0;
    cluster.within(60 * SECOND, () -> !away().away() && state().holds(AWAY) && isAtRest());
    assertEquals(0, cluster.node(AWAY).left().count());
  }

  @Test
  void whatItAloneHasIsHandedOnBeforeItGetsItsShareAgain() {
    List<String> keys = replaced();
    cluster.start(AWAY);
    // The leader of the topology log hears it, and it cannot hand on anything.
    cluster.withoutData = AWAY;
    cluster.within(10 * SECOND, () -> cluster.node(AWAY).left().count() > 0);
    cluster.runFor(20 * SECOND);
    assertTrue(cluster.node(1).live(AWAY));
    assertTrue(away().away() && !state().holds(AWAY), () -> state().members().toString());
    isBack();
    for (String key : keys) {
      assertEquals("alone", script.get(1, key, Script.ALL), key);
    }
  }

  /// The same where nothing is in the way.
  @Test
  void itGetsItsShareAgain() {
    List<String> keys = replaced();
    cluster.start(AWAY);
    isBack();
    for (String key : keys) {
      assertEquals("alone", script.get(1, key, Script.ALL), key);
    }
  }

  /// What the first test would look like without the rule.
  @Test
  void whatItAloneHasWouldBeLost() {
    cluster = new Cluster(NODES, PlantedBug.LEFT_NOT_TOLD);
    script = new Script(cluster, NODES);
    List<String> keys = replaced();
    cluster.start(AWAY);
    cluster.withoutData = AWAY;
    cluster.within(60 * SECOND, () -> !away().away() && state().holds(AWAY));
    cluster.runFor(5 * SECOND);
    cluster.withoutData = 0;
    cluster.within(60 * SECOND, this::isAtRest);
    cluster.runFor(10 * SECOND);
    assertTrue(keys.stream().anyMatch(key -> script.get(1, key, Script.ALL) == null));
  }
}
