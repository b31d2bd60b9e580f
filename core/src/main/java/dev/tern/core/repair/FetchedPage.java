package dev.tern.core.repair;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Reads;
import dev.tern.core.replica.Writes;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.core.wire.RepairPage;
import dev.tern.core.wire.RepairPage.RepairRecord;
import java.util.ArrayList;
import java.util.List;

/// One page of records that is being stored. A record that is refused is passed over: the others
/// are stored, and its dots are not claimed.
///
/// Threads: the shard's loop.
final class FetchedPage {
  /// A record that the overloaded store refused is tried again for so long.
  private static final long OVERLOADED_NANOS = 20_000_000_000L;

  private final Fetches fetches;
  private final Exchange exchange;
  private final RepairPage page;
  private final long id;
  private final long untilNanos;

  /// Whether the page is one of a rebuild: its records stand for all that is here of their keys.
  private final boolean whole;

  /// The dots of records that were refused.
  private final DotSet refused = new DotSet();

  /// Records that the overloaded store refused.
  private List<RepairRecord> later = new ArrayList<>();

  private int left;

  FetchedPage(Fetches fetches, Exchange exchange, RepairPage page) {
    this.fetches = fetches;
    this.exchange = exchange;
    this.page = page;
    this.id = exchange.fetchId;
    this.untilNanos = fetches.clock().monotonicNanos() + OVERLOADED_NANOS;
    this.whole = exchange.isWhole(page);
  }

  void store() {
    exchange.page = null;
    fetches.statistics().add(Counter.REPAIRED_RECORDS, page.records().size());
    fetches.statistics().add(Counter.REPAIRED_BYTES, page.bytes());
    store(page.records());
  }

  /// Stores again what the overloaded store refused.
  void again() {
    exchange.page = null;
    List<RepairRecord> records = later;
    later = new ArrayList<>();
    store(records);
  }

  private void store(List<RepairRecord> records) {
    exchange.fetchDeadline = fetches.clock().monotonicNanos() + Fetches.FETCH_NANOS;
    left = records.size() + 1;
    for (RepairRecord record : records) {
      KeyspaceConfig keyspace = fetches.view().keyspace(record.keyspace());
      if (fetches.planted() == PlantedBug.REPAIR_CLAIMS_WITHOUT_RECORDS
          || keyspace == null && fetches.view().dropped(record.keyspace())) {
        ended();
      } else if (keyspace == null) {
        // One that is not known here yet: claimed, its records would be lost.
        refused.addAll(record.record().dots());
        ended();
      } else {
        Siblings filled = Reads.filled(keyspace, record.record(), page.clock());
        int slot = record.slot();
        fetches
            .replica()
            .writes()
            .apply(
                keyspace, slot, record.key(), filled, 0, Writes.ANY_EPOCH, whole, new One(record));
      }
    }
    ended();
  }

  private void ended() {
    left--;
    assert left >= 0 : "a record of a page has two outcomes";
    if (left > 0 || exchange.fetchId != id) {
      return;
    }
    if (later.isEmpty()) {
      fetches.stored(exchange, page, refused);
    } else {
      exchange.page = this;
    }
  }

  /// Takes the outcome of one record of the page.
  private final class One implements Applied {
    private final RepairRecord record;

    One(RepairRecord record) {
      this.record = record;
    }

    @Override
    public void durable() {
      ended();
    }

    @Override
    public void superseded(Version by) {
      ended();
    }

    @Override
    public void refused(Unanswered.Refused why) {
      if (why.isOfStore() && fetches.clock().monotonicNanos() < untilNanos) {
        later.add(record);
      } else {
        fetches.statistics().add(Counter.REPAIR_PASSED_OVER, 1);
        refused.addAll(record.record().dots());
      }
      ended();
    }
  }
}
