package dev.tern.core.store;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.env.DiskFull;
import dev.tern.env.Events;
import dev.tern.env.NodeEvent;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WritePressure;
import org.jspecify.annotations.Nullable;

/// Why a store takes no writes, if it does not: its disk is full or nearly so, or it is behind.
///
/// Threads: the shard's loop, but where said.
public final class Blockage {
  /// After so long a write that found too little room may be tried again.
  private static final long LOW_RETRY_MILLIS = 500;

  private final Lsm lsm;
  private final DiskReserve reserve;
  private final int self;
  private final int shard;
  private final Events events;

  /// Of the failures that the engine shows the last one may be long past: only one that was not
  /// there when writes were last taken is a reason.
  private long failuresBefore;

  private @Nullable String stalled;
  private volatile @Nullable String full;
  private boolean refusing;

  /// Of one shard's store.
  ///
  /// @param self the member whose store it is
  /// @param events told when writes begin or cease to be refused
  public Blockage(Lsm lsm, DiskReserve reserve, int self, int shard, Events events) {
    this.lsm = lsm;
    this.reserve = reserve;
    this.self = self;
    this.shard = shard;
    this.events = events;
  }

  /// The log did not take what was written; null if it does.
  public void stalled(@Nullable Throwable failure) {
    stalled = failure == null ? null : String.valueOf(failure.getMessage());
  }

  /// What the disk said if it is full, null if it is not; any thread, as of the last beat or write.
  public @Nullable String full() {
    return full;
  }

  /// A few times a second.
  public void beat() {
    look(lsm.pressure());
  }

  /// What a write is told now, null if it may be done.
  public Unanswered.@Nullable Refused refusal(WritePressure pressure) {
    if (refuses(pressure) != refusing) {
      look(pressure);
    }
    if (!pressure.refused()) {
      return refusing ? refusal(self, LOW_RETRY_MILLIS) : null;
    }
    return full == null
        ? new Unanswered.Refused(
            Reason.OVERLOADED,
            "the store of node %d is behind with its writes".formatted(self),
            pressure.retryAfterMillis())
        : refusal(self, pressure.retryAfterMillis());
  }

  /// What is said of a full disk.
  static Unanswered.Refused refusal(int node, long retryAfterMillis) {
    return new Unanswered.Refused(
        Reason.DISK_FULL,
        "the disk of node %d is full: make room there; reads go on".formatted(node),
        retryAfterMillis);
  }

  private boolean refuses(WritePressure pressure) {
    return pressure.refused() || reserve.low() != null;
  }

  private void look(WritePressure pressure) {
    boolean before = refusing;
    String low = reserve.low();
    refusing = pressure.refused() || low != null;
    var figures = lsm.statistics();
    if (!refusing) {
      failuresBefore = figures.backgroundFailures();
      full = null;
      if (before) {
        events.happened(new NodeEvent.WritesTaken(shard));
      }
      return;
    }
    boolean failed = figures.backgroundFailures() > failuresBefore;
    String why = DiskFull.says(stalled) ? stalled : failed ? figures.lastFailure() : null;
    boolean wasFull = full != null;
    full = DiskFull.says(why) ? why : low;
    if (!before || wasFull != (full != null)) {
      String told =
          full == null
              ? "they come faster than the disk takes them"
              : "the disk is full; make room, reads go on";
      events.happened(new NodeEvent.WritesRefused(shard, told));
    }
  }
}
