package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.version.Siblings;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Contexts are good for the key that they were read of, and the bound on siblings ends with a
/// write that replaces them.
class ContextTest {
  private static final byte[] NO_CONTEXT = Script.NO_CONTEXT;

  private static void assertRefused(UpdateOutcome outcome, String why) {
    assertInstanceOf(Unanswered.Refused.class, outcome, outcome::toString);
    Unanswered.Refused refused = (Unanswered.Refused) outcome;
    assertEquals(Reason.INVALID, refused.reason());
    assertTrue(refused.message().contains(why), refused.message());
  }

  /// An object that is fetched and stored under another key, its clock with it, must not replace
  /// what others write there.
  @Test
  void aContextOfAnotherKeyIsRefused() {
    Script script = new Script(new Cluster(3), 3);
    byte[] context = NO_CONTEXT;
    for (int i = 0; i < 50; i++) {
      context = script.stored(1, "k1", "v" + i, context, Level.DEFAULT).context();
    }
    for (int node = 1; node <= 3; node++) {
      assertRefused(script.store(node, "k2", "copy", context, Level.DEFAULT), "of another key");
    }
    Versions nothing = script.fetch(2, "k2", Level.DEFAULT);
    script.stored(2, "k2", "honest", nothing.context(), Level.DEFAULT);
    script.cluster.runFor(5 * Script.SECOND);
    for (int node = 1; node <= 3; node++) {
      assertEquals(List.of("honest"), script.values(node, "k2", Level.DEFAULT));
    }
    assertEquals(List.of("v49"), script.values(3, "k1", Script.ALL));
  }

  @Test
  void aContextOfAnotherKeyspaceIsRefused() {
    Script script = new Script(new Cluster(3), 3);
    Versions siblings = script.stored(1, "k", "v", NO_CONTEXT, Level.DEFAULT);
    Update.Store store =
        new Update.Store(
            "w".getBytes(US_ASCII), 0, siblings.context(), false, Update.Match.NONE, true);
    assertRefused(script.update(1, "data", "k", store, Level.DEFAULT), "keyspace");
    boolean seen =
        script
            .cluster
            .node(1)
            .keyspace(0, "data")
            .seen("k".getBytes(US_ASCII), siblings.context(), siblings);
    assertFalse(seen);
    assertTrue(
        script
            .cluster
            .node(2)
            .keyspace(0, "siblings")
            .seen("k".getBytes(US_ASCII), siblings.context(), siblings));
  }

  @Test
  void aWriteThatReplacesThemEndsTheBoundOnSiblings() {
    Script script = new Script(new Cluster(3), 3);
    for (int i = 0; i < Siblings.MAX; i++) {
      script.stored(1 + i % 3, "k", "v" + i, NO_CONTEXT, Level.DEFAULT);
    }
    script.converged(15 * Script.SECOND);
    for (int node = 1; node <= 3; node++) {
      assertRefused(
          script.store(node, "k", "more", NO_CONTEXT, Level.DEFAULT), Siblings.MAX + " siblings");
    }
    Versions all = script.fetch(2, "k", Level.DEFAULT);
    assertEquals(Siblings.MAX, all.siblings().size());
    script.stored(3, "k", "merged", all.context(), Level.DEFAULT);
    for (int node = 1; node <= 3; node++) {
      assertEquals(List.of("merged"), script.values(node, "k", Level.DEFAULT));
    }
  }
}
