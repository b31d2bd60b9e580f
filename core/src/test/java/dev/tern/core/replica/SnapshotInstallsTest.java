package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.replica.SnapshotInstalls.Outcome;
import dev.tern.core.store.Bed;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.version.DotSet;
import dev.tern.core.wire.SnapshotChunk;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// A snapshot of one store comes to another one whole, or not at all.
class SnapshotInstallsTest {
  private static final long SECOND = 1_000_000_000;
  private static final int PARTITIONS = 8;
  private static final int SET = 1;
  private static final int KEYSPACE = 1;
  private static final int CHUNK_BYTES = 300;

  private final ClusterView view =
      ClusterView.of(
          new Founding(
                  PARTITIONS,
                  List.of(Bed.member(1)),
                  List.of(Bed.keyspace("a").with(KeyspaceProperty.DURABILITY, Durability.OS)))
              .state());

  private final Bed givers = new Bed(4, 1 << 18);
  private final Bed takers = new Bed(5, 1 << 18);
  private final Store from;
  private final Replica giver;
  private Store to;
  private Replica taker;
  private SnapshotInstalls installs;

  SnapshotInstallsTest() throws IOException {
    from = Replicas.open(givers, view);
    giver = Replicas.over(givers, from, PlantedBug.NONE);
    openTaker();
  }

  private void openTaker() throws IOException {
    to = Replicas.open(takers, view);
    taker = Replicas.over(takers, to, PlantedBug.NONE);
    SnapshotFiles files =
        new SnapshotFiles(takers.disk, takers.clock, Randomness.of(9), "snapshots-0");
    files.clear();
    installs = taker.installs(files, view::keyspace);
  }

  /// The tenth ones are deletes; a third of the others expire some day.
  private static QuietWrite write(int i) {
    boolean delete = i % 10 == 9;
    return new QuietWrite(delete ? -1 : 30, i % 3 == 0 && !delete ? 1L << 50 : 0, null);
  }

  private void put(Bed bed, Replica at, int begin, int end) {
    KeyspaceConfig keyspace = Objects.requireNonNull(view.keyspace(KEYSPACE));
    for (int i = begin; i < end; i++) {
      at.minting().mutate(keyspace, i % 100, new byte[] {(byte) i, 7}, write(i));
    }
    bed.world.runUntil(bed.world.nanos() + SECOND);
  }

  private static Partition partition(Store store) {
    return Objects.requireNonNull(store.partitionOfGroup(SET, 0));
  }

  private List<SnapshotChunk> chunks() throws IOException {
    List<SnapshotChunk> chunks = new ArrayList<>();
    byte[] cursor = {};
    try (PartitionSnapshot snapshot = giver.snapshot(partition(from))) {
      do {
        SnapshotChunk chunk = snapshot.read(1, cursor, CHUNK_BYTES);
        chunks.add(chunk);
        cursor = chunk.next();
      } while (cursor.length > 0);
    }
    return chunks;
  }

  private ArrivingSnapshot arrived() throws IOException {
    partition(to).enter(0, true);
    ArrivingSnapshot arriving = installs.begin(partition(to));
    for (SnapshotChunk chunk : chunks()) {
      arriving.add(chunk);
    }
    arriving.finish();
    return arriving;
  }

  private Outcome install(ArrivingSnapshot arriving) {
    List<Outcome> outcomes = new ArrayList<>();
    installs.install(arriving, new DotSet(), outcomes::add);
    takers.world.runUntil(takers.world.nanos() + 30 * SECOND);
    assertEquals(1, outcomes.size());
    return outcomes.getFirst();
  }

  private void assertAlike() throws IOException {
    assertEquals(
        new Inspection(from).contents(partition(from), true),
        new Inspection(to).contents(partition(to), true));
    assertTrue(partition(to).clock().covers(partition(from).clock()));
    assertNull(new Inspection(to).wrongCount(partition(to)));
    assertEquals(-1, new Inspection(to).wrongSegment(partition(to)));
    assertEquals(List.of(), to.lsm().staged());
    assertEquals(List.of(), takers.disk.list("snapshots-0"));
  }

  private void assertNothingIsThere() throws IOException {
    assertEquals("", new Inspection(to).contents(partition(to), true));
    assertEquals(List.of(), to.lsm().staged());
    assertEquals(List.of(), takers.disk.list("snapshots-0"));
  }

  @Test
  void allOfItComesAndIsThereAtTheNextStart() throws IOException {
    put(givers, giver, 0, 80);
    assertTrue(chunks().size() > 10);
    assertEquals(Outcome.INSTALLED, install(arrived()));
    assertAlike();
    to.close();
    openTaker();
    assertAlike();
  }

  @Test
  void aReplicaThatIsReadIsNotReplaced() throws IOException {
    put(givers, giver, 0, 20);
    ArrivingSnapshot arriving = arrived();
    partition(to).enter(0, false);
    assertEquals(Outcome.AGAIN, install(arriving));
    assertNothingIsThere();
  }

  @Test
  void whatADeleteOfHereMayHaveReplacedDoesNotComeBack() throws IOException {
    put(givers, giver, 0, 20);
    ArrivingSnapshot arriving = arrived();
    partition(to).countStrip();
    assertEquals(Outcome.AGAIN, install(arriving));
    assertNothingIsThere();
  }

  @Test
  void anotherAdmissionDoesNotGetIt() throws IOException {
    put(givers, giver, 0, 20);
    ArrivingSnapshot arriving = arrived();
    partition(to).admit(partition(to).admission() + 1);
    assertEquals(Outcome.AGAIN, install(arriving));
    assertNothingIsThere();
  }

  private static SnapshotChunk with(SnapshotChunk chunk, int family, byte[] rows) {
    return new SnapshotChunk(
        chunk.answer(),
        chunk.session(),
        chunk.clock(),
        chunk.trimmed(),
        chunk.floor(),
        family,
        rows,
        chunk.next());
  }

  private void assertRefused(SnapshotChunk... chunks) {
    ArrivingSnapshot arriving = installs.begin(partition(to));
    assertThrows(
        IOException.class,
        () -> {
          for (SnapshotChunk chunk : chunks) {
            arriving.add(chunk);
          }
        });
    arriving.discard();
  }

  @Test
  void chunksThatAreNoneEndTheSnapshotAlone() throws IOException {
    put(givers, giver, 0, 20);
    SnapshotChunk first = chunks().getFirst();
    byte[] rows = first.rows();
    assertRefused(first, first);
    assertRefused(with(first, 1, rows));
    assertRefused(with(first, 9, rows));
    assertRefused(with(first, Store.DOTS_FAMILY, rows));
    assertRefused(with(first, Store.EXPIRIES_FAMILY, rows));
    assertRefused(with(first, 0, java.util.Arrays.copyOf(rows, rows.length - 1)));
    byte[] foreign =
        new ByteWriter().writeBlob(new byte[] {0, 1, 50, 50}).writeBlob(rows).toByteArray();
    assertRefused(with(first, 0, foreign));
    assertRefused(with(first, Store.GRAVES_FAMILY, foreign));
    partition(to).enter(0, true);
    assertEquals(List.of(), takers.disk.list("snapshots-0"));
    assertEquals(Outcome.INSTALLED, install(arrived()));
    assertAlike();
  }
}
