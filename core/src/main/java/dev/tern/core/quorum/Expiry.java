package dev.tern.core.quorum;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.replica.Draft;
import dev.tern.core.replica.Expired;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import org.jspecify.annotations.Nullable;

/// Turns versions whose time has passed into deletes with a dot of their own, so that they go for
/// good: the first live replica of a key writes the delete at the keyspace's level, the others
/// forget the expiry when they have it. What replaced the version in the meantime stays, also where
/// this replica has not heard of it: the delete ranks just above the version that expired and below
/// everything that was written over it, whether as a put or as an update. Two replicas that do it
/// at once write deletes of one stamp.
///
/// Whether a time has passed is told by the median of the members' clocks, and only some seconds
/// after: one clock that is wrong may hide a value for a while, but not remove it.
final class Expiry {
  /// Looked at together.
  private static final int PAGE = 256;

  private final Coordinator coordinator;

  /// Where the walk through the index goes on, partition by partition; empty at its beginning.
  private byte[] cursor = {};

  private boolean underWay;

  Expiry(Coordinator coordinator) {
    this.coordinator = coordinator;
  }

  /// A few times a second.
  void beat() {
    if (!underWay && coordinator.replica().reads().mayHaveExpired()) {
      underWay = true;
      coordinator
          .replica()
          .reads()
          .expired(
              cursor,
              PAGE,
              (page, failure) -> {
                if (page == null) {
                  underWay = false;
                } else {
                  new Page(page).start();
                }
              });
    }
  }

  /// Some of them at a time.
  private final class Page {
    private final Expired.Page page;
    private int left;

    Page(Expired.Page page) {
      this.page = page;
      this.left = page.expired().size() + 1;
    }

    void start() {
      for (Expired each : page.expired()) {
        look(each);
      }
      ended();
    }

    private void ended() {
      left--;
      assert left >= 0 : "an expired version was looked at twice";
      if (left == 0) {
        cursor = page.next();
        underWay = false;
      }
    }

    private void look(Expired each) {
      KeyspaceConfig keyspace = coordinator.view().keyspace(each.keyspace());
      Topology topology = coordinator.view().topology(each.keyspace());
      if (keyspace == null || topology == null) {
        coordinator.replica().writes().forget(each);
        ended();
        return;
      }
      Request request = coordinator.requests().of(keyspace, each.slot(), each.key(), Level.DEFAULT);
      if (request == null || !coordinator.lists().leads(request.replicas())) {
        forgetIfGone(keyspace, each);
        return;
      }
      if (!coordinator.vouches(request)) {
        // What expired here may have been renewed since.
        ended();
        return;
      }
      new WriteOperation(
              coordinator,
              request,
              /* blind= */ false,
              base -> delete(keyspace, each, base),
              new WriteOperation.Done() {
                @Override
                public void written(Siblings record) {
                  coordinator.count(Statistics.Counter.EXPIRED);
                  nothing();
                }

                @Override
                public void nothing() {
                  coordinator.replica().writes().forget(each);
                  ended();
                }

                @Override
                public void failed(Unanswered why) {
                  // The walk comes by again.
                  ended();
                }
              })
          .start();
    }

    private void forgetIfGone(KeyspaceConfig keyspace, Expired each) {
      int slot = each.slot();
      coordinator
          .replica()
          .reads()
          .readLatest(
              keyspace,
              slot,
              each.key(),
              (record, failure) -> {
                boolean here = record != null && record.has(each.replica(), each.counter());
                if (failure == null && !here) {
                  coordinator.replica().writes().forget(each);
                }
                ended();
              });
    }
  }

  private @Nullable Draft delete(
      KeyspaceConfig keyspace, Expired expired, @Nullable Siblings base) {
    boolean lww = keyspace.resolution() == Resolution.LWW;
    boolean here = base != null && base.has(expired.replica(), expired.counter());
    DotSet replaced = new DotSet();
    replaced.add(expired.replica(), expired.counter());
    if (!here && coordinator.planted() == PlantedBug.EXPIRY_DELETES_WHAT_REPLACED_IT) {
      replaced = base == null ? replaced : base.seen();
    } else if (!here) {
      return null;
    }
    if (!lww) {
      return new Draft(ValueType.NONE, null, 0, null, replaced, false);
    }
    boolean fresh = coordinator.planted() == PlantedBug.EXPIRY_TAKES_FRESH_STAMP;
    Stamp stamp = java.util.Objects.requireNonNull(base).newest().stamp();
    Stamp inherited = fresh ? null : stamp.ofExpiry();
    return new Draft(ValueType.NONE, null, 0, inherited, null, false);
  }
}
