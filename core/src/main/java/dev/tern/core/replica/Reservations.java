package dev.tern.core.replica;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.store.Commits;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import java.util.ArrayList;
import java.util.List;

/// Brings reservations of version numbers to the disk, and lets the writes that wait for one go on.
///
/// Threads: the shard's loop.
final class Reservations {
  /// Writes that may wait for a reservation of numbers; more are refused.
  private static final int MAX_NUMBERLESS = 16_384;

  private final Lsm lsm;
  private final Store store;
  private final Commits commits;
  private final WriteBatch batch = new WriteBatch();

  /// Writes that wait.
  private final List<Runnable> numberless = new ArrayList<>();

  /// Also waits for what the opening of the store could not reserve, for lack of room.
  Reservations(Lsm lsm, Store store, Commits commits) {
    this.lsm = lsm;
    this.store = store;
    this.commits = commits;
    Store.Pending opening = store.opening();
    if (opening != null) {
      await(opening.sequence(), opening.wanted());
    }
  }

  /// Runs a write when there are numbers; false if too many wait.
  boolean await(Runnable write) {
    return numberless.size() < MAX_NUMBERLESS && numberless.add(write);
  }

  /// Asks for the next reservation, unless one is under way.
  void reserve(long physicalMillis) {
    Store.Reservation wanted = store.wantReservation(physicalMillis);
    if (wanted != null) {
      batch.clear();
      batch.put(store.records().meta(), Rows.RESERVATION, MetaRows.encoded(wanted));
      await(lsm.append(batch), wanted);
    }
  }

  private void await(long sequence, Store.Reservation wanted) {
    commits.await(
        sequence,
        Durability.SYNC,
        () -> {
          store.reserved(wanted);
          List<Runnable> again = List.copyOf(numberless);
          numberless.clear();
          again.forEach(Runnable::run);
        });
  }

  int waiting() {
    return numberless.size();
  }
}
