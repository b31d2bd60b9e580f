package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.raft.Membership;
import dev.tern.raft.SnapshotMark;
import dev.tern.raft.log.SnapshotFiles;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/// A part of the topology log whose snapshot a later version wrote.
class SnapshotOfAnotherFormatTest {
  private static final String SNAPSHOTS = "topology/snapshots";

  private final SoleVoter node = new SoleVoter();

  /// The index and the term that a snapshot's name says.
  private SnapshotMark newest() throws IOException {
    long index = 0;
    long term = 0;
    for (String name : node.disk.list(SNAPSHOTS)) {
      String[] parts = name.replace(".snapshot", "").split("-", -1);
      if (Long.parseLong(parts[1]) > index) {
        index = Long.parseLong(parts[1]);
        term = Long.parseLong(parts[2]);
      }
    }
    return new SnapshotMark(index, term, Membership.NOBODY);
  }

  @Test
  void theStartIsRefusedByItsFormat() throws IOException {
    TopologyLog log = node.open(1);
    node.world.schedule(0, 1, log::start);
    node.world.runUntil(node.world.nanos() + 30 * SoleVoter.SECOND);
    node.world.end(1);
    SnapshotMark mark = newest();
    assertTrue(mark.index() > 0, "no snapshot was taken");
    SnapshotFiles snapshots = new SnapshotFiles(node.disk, SNAPSHOTS, node.lives);
    byte[] state = snapshots.load(1, mark);
    assertEquals(3, state[0]);
    node.open(1).close();
    node.world.end(1);
    state[0] = 4;
    snapshots.save(1, mark, state);
    String message =
        String.valueOf(assertThrows(IOException.class, () -> node.open(1)).getMessage());
    assertEquals(
        snapshots.path(1, mark)
            + ": a topology of format 4; this version of Tern reads 3: use the version that wrote"
            + " it",
        message);
  }
}
