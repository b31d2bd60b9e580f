package dev.tern.core.replica;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.store.Commits;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.env.CoverageMarks;
import org.jspecify.annotations.Nullable;

/// Stores versions from elsewhere where the last write wins.
///
/// Invariants: of two versions the one of the higher rank stays; a dot that the clock has seen and
/// that is not here is never stored again, whatever stands there.
final class LastWriteWins {
  private final Writes writes;
  private final Store store;
  private final Commits commits;

  LastWriteWins(Writes writes, Commits commits) {
    this.writes = writes;
    this.store = writes.store();
    this.commits = commits;
  }

  /// @param base what is here, null for nothing
  /// @param led whether the leader that sends it was promised that no other one's update counts
  void store(
      KeyspaceConfig keyspace,
      Partition partition,
      byte[] storageKey,
      @Nullable Siblings base,
      Version version,
      boolean led,
      Applied done) {
    Durability durability = keyspace.durability();
    Version present = base == null ? null : base.newest();
    boolean seen =
        store
            .seen(partition, keyspace.id(), storageKey)
            .contains(version.replica(), version.counter());
    boolean wins = wins(version, present);
    if (version.sameAs(present) || wins && seen) {
      assert !wins || CoverageMarks.reach(CoreMark.REPLACED_VERSION_CAME_AGAIN);
      // Seen and gone: it was replaced, at last perhaps by a delete that is stripped by now. What
      // stands there since may have a smaller stamp and is no reason to bring it back.
      commits.await(store.lsm().writtenSequence(), durability, done::durable);
    } else if (wins || writes.planted() == PlantedBug.LAST_ARRIVAL_WINS) {
      long sequence =
          writes.append(keyspace.id(), partition, storageKey, base, Siblings.of(version));
      store.journal().note(partition, version, storageKey, /* stored= */ true);
      if (!led && present != null && version.stamp().forks(present.stamp())) {
        commits.await(sequence, durability, () -> done.superseded(present));
      } else {
        commits.await(sequence, durability, done::durable);
      }
    } else {
      if (!seen) {
        store.journal().note(partition, version, storageKey, /* stored= */ false);
      }
      // Only once what supersedes it is durable: the writer may take this as an acknowledgement.
      Version winner = java.util.Objects.requireNonNull(present);
      commits.await(store.lsm().writtenSequence(), durability, () -> done.superseded(winner));
    }
  }

  private boolean wins(Version version, @Nullable Version present) {
    long updates = version.stamp().count();
    long before = present == null ? updates : present.stamp().count();
    boolean counted = writes.planted() == PlantedBug.UPDATES_COUNTED_BEFORE_TIME;
    return counted && updates != before ? updates > before : version.newerThan(present);
  }
}
