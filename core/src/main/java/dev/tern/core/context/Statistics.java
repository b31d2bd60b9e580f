package dev.tern.core.context;

import dev.tern.core.keyspace.Unanswered;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// What one shard has done since it started: written on its loop, read by any thread.
public final class Statistics {
  private static final VarHandle VALUE = MethodHandles.arrayElementVarHandle(long[].class);

  /// What is counted.
  public enum Counter {
    READS,
    WRITES,
    UPDATES,
    UPDATE_ROUNDS,
    FORWARDED,
    HEDGED_READS,
    READ_REPAIRS,
    /// Rounds that linearizable reads asked leaders for, see `ConfirmedRead`.
    CONFIRMED_READS,
    RESTAMPED_WRITES,
    SUPERSEDED_UPDATES,
    /// Updates of a version of which another replica led an update, too.
    CONFLICTING_UPDATES,
    REFUSED_UNAVAILABLE,
    REFUSED_OVERLOADED,
    /// Requests that were refused as the disk of a replica that they need is full.
    REFUSED_DISK_FULL,
    REFUSED_OTHER,
    UNKNOWN,
    MESSAGES_SENT,
    MESSAGES_UNSENT,
    /// Messages that no frame takes: who waits for them was told so.
    MESSAGES_TOO_LARGE,
    MESSAGES_RECEIVED,
    /// Frames of other nodes that could not be decoded, or named what they cannot: the connection
    /// that they came on was closed, nothing else was done.
    FRAMES_MALFORMED,
    /// Versions whose time had passed and that were turned into deletes.
    EXPIRED,
    /// Writes that other nodes were asked to hold for replicas that are away.
    HINTS_ASKED,
    /// Such requests that came here.
    HINTS_HELD,
    /// Held writes that came to their replicas.
    HINTS_REPLAYED,
    /// Deliveries of held writes that were refused, were not answered or could not be read, while
    /// others went on: they are tried again.
    HINTS_PASSED_OVER,
    /// Writes that this node did not hold, for what it holds already or its store: anti-entropy
    /// brings them.
    HINTS_REFUSED,
    /// Clocks of partitions that were told to other replicas.
    CLOCKS_TOLD,
    /// Pages of records that were asked of other replicas.
    REPAIR_PAGES,
    /// Records that came on them.
    REPAIRED_RECORDS,
    /// Bytes of keys and values on them.
    REPAIRED_BYTES,
    /// Records of them that were refused here, and pages with some that the sender could not read:
    /// asked for again later, or of another replica.
    REPAIR_PASSED_OVER,
    /// Partitions that had to be taken from another replica whole.
    REBUILDS,
    /// Times a log of dots grew too long, and was cut before a replica that is away had it.
    LOGS_CUT,
    /// Deletes that were forgotten.
    STRIPPED_DELETES,
    /// Times that deletes of a partition stayed as a member holds a write for its replicas.
    STRIPS_HELD_UP,
    /// Times that they stayed as a member could not be asked, or did not answer.
    STRIPS_UNANSWERED,
    /// Times this store took a new replica id, as others knew of dots it had not given out.
    NEW_REPLICA_IDS,
    /// Partitions whose hash trees were compared with another replica's.
    TREES_COMPARED,
    /// Segments of them that differed, if only by what was just written.
    TREE_SEGMENTS_UNLIKE,
    /// Segments that could not be read: a file holds what cannot have been written.
    TREE_SEGMENTS_UNREADABLE,
    /// Records that were lost or altered below the clocks, and were taken from another replica.
    TREE_RECORDS_HEALED,
    /// Bytes of records read for all that.
    TREE_BYTES_READ,
    /// An operation in flight was refused a place, see `InFlight`.
    IN_FLIGHT_FULL,
    /// A request was refused as those under way cost too much, see `Admission`.
    COST_REFUSED,
    /// A request of another node, to a replica here, was refused for the same reason.
    REPLICA_COST_REFUSED,
    /// A write of a large value was refused before it was begun, see `LargeWrites`.
    LARGE_REFUSED,
    /// A write was refused as too many of its replicas have said that they are overloaded.
    REPLICAS_OVERLOADED,
    /// Reads of hot keys that were answered from what a replica had said lately.
    CACHED_READS,
    /// Reads of hot keys that went to one of all replicas in turn.
    SPREAD_READS
  }

  private final long[] values = new long[Counter.values().length];

  void add(Counter counter) {
    add(counter, 1);
  }

  /// On the shard's loop.
  public void add(Counter counter, long count) {
    int index = counter.ordinal();
    VALUE.setOpaque(values, index, values[index] + count);
  }

  /// A request was not answered.
  public void failed(Unanswered why) {
    add(
        switch (why) {
          case Unanswered.Unknown unknown -> Counter.UNKNOWN;
          case Unanswered.Refused refused ->
              switch (refused.reason()) {
                case UNAVAILABLE, UNREADABLE -> Counter.REFUSED_UNAVAILABLE;
                case OVERLOADED -> Counter.REFUSED_OVERLOADED;
                case DISK_FULL -> Counter.REFUSED_DISK_FULL;
                case TRY_AGAIN, INVALID, LOADING, MOVING -> Counter.REFUSED_OTHER;
              };
        });
  }

  /// Any thread.
  public long value(Counter counter) {
    return (long) VALUE.getOpaque(values, counter.ordinal());
  }
}
