package dev.tern.core.quorum;

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
    RESTAMPED_WRITES,
    SUPERSEDED_UPDATES,
    REFUSED_UNAVAILABLE,
    REFUSED_OVERLOADED,
    REFUSED_OTHER,
    UNKNOWN,
    MESSAGES_SENT,
    MESSAGES_UNSENT,
    MESSAGES_RECEIVED,
    /// An operation in flight was refused a place, see [InFlight#CAPACITY].
    IN_FLIGHT_FULL
  }

  private final long[] values = new long[Counter.values().length];

  void add(Counter counter) {
    int index = counter.ordinal();
    VALUE.setOpaque(values, index, values[index] + 1);
  }

  /// Any thread.
  public long value(Counter counter) {
    return (long) VALUE.getOpaque(values, counter.ordinal());
  }
}
