package dev.tern.core.context;

import dev.tern.core.keyspace.Unanswered;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// What one shard has done since it started: written on its loop, read by any thread.
public final class Statistics {
  private static final VarHandle VALUE = MethodHandles.arrayElementVarHandle(long[].class);

  /// What is counted, each with what it says to an operator. `/metrics` shows it.
  public enum Counter {
    READS("reads that clients sent to this node"),
    WRITES("blind writes (put, delete) that clients sent to this node"),
    UPDATES("writes of this node that read first (INCR, SET NX), those forwarded to it included"),
    UPDATE_ROUNDS(
        "reads for updates that this node led; updates of a key that wait together share one"),
    FORWARDED("requests handed on to a replica, as this node has none of the key"),
    HEDGED_READS("reads that asked one more replica, as the first ones were slow"),
    READ_REPAIRS("records that reads brought to replicas that lacked them"),
    CONFIRMED_READS("rounds that linearizable reads asked leaders for"),
    RESTAMPED_WRITES("blind writes minted again above a stamp that a replica had already"),
    SUPERSEDED_UPDATES("updates that met a later version at a replica"),
    CONFLICTING_UPDATES("updates of a version of which another replica led an update, too"),
    REFUSED_UNAVAILABLE("requests refused as too few replicas could answer"),
    REFUSED_OVERLOADED("requests refused as this node or its peers have too much to do"),
    REFUSED_DISK_FULL("requests refused as the disk of a replica that they need is full"),
    REFUSED_OTHER(
        "requests refused for another reason: what they ask for is not possible, or to be tried again"),
    UNKNOWN("requests that ended as unknown: the write may have happened"),
    MESSAGES_SENT("messages handed to connections to other nodes"),
    MESSAGES_UNSENT("messages that no connection to the node took"),
    MESSAGES_TOO_LARGE("messages that no frame takes; who waits for them was told so"),
    MESSAGES_RECEIVED("messages of other nodes"),
    FRAMES_MALFORMED(
        "frames of other nodes that could not be decoded; their connections were closed"),
    EXPIRED("versions whose time had passed and that were turned into deletes"),
    HINTS_ASKED("writes that other nodes were asked to hold for replicas that are away"),
    HINTS_HELD("requests to hold a write for another node that came here"),
    HINTS_REPLAYED("held writes that came to their replicas"),
    HINTS_PASSED_OVER(
        "deliveries of held writes that failed while others went on; they are tried again"),
    HINTS_REFUSED("writes that this node did not hold for want of room; anti-entropy brings them"),
    CLOCKS_TOLD("clocks of partitions that were told to other replicas"),
    REPAIR_PAGES("pages of records that were asked of other replicas"),
    REPAIRED_RECORDS("records that came on pages of repair"),
    REPAIRED_BYTES("bytes of keys and values that came on pages of repair"),
    REPAIR_PASSED_OVER(
        "records of repair refused here, and pages with records that the sender could not read"),
    REBUILDS("partitions that were taken from another replica whole"),
    SNAPSHOTS_INSTALLED("partitions that were taken from another replica as tables"),
    LOGS_CUT("logs of dots that were cut before a replica that is away had them"),
    STRIPPED_DELETES("deletes that were forgotten, as no replica can need them"),
    STRIPS_HELD_UP(
        "times that deletes of a partition stayed as a member holds a write for its replicas"),
    STRIPS_UNANSWERED("times that deletes of a partition stayed as a member could not be asked"),
    NEW_REPLICA_IDS("times that this store took a new replica id: its directory was set back"),
    TREES_COMPARED("partitions whose hash trees were compared with those of another replica"),
    TREE_SEGMENTS_UNLIKE("segments of hash trees that differed, if only by what was just written"),
    TREE_SEGMENTS_UNREADABLE("segments of hash trees that could not be read: a file is corrupt"),
    TREE_RECORDS_HEALED(
        "records that a disk lost or altered and that were taken from another replica"),
    TREE_BYTES_READ("bytes of records read for hash trees"),
    IN_FLIGHT_FULL("requests refused as too many are in flight"),
    COST_REFUSED("requests of clients refused as those under way cost too much"),
    REPLICA_COST_REFUSED("requests of other nodes refused as those under way cost too much"),
    LARGE_REFUSED("writes of large values that were refused before they were begun"),
    REPLICAS_OVERLOADED(
        "writes refused as too many of their replicas have said that they are overloaded"),
    CACHED_READS("reads of hot keys that were answered from what a replica had said lately"),
    SPREAD_READS("reads of hot keys that went to one of all replicas in turn");

    private final String help;

    Counter(String help) {
      this.help = help;
    }

    /// What is counted, for operators: one fact, with its unit.
    public String help() {
      return help;
    }
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
