package dev.tern.core.repair;

import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.replica.SegmentReader;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage;
import dev.tern.core.wire.RepairPage.RepairRecord;
import dev.tern.core.wire.TreeRange;
import org.jspecify.annotations.Nullable;

/// One partition's comparison with one other replica: reads all of it afresh, compares, and takes
/// what was lost here. What was lost there is the other's to find. On the shard's loop.
///
/// ```
///   read all segments --Root--> other     reads those it has no hash of
///                <--Segments--            nothing if all is alike, else all hashes
///   list an unlike segment --Listed-->    the hashes of its records, a page at a time
///                <--Repaired--            the records that are there otherwise
/// ```
///
/// Nothing stands still meanwhile: what was written between the two readings is unlike, and taken
/// for nothing when it comes ([dev.tern.core.replica.Trees#heal]).
final class Visit {
  private static final long NEVER = Long.MAX_VALUE;
  private static final long[] NOTHING = {};

  private final Scrub scrub;
  private final Exchange exchange;

  /// Place of the other replica among the peers.
  private final int place;

  /// The clock here before anything was read.
  private final DotSet began;

  private final SegmentReader mine;

  /// The request that is under way, 0 for none, and until when it is waited for.
  private long id;

  private long deadline = NEVER;

  /// Segments that are still to be looked at, a bit each: first those that differ.
  private long unlike;

  /// What of the first of them is next.
  private @Nullable TreeRange range;

  private boolean wantsListing;

  /// With the replica at a place.
  Visit(Scrub scrub, Exchange exchange, int place) {
    this.scrub = scrub;
    this.exchange = exchange;
    this.place = place;
    this.began = exchange.partition.clock().copy();
    this.mine = scrub.trees.reader(exchange.partition, /* afresh= */ true);
  }

  /// Whether it is of a partition.
  boolean isOf(Exchange some) {
    return exchange == some;
  }

  void begin() {
    boolean reads =
        scrub.read(
            mine,
            done -> {
              if (done && scrub.isOn(this)) {
                scrub.statistics.add(Counter.TREES_COMPARED, 1);
                int number = exchange.partition.number();
                send(new Message.Root(exchange.group, number, ask(), mine.root()));
              } else {
                end();
              }
            });
    if (!reads) {
      end();
    }
  }

  private void end() {
    scrub.end(this);
  }

  private long ask() {
    id = scrub.ids.getAsLong();
    deadline = scrub.clock.monotonicNanos() + scrub.patienceNanos();
    return id;
  }

  private void send(Message message) {
    scrub.wire.send(exchange.peers[place], exchange.partition.number(), message);
  }

  boolean isLate(long nowNanos) {
    return nowNanos >= deadline;
  }

  boolean awaits(int member, long answered) {
    return id != 0 && id == answered && member == exchange.peers[place];
  }

  private void answered() {
    id = 0;
    deadline = NEVER;
  }

  void segments(Message.Segments theirs) {
    answered();
    if (range != null) {
      // The other cannot read that segment, or lacks something now.
      unlike &= unlike - 1;
      nextSegment();
      return;
    }
    long[] hashes = mine.hashes();
    if (!theirs.known() || theirs.hashes().length != hashes.length) {
      end();
      return;
    }
    unlike = mine.unreadable();
    for (int i = 0; i < hashes.length; i++) {
      if (hashes[i] != theirs.hashes()[i]) {
        unlike |= 1L << i;
      }
    }
    scrub.statistics.add(Counter.TREE_SEGMENTS_UNLIKE, Long.bitCount(unlike));
    nextSegment();
  }

  private int segment() {
    return Long.numberOfTrailingZeros(unlike);
  }

  private void nextSegment() {
    if (unlike == 0) {
      end();
    } else {
      next(scrub.trees.range(exchange.partition, segment(), 0));
    }
  }

  private void next(TreeRange some) {
    range = some;
    wantsListing = true;
  }

  /// Whether [#list] may be called.
  boolean wantsListing() {
    return wantsListing;
  }

  /// Asks for what is otherwise in the next range; tells [Scrub#ended] when it has read.
  void list() {
    wantsListing = false;
    TreeRange some = java.util.Objects.requireNonNull(range);
    if ((mine.unreadable() >>> segment() & 1) != 0) {
      scrub.ended(0);
      ask(some, NOTHING);
      return;
    }
    scrub.trees.list(
        exchange.partition,
        some,
        (listing, failure) -> {
          scrub.ended(listing == null ? 0 : listing.bytes());
          if (listing != null && scrub.isOn(this)) {
            ask(listing.range(), listing.hashes());
          } else {
            end();
          }
        });
  }

  private void ask(TreeRange some, long[] hashes) {
    range = some;
    send(new Message.Listed(exchange.group, exchange.partition.number(), ask(), some, hashes));
  }

  void page(RepairPage page) {
    answered();
    int[] left = {page.records().size() + 1};
    for (RepairRecord record : page.records()) {
      heal(record, page.clock(), left, page);
    }
    stored(left, page);
  }

  private void heal(RepairRecord record, DotSet clock, int[] left, RepairPage page) {
    KeyspaceConfig keyspace = scrub.keyspaces.apply(record.keyspace());
    if (keyspace == null) {
      stored(left, page);
      return;
    }
    scrub.trees.heal(
        keyspace,
        record,
        clock,
        began,
        exchange.claims[place].ungiven(),
        () -> {
          DotView heard = exchange.heard[place];
          return heard != null && clock.covers(heard);
        },
        healed -> {
          if (healed) {
            scrub.statistics.add(Counter.TREE_RECORDS_HEALED, 1);
          }
          stored(left, page);
        });
  }

  /// One record of a page, or the last of them.
  private void stored(int[] left, RepairPage page) {
    if (--left[0] > 0 || !scrub.isOn(this)) {
      return;
    }
    TreeRange done = java.util.Objects.requireNonNull(range);
    byte[] next = page.next().length == 0 ? done.to() : page.next();
    if (!done.isEmpty() && !done.reaches(next)) {
      end();
      return;
    }
    TreeRange whole = scrub.trees.range(exchange.partition, segment(), done.family());
    if (!whole.from(next).isEmpty()) {
      next(whole.from(next));
    } else if (done.family() + 1 < scrub.trees.families()) {
      next(scrub.trees.range(exchange.partition, segment(), done.family() + 1));
    } else {
      unlike &= unlike - 1;
      nextSegment();
    }
  }
}
