package dev.tern.core.traffic;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.env.Clock;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.ToDoubleFunction;

/// Writes of large values, begun at the pace of the slowest of what they need: disks, links and
/// loops of their replicas. See note 0012.
///
/// ```
///   submit --> begun, if [#underWay] stays within the window --> [#ended]
///          \-> waits, in order, a quarter of its time at most --> begun, or refused
///          \-> refused: as many bytes wait as may
/// ```
///
/// The window follows how long writes take from begin to end, as in Swift (Kumar et al., SIGCOMM
/// 2020). It grows while they take less than [#TARGET_NANOS] and what is under way fills it. It
/// shrinks by as much as they take longer, or by half where one failed, once for all that were
/// under way together. So what queues up anywhere is done within about the target, far below the
/// deadlines; what does not fit has not been begun and is refused as *nothing was done*. Replicas
/// say with their answers how full their memtables are: from half of the room on the window
/// narrows, and is shut where three quarters are full. The last quarter is for small writes, which
/// never wait here.
///
/// Invariant: the first write is begun whatever its size, unless the window is shut.
///
/// Threads: one shard's loop.
///
/// @param <R> what says which replicas a write needs
public final class LargeWrites<R> {
  /// A value of so many bytes is large. Smaller ones are bounded by [Admission] alone.
  public static final int LARGE_BYTES = 16 << 10;

  /// So long a write may take before the window shrinks: a tenth of the usual deadline.
  static final long TARGET_NANOS = 500_000_000;

  /// A write waits for its turn for this part of its time at most, and no longer than that.
  private static final int WAIT_SHARE = 4;

  static final long MAX_WAIT_NANOS = 1_000_000_000;

  /// Parts of the shard's whole cost: the largest window, what may wait, the window at first, and
  /// the least.
  private static final int MOST_SHARE = 2;

  private static final int WAITING_SHARE = 4;
  private static final int FIRST_SHARE = 8;
  private static final int LEAST_SHARE = 32;

  /// The window is shut where the memtables have taken so much of what lies between half and all of
  /// their room.
  private static final double SHUT = 0.5;

  private static final long USUAL_RETRY_MILLIS = 100;

  private record Waiting<R>(
      R request,
      long bytes,
      long untilNanos,
      Consumer<Completion<UpdateOutcome>> write,
      Completion<? super UpdateOutcome> completion) {}

  private final Clock clock;
  private final long mostBytes;
  private final long mostWaitingBytes;
  private final long leastBytes;
  private final DoubleSupplier own;
  private final Runnable refused;

  private final ToDoubleFunction<R> fullness;

  /// How many bytes may be under way.
  private long window;

  /// The window has never shrunk, so it doubles with each time that it is done.
  private boolean starting = true;

  /// When the window last shrank: what was begun until then says nothing more of it.
  private long shrunkNanos;

  /// What the last write took.
  private long tookNanos;

  private long underWay;
  private final ArrayDeque<Waiting<R>> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private boolean beginning;
  private volatile long room;

  /// @param costBytes that requests under way may cost together, see [Admission]
  /// @param fullness of the replicas that a request needs, 0 to 1
  /// @param own the fullness of this node's memtables
  /// @param refused told of each write that is refused
  public LargeWrites(
      Clock clock,
      long costBytes,
      ToDoubleFunction<R> fullness,
      DoubleSupplier own,
      Runnable refused) {
    this.own = own;
    this.refused = refused;
    this.clock = clock;
    this.mostBytes = Math.max(1, costBytes / MOST_SHARE);
    this.mostWaitingBytes = costBytes / WAITING_SHARE;
    this.leastBytes = Math.max(1, costBytes / LEAST_SHARE);
    this.window = Math.max(1, costBytes / FIRST_SHARE);
    this.shrunkNanos = clock.monotonicNanos() - 1;
    this.fullness = fullness;
    this.room = window;
  }

