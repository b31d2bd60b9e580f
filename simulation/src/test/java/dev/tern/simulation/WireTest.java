package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RoutedKey;
import dev.tern.lsm.LsmBug;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What the checker of versions on the wire takes for possible of a put that is minted anew. Node 1
/// mints it, nodes 2 and 3 are asked, and two of the three must take it.
class WireTest {
  private static final int MINTER_ID = 7;
  private static final int RIVAL_ID = 9;
  private static final byte[] KEY = "k".getBytes(US_ASCII);
  private static final byte[] VALUE = "v".getBytes(US_ASCII);

  private final ClusterRun run = new ClusterRun(1, PlantedBug.NONE, LsmBug.NONE);
  private final Wire wire = new Wire(run, topology());

  private Topology topology() {
    run.startNode(1);
    return Objects.requireNonNull(
        Objects.requireNonNull(run.node(1)).view().topology(run.keyspace.id()));
  }

  private void put(long id, long time) {
    Siblings record = Siblings.of(Version.put(MINTER_ID, time, time, 0, VALUE));
    Message write = new Message.Write(id, 1, RoutedKey.of(1, run.keyspace.id(), KEY), record, 0);
    wire.sent(1, 2, write);
    wire.sent(1, 3, write);
  }

  private static Message taken() {
    return new Message.Written(1, 0);
  }

  private static Message superseded() {
    return new Message.Superseded(1, Version.put(RIVAL_ID, 1, 200, 0, VALUE).rank());
  }

  private void arrives(int from, Message answer) {
    wire.arrived(from, 1, answer);
  }

  @BeforeEach
  void begin() {
    wire.blindPut("v", 2);
    put(1, 100);
  }

  @Test
  void aPutThatTooFewReplicasCanTakeIsMintedAnew() {
    for (int node = 2; node <= 3; node++) {
      wire.sent(node, 1, superseded());
      arrives(node, superseded());
    }
    assertDoesNotThrow(() -> put(2, 300));
  }

  @Test
  void oneThatMayBeTakenYetIsNot() {
    wire.sent(2, 1, superseded());
    wire.sent(3, 1, superseded());
    arrives(2, superseded());
    assertThrows(History.Violation.class, () -> put(2, 300));
  }

  @Test
  void aReplicaThatAnswersTwiceCountsByWhatArrivesFirst() {
    wire.sent(2, 1, taken());
    wire.sent(2, 1, superseded());
    wire.sent(3, 1, superseded());
    arrives(3, superseded());
    // Sent last, and arrived first.
    arrives(2, superseded());
    arrives(2, taken());
    assertDoesNotThrow(() -> put(2, 300));
  }

  @Test
  void aReplicaThatTookThePutFirstHasIt() {
    wire.sent(2, 1, taken());
    wire.sent(2, 1, superseded());
    wire.sent(3, 1, superseded());
    arrives(2, taken());
    arrives(2, superseded());
    arrives(3, superseded());
    assertThrows(History.Violation.class, () -> put(2, 300));
  }
}
