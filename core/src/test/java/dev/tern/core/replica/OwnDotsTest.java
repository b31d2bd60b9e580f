package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.store.Bed;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import dev.tern.core.version.Version;
import java.io.IOException;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// A store whose directory was set back meets dots that it gave out in the life that it forgot.
class OwnDotsTest {
  private static final long SECOND = 1_000_000_000;
  private static final byte[] KEY = {7};

  private final Bed bed = new Bed(7, 1 << 20);
  private final ClusterView view =
      Bed.view(1, Bed.keyspace("a").with(KeyspaceProperty.RESOLUTION, Resolution.SIBLINGS));
  private final KeyspaceConfig keyspace = Objects.requireNonNull(view.keyspace(1));
  private final Store store = open();
  private final Replica replica = Replicas.over(bed, store, PlantedBug.NONE);

  private Store open() {
    try {
      return Replicas.open(bed, view);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void arrives(Siblings record) {
    replica
        .writes()
        .apply(
            keyspace,
            0,
            KEY,
            record,
            new Applied() {
              @Override
              public void durable() {
                // Nobody waits.
              }

              @Override
              public void superseded(Version by) {
                throw new IllegalStateException(by.toString());
              }

              @Override
              public void refused(Unanswered.Refused why) {
                throw new IllegalStateException(why.toString());
              }
            });
    bed.world.runUntil(bed.world.nanos() + SECOND / 10);
  }

  private Siblings there() throws IOException {
    byte[] bytes = store.lsm().get(store.records().data(1), store.records().recordKey(1, 0, KEY));
    return Objects.requireNonNull(Siblings.decode(bytes));
  }

  private void writesBesideIt(int most) throws IOException {
    for (int i = 0; i < most; i++) {
      replica.minting().mutate(keyspace, 0, KEY, new QuietWrite(10, 0, new DotSet()));
      bed.world.runUntil(bed.world.nanos() + SECOND / 10);
    }
    assertEquals(most + 1, there().count(), "a dot was given out twice");
  }

  private Version own(long ahead) {
    long counter = store.partition(1, 0).counter() + ahead;
    Stamp stamp = Stamp.put(1L << 40, store.replicaId());
    return new Version(store.replicaId(), counter, stamp, 0, ValueType.BYTES, new byte[] {1});
  }

  @Test
  void aVersionOfItsOwnThatItHasForgottenIsNotGivenOutAgain() throws IOException {
    int before = store.replicaId();
    arrives(Siblings.of(own(3)));
    assertNotEquals(before, store.replicaId());
    writesBesideIt(5);
    store.close();
  }

  @Test
  void aVersionThatReplacedOneOfItsOwnIsNotReplacedByTheNext() throws IOException {
    int before = store.replicaId();
    Version forgotten = own(3);
    DotSet context = new DotSet();
    context.add(forgotten.replica(), forgotten.counter());
    Stamp stamp = Stamp.put(1L << 40, before + 1);
    Version other = new Version(before + 1, 1, stamp, 0, ValueType.BYTES, new byte[] {2});
    arrives(Siblings.written(null, context, other));
    assertNotEquals(before, store.replicaId());
    writesBesideIt(5);
    store.close();
  }

  @Test
  void whatItKnowsOfChangesNothing() throws IOException {
    replica.minting().mutate(keyspace, 0, KEY, new QuietWrite(10, 0, new DotSet()));
    bed.world.runUntil(bed.world.nanos() + SECOND / 10);
    int before = store.replicaId();
    arrives(there());
    assertEquals(before, store.replicaId());
    writesBesideIt(5);
    store.close();
  }
}
