package dev.tern.core.quorum;

import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.version.Siblings;
import org.jspecify.annotations.Nullable;

/// A linearizable read of a key: it never shows an update that a later leader's may replace.
///
/// It asks a quorum, whose replicas refuse while they have promised more than the ballot of the
/// update that they hold ([ReadOperation#confirmed]). As long as one replica leads the key none
/// refuses, and the read is one round. Where too many refuse, the key's leader is asked for a round
/// that changes nothing: it writes what is there under its own ballot. Then the read begins anew.
/// Why this is enough stands in docs/design/0011.
final class ConfirmedRead implements ReadOperation.Done {
  /// Rounds of the leader that a read asks for before it gives up.
  private static final int MAX_ROUNDS = 8;

  /// After a round that failed the read waits so long, times the rounds before.
  private static final long PAUSE_NANOS = 5_000_000;

  private final Coordinator coordinator;
  private final Request request;
  private final ReadOperation.Done done;
  private int rounds;

  ConfirmedRead(Coordinator coordinator, Request request, ReadOperation.Done done) {
    this.coordinator = coordinator;
    this.request = request;
    this.done = done;
  }

  void start() {
    new ReadOperation(coordinator, request, ReadOperation.Purpose.ANSWER, this).confirmed().start();
  }

  @Override
  public void read(@Nullable Siblings record, boolean uniform) {
    done.read(record, uniform);
  }

  @Override
  public void failed(Unanswered why) {
    done.failed(why);
  }

  @Override
  public void outvoted(long by) {
    long leftMillis = (request.deadlineNanos() - coordinator.nowNanos()) / 1_000_000;
    if (rounds == MAX_ROUNDS || leftMillis <= 0) {
      done.failed(ReadOperation.outvotedRefusal());
      return;
    }
    rounds++;
    coordinator.count(Statistics.Counter.CONFIRMED_READS);
    int timeout = (int) Math.min(leftMillis, Integer.MAX_VALUE);
    Level level = new Level(Level.ATOMIC, Level.ATOMIC, timeout);
    coordinator.update(
        request.keyspace(), request.key(), Update.identity(), level, false, this::confirmed);
  }

  private void confirmed(UpdateOutcome outcome) {
    switch (outcome) {
      case UpdateOutcome.Done o -> start();
      case UpdateOutcome.Rejected o -> start();
      case UpdateOutcome.Stored o -> start();
      case Unanswered.Unknown o -> later();
      case Unanswered.Refused refused -> {
        if (refused.reason() == Reason.TRY_AGAIN) {
          later();
        } else {
          done.failed(refused);
        }
      }
    }
  }

  private void later() {
    coordinator.inFlight().later(rounds * PAUSE_NANOS, this::start);
  }
}