  /// Begins a write now or later, or refuses it.
  ///
  /// @param deadlineNanos when its answer is too late, by the clock's monotonic time
  /// @param bytes of its value
  /// @param write begins it, and tells what it is given when the write has ended
  public void submit(
      R request,
      long deadlineNanos,
      long bytes,
      Consumer<Completion<UpdateOutcome>> write,
      Completion<? super UpdateOutcome> completion) {
    if (waiting.isEmpty() && fits(request, bytes)) {
      begin(bytes, write, completion);
      return;
    }
    if (waitingBytes > 0 && waitingBytes + bytes > mostWaitingBytes) {
      refuse(completion);
      return;
    }
    long now = clock.monotonicNanos();
    long wait = Math.clamp((deadlineNanos - now) / WAIT_SHARE, 0, MAX_WAIT_NANOS);
    waiting.add(new Waiting<>(request, bytes, now + wait, write, completion));
    waitingBytes += bytes;
    room = 0;
  }

  private void begin(
      long bytes,
      Consumer<Completion<UpdateOutcome>> write,
      Completion<? super UpdateOutcome> completion) {
    long began = clock.monotonicNanos();
    underWay += bytes;
    assert window >= leastBytes && window <= mostBytes : window;
    look();
    write.accept(
        outcome -> {
          ended(bytes, began, outcome);
          completion.complete(outcome);
        });
  }

  private boolean fits(R request, long bytes) {
    double full = fullness.applyAsDouble(request);
    if (full >= SHUT) {
      return false;
    }
    return underWay == 0 || underWay + bytes <= window * (1 - full / SHUT);
  }

  private void ended(long bytes, long beganNanos, UpdateOutcome outcome) {
    long now = clock.monotonicNanos();
    long took = now - beganNanos;
    boolean filled = underWay + bytes > window / 2;
    underWay -= bytes;
    assert underWay >= 0 : "a write ends that was not begun";
    tookNanos = took;
    boolean failed =
        outcome instanceof Unanswered.Unknown
            || outcome instanceof Unanswered.Refused why && why.reason() == Reason.OVERLOADED;
    if (failed || took > TARGET_NANOS) {
      if (beganNanos > shrunkNanos) {
        double kept = failed ? 0.5 : Math.max(0.5, 0.5 + 0.5 * TARGET_NANOS / took);
        window = Math.max(leastBytes, (long) (window * kept));
        shrunkNanos = now;
        starting = false;
      }
    } else if (filled) {
      long more = starting ? bytes : Math.max(1, bytes * leastBytes / window);
      window = Math.min(mostBytes, window + more);
    }
    beginWaiting();
  }

  /// Begins what fits by now and refuses what has waited for too long; to be called a few times a
  /// second. It also happens whenever a write ends.
  public void beginWaiting() {
    if (beginning) {
      return;
    }
    beginning = true;
    try {
      Waiting<R> first;
      while ((first = waiting.peek()) != null) {
        boolean late = clock.monotonicNanos() >= first.untilNanos();
        if (!late && !fits(first.request(), first.bytes())) {
          return;
        }
        waiting.remove();
        waitingBytes -= first.bytes();
        assert waitingBytes >= 0 && waiting.isEmpty() == (waitingBytes == 0);
        if (late) {
          refuse(first.completion());
        } else {
          begin(first.bytes(), first.write(), first.completion());
        }
      }
    } finally {
      beginning = false;
      look();
    }
  }

  private void refuse(Completion<? super UpdateOutcome> completion) {
    refused.run();
    long millis = Math.max(USUAL_RETRY_MILLIS, tookNanos / 1_000_000);
    completion.complete(
        new Unanswered.Refused(
            Reason.OVERLOADED,
            "the replicas do not take so many large values at a time",
            Math.min(millis, Admission.MAX_RETRY_MILLIS)));
  }

  private void look() {
    double full = own.getAsDouble();
    long allowed = full >= SHUT || waitingBytes > 0 ? 0 : (long) (window * (1 - full / SHUT));
    // The first one always fits.
    room = Math.max(underWay == 0 ? Math.min(1, allowed) : 0, allowed - underWay);
  }

  /// Bytes that would be begun at once, 0 for none; any thread, as of the last write or beat.
  public long room() {
    return room;
  }
}
