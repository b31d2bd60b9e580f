package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.store.Bed;
import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.FileLives;
import dev.tern.env.Randomness;
import dev.tern.world.SimulatedLoop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// Which topology a node uses, and when.
class KnownTopologyTest {
  private static final long SECOND = 1_000_000_000;

  private final Bed bed = new Bed(5, 1 << 15);
  private final FileLives lives = FileLives.of(Randomness.of(5));
  private final Founding founding = founding(16);
  private final List<String> adopted = new ArrayList<>();
  private final KnownTopology known =
      new KnownTopology(
          bed.disk,
          lives,
          new SimulatedLoop(bed.world, 1, bed.disk),
          TopologyBug.NONE,
          at(1, ClusterId.NONE),
          (before, now) -> adopted.add(before.epoch() + " to " + now.epoch()));

  private static Founding founding(int partitions) {
    return new Founding(
        partitions, List.of(Bed.member(1), Bed.member(2)), List.of(Bed.keyspace("a")));
  }

  private TopologyState at(long epoch, ClusterId cluster) {
    return Bed.of(founding.state(), cluster, epoch);
  }

  private void pass() {
    bed.world.runUntil(bed.world.nanos() + SECOND);
  }

  private long onDisk() throws IOException {
    return Objects.requireNonNull(KnownTopology.lastKnown(bed.disk)).epoch();
  }

  @Test
  void aLaterStateIsUsedOnceItIsOnTheDisk() throws IOException {
    known.consider(at(2, ClusterId.NONE));
    assertEquals(1, known.epoch());
    pass();
    assertEquals(2, known.epoch());
    assertEquals(List.of("1 to 2"), adopted);
    assertEquals(2, onDisk());
  }

  @Test
  void ofThoseThatComeMeanwhileTheNewestFollows() throws IOException {
    for (long epoch : new long[] {2, 3, 5, 4}) {
      known.consider(at(epoch, ClusterId.NONE));
    }
    pass();
    assertEquals(List.of("1 to 2", "2 to 5"), adopted);
    assertEquals(5, onDisk());
  }

  @Test
  void anEarlierStateOrTheSameChangesNothing() {
    known.consider(at(5, ClusterId.NONE));
    pass();
    known.consider(at(4, ClusterId.NONE));
    known.consider(at(5, ClusterId.NONE));
    pass();
    assertEquals(List.of("1 to 5"), adopted);
  }

  @Test
  void theNameOfTheClusterIsNews() {
    ClusterId name = new ClusterId(1, 2);
    known.consider(at(1, name));
    pass();
    assertEquals(name, known.state().cluster());
    known.consider(at(1, ClusterId.NONE));
    pass();
    assertEquals(name, known.state().cluster());
  }

  @Test
  void whatCouldNotBeWrittenIsNotUsedAndTriedAgain() {
    bed.disk.failAfter(0, 1);
    known.consider(at(2, ClusterId.NONE));
    pass();
    assertEquals(1, known.epoch());
    String why = String.valueOf(known.unsaved());
    assertTrue(why.startsWith("the topology cannot be written: "), why);
    known.save();
    pass();
    assertEquals(2, known.epoch());
    assertNull(known.unsaved());
  }

  private TopologyState initial(int self, Founding told) throws IOException {
    return KnownTopology.initial(bed.disk, lives, self, told);
  }

  @Test
  void aNodeBeginsFromWhatItWasToldOrFromItsDirectory() throws IOException {
    Throwable lonely = assertThrows(IOException.class, () -> initial(1, Founding.NOTHING));
    assertTrue(lonely.toString().contains("told of no founders"), lonely::toString);
    assertEquals(founding.state(), initial(1, founding));
    assertEquals(founding.state(), initial(1, Founding.NOTHING), "it is in the directory");
    Throwable other = assertThrows(IOException.class, () -> initial(1, founding(32)));
    assertTrue(other.toString().contains("founders disagree"), other::toString);
    KnownTopology.join(bed.disk, lives, at(7, new ClusterId(1, 2)));
    assertEquals(7, initial(2, founding(32)).epoch(), "what it is told counts no more");
    assertThrows(RefusedException.class, () -> initial(3, Founding.NOTHING));
  }
}
