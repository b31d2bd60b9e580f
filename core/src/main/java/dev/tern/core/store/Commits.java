package dev.tern.core.store;

import dev.tern.core.context.CoreMark;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.env.CoverageMarks;
import dev.tern.env.EventLoop;
import dev.tern.lsm.Lsm;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Group commit: gathers who waits for which sequence and drives the log.
///
/// All that was appended in one turn of the loop goes to the operating system in one call at its
/// end, or in several if many wait for the disk, so that it works while a long turn goes on. One
/// fsync at a time is offloaded; it covers all that was handed over before it began, and another
/// follows for what came meanwhile. So the more wait, the more share a call. On the shard's loop.
public final class Commits {
  /// Why a node stops whose log could not be forced.
  public static final String UNKNOWN_LOG =
      "the log could not be forced to disk; what it holds is unknown, so this node stops";

  private static final long RETRY_NANOS = 50_000_000;

  /// So many that wait for the disk are handed over before the turn ends.
  private static final int MANY = 128;

  private record Waiter(long sequence, Runnable then) {}

  private final Lsm lsm;
  private final EventLoop loop;
  private final ArrayDeque<Waiter> logged = new ArrayDeque<>();
  private final ArrayDeque<Waiter> synced = new ArrayDeque<>();
  private boolean tickScheduled;
  private boolean syncing;

  /// Waiters for the disk since the last hand-over.
  private int unforced;

  /// Told up to which sequence the disk has everything.
  private final LongConsumer told;

  /// Where an early acknowledgement is planted by tests.
  private final boolean ackBeforeDurable;

  /// Told why the log did not take what was written, null when it does.
  private final Consumer<@Nullable Throwable> stalled;

  /// Drives the log of one store.
  ///
  /// @param ackBeforeDurable whether a test plants that nobody waits for the disk
  /// @param told up to which sequence the disk has everything
  /// @param stalled told why the log did not take what was written, null when it does
  public Commits(
      Lsm lsm,
      EventLoop loop,
      boolean ackBeforeDurable,
      LongConsumer told,
      Consumer<@Nullable Throwable> stalled) {
    this.stalled = stalled;
    this.lsm = lsm;
    this.loop = loop;
    this.ackBeforeDurable = ackBeforeDurable;
    this.told = told;
  }

  /// Runs `then` on the loop when `sequence` is as durable as asked; at once for `NONE`.
  public void await(long sequence, Durability durability, Runnable then) {
    if (durability == Durability.NONE || ackBeforeDurable) {
      scheduleTick();
      then.run();
      return;
    }
    if (sequence <= visible(durability)) {
      then.run();
      return;
    }
    (durability == Durability.OS ? logged : synced).add(new Waiter(sequence, then));
    scheduleTick();
    if (durability == Durability.SYNC && ++unforced == MANY) {
      beginEarly();
    }
  }

  /// Nobody is told anything before the turn ends: whoever waits may be in the middle of a write.
  private void beginEarly() {
    try {
      handOver();
    } catch (IOException e) {
      // The turn's end tries again.
      return;
    }
    force();
  }

  private void handOver() throws IOException {
    unforced = 0;
    try {
      lsm.flushLog();
      stalled.accept(null);
    } catch (IOException e) {
      stalled.accept(e);
      throw e;
    }
  }

  /// The newest sequence that a reader of that durability may see.
  public long visible(Durability durability) {
    return switch (durability) {
      case NONE -> Long.MAX_VALUE;
      case OS -> lsm.loggedSequence();
      case SYNC -> lsm.syncedSequence();
    };
  }

  /// A log whose file could not be made takes nothing and says nothing: those that wait are looked
  /// at again; a few times a second.
  public void goOn() {
    if (!logged.isEmpty() || !synced.isEmpty()) {
      scheduleTick();
    }
  }

  private void scheduleTick() {
    if (!tickScheduled) {
      tickScheduled = true;
      loop.execute(this::endOfTick);
    }
  }

  private void endOfTick() {
    tickScheduled = false;
    try {
      handOver();
    } catch (IOException e) {
      assert CoverageMarks.reach(CoreMark.LOG_STALLED);
      // The bytes stay in the buffer and in order; the engine refuses new writes meanwhile.
      tickScheduled = true;
      loop.schedule(RETRY_NANOS, this::endOfTick);
      return;
    }
    release(logged, lsm.loggedSequence());
    sync();
  }

  private void sync() {
    told.accept(lsm.syncedSequence());
    release(synced, lsm.syncedSequence());
    force();
  }

  private void force() {
    // What waits for bytes that the log has not taken yet is synced after the tick that hands them
    // over.
    if (syncing || synced.isEmpty() || lsm.loggedSequence() == lsm.syncedSequence()) {
      return;
    }
    syncing = true;
    loop.<Boolean>offload(
        () -> {
          while (lsm.loggedSequence() != lsm.syncedSequence()) {
            lsm.syncLog();
          }
          return true;
        },
        (done, failure) -> {
          syncing = false;
          if (failure != null) {
            throw new IllegalStateException(UNKNOWN_LOG, failure);
          }
          sync();
        });
  }

  private static void release(ArrayDeque<Waiter> waiters, long sequence) {
    Waiter first;
    while ((first = waiters.peek()) != null && first.sequence <= sequence) {
      waiters.poll();
      first.then.run();
    }
  }

  /// Those who wait for the log or the disk.
  public int waiting() {
    return logged.size() + synced.size();
  }
}
