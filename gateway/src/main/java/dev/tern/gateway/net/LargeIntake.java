package dev.tern.gateway.net;

import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Reads large requests of one loop's clients at the pace at which the node takes large values. See
/// note 0012.
///
/// A large request that would be refused costs as much to read as one that is carried out, and what
/// clients send takes the loop away from what the other members send. So a connection in the middle
/// of a large request is read on only when there is room for the request; until then its bytes stay
/// with the client, as TCP does it. Connections that send small requests are not held up.
///
/// Nobody is held up for longer than [#MAX_PAUSE_NANOS]: then the request is read and the node says
/// what becomes of it. Room that was given to a connection that sends nothing is given to the next
/// after [#GRANT_NANOS].
///
/// Threads: one loop.
public final class LargeIntake {
  /// A connection is read on while less than this of its request is to come.
  static final int LARGE_BYTES = 64 << 10;

  static final long MAX_PAUSE_NANOS = 2_000_000_000;
  static final long GRANT_NANOS = 1_000_000_000;
  private static final long LOOK_NANOS = 2_000_000;

  private final EventExecutor loop;
  private final LongSupplier room;
  private final LongSupplier nanos;
  private final ArrayDeque<Share> paused = new ArrayDeque<>();

  /// From the oldest on; some have been read whole.
  private final ArrayDeque<Grant> grants = new ArrayDeque<>();

  /// Bytes to come of requests that may be read, as of when that was granted.
  private long granted;

  private boolean looking;

  /// @param room bytes of large values that would be begun at once, 0 for none
  /// @param nanos monotonic
  public LargeIntake(EventExecutor loop, LongSupplier room, LongSupplier nanos) {
    this.loop = loop;
    this.room = room;
    this.nanos = nanos;
  }

  private static final class Grant {
    final long untilNanos;
    long bytes;

    Grant(long bytes, long untilNanos) {
      this.bytes = bytes;
      this.untilNanos = untilNanos;
    }
  }

  /// One connection's part.
  public final class Share {
    private final Runnable resume;
    private @Nullable Grant grant;
    private boolean waits;
    private long missing;
    private long sinceNanos;

    /// @param resume called when the connection may be read again
    public Share(Runnable resume) {
      this.resume = resume;
    }

    /// Whether the connection is to be read on.
    ///
    /// @param toCome bytes of its present request that have not come
    public boolean reads(long toCome) {
      if (toCome < LARGE_BYTES) {
        release();
        return true;
      }
      if (grant != null) {
        return true;
      }
      missing = toCome;
      if (!waits && paused.isEmpty() && fits(toCome)) {
        grant(this);
        return true;
      }
      if (!waits) {
        waits = true;
        sinceNanos = nanos.getAsLong();
        paused.add(this);
        lookLater();
      }
      return false;
    }

    /// The connection is over, or its request has come.
    public void release() {
      if (grant != null) {
        granted -= grant.bytes;
        grant.bytes = 0;
        grant = null;
      }
      if (waits) {
        waits = false;
        paused.remove(this);
      }
    }
  }

  private boolean fits(long bytes) {
    long free = room.getAsLong();
    return free > 0 && (granted == 0 || granted + bytes <= free);
  }

  private void grant(Share share) {
    share.grant = new Grant(share.missing, nanos.getAsLong() + GRANT_NANOS);
    grants.add(share.grant);
    granted += share.missing;
  }

  private void lookLater() {
    if (!looking) {
      looking = true;
      loop.schedule(this::look, LOOK_NANOS, TimeUnit.NANOSECONDS);
    }
  }

  private void look() {
    looking = false;
    long now = nanos.getAsLong();
    Grant oldest;
    while ((oldest = grants.peek()) != null && (oldest.bytes == 0 || now >= oldest.untilNanos)) {
      granted -= oldest.bytes;
      oldest.bytes = 0;
      grants.remove();
    }
    Share first;
    while ((first = paused.peek()) != null
        && (fits(first.missing) || now - first.sinceNanos >= MAX_PAUSE_NANOS)) {
      paused.remove();
      first.waits = false;
      grant(first);
      first.resume.run();
    }
    if (!paused.isEmpty()) {
      lookLater();
    }
  }
}
