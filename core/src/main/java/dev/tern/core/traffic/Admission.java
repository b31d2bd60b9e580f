package dev.tern.core.traffic;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.version.Siblings;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// What requests under way are estimated to cost, in bytes of memory, bounded: those that do not
/// fit are refused at once, with the time that what is under way needs at the rate of late. One
/// request always fits.
///
/// Counting requests is not enough: thirty thousand of a hundred bytes are little, of ten mebibytes
/// more than there is.
///
/// Threads: one shard's loop. Nothing is allocated but refusals.
public final class Admission {
  /// What a request costs besides its value: the operation, its messages, their buffers.
  static final int FIXED_BYTES = 1024;

  /// A key in a page of a scan.
  private static final int SCANNED_KEY_BYTES = 128;

  static final long MIN_RETRY_MILLIS = 1;
  static final long MAX_RETRY_MILLIS = 5_000;

  /// As long as nothing better is known; a rate needs as long to be measured.
  static final long USUAL_RETRY_MILLIS = 20;

  /// There is much to do while one in so many parts of the room is taken.
  private static final int BUSY_SHARE = 8;

  /// Records from so many bytes on are remembered by their keys: a smaller one costs little more
  /// than its request.
  static final int LARGE_BYTES = 16 << 10;

  /// Large records remembered; a power of two. Another of the same place takes it.
  private static final int REMEMBERED = 4_096;

  private final long mostBytes;

  /// Of what is under way, never negative.
  private long underWay;

  /// Cost of what came to its end since the window began.
  private long done;

  private long beganNanos;

  /// Whether there was much to do then: a window in which little is done as little is asked says
  /// nothing of the rate.
  private boolean beganBusy;

  /// The same of the window before; zeros if it was not busy.
  private long doneBefore;

  private long beforeNanos;

  /// By hash of key: the key's whole hash and how large its record was when it was last read; 0 for
  /// none. What one key holds says nothing of another, so there is no mean.
  private final int[] largeHashes = new int[REMEMBERED];

  private final int[] largeBytes = new int[REMEMBERED];

  /// @param mostBytes estimated cost of what may be under way at a time
  public Admission(long mostBytes, long nowNanos) {
    this.mostBytes = mostBytes;
    this.beganNanos = nowNanos;
  }

  /// Takes a request on, if there is room for it; [#finished] must follow.
  public boolean admits(long cost) {
    if (underWay > 0 && underWay + cost > mostBytes) {
      return false;
    }
    underWay += cost;
    return true;
  }

  /// A request that was taken on came to its end.
  public void finished(long cost) {
    underWay -= cost;
    done += cost;
    assert cost >= 0 && underWay >= 0 : "a request ends that was not taken on";
  }

  /// What a read of a key answered.
  public void answered(byte[] key, @Nullable Siblings record) {
    long bytes = record == null ? 0 : record.valueBytes();
    int hash = hash(key);
    int place = hash & (REMEMBERED - 1);
    if (bytes >= LARGE_BYTES) {
      largeHashes[place] = hash;
      largeBytes[place] = (int) Math.min(bytes, Integer.MAX_VALUE);
    } else if (largeHashes[place] == hash) {
      largeBytes[place] = 0;
    }
  }

  /// What a read of a key is likely to cost.
  public long readCost(byte[] key) {
    return FIXED_BYTES + likelyBytes(key);
  }

  private long likelyBytes(byte[] key) {
    int hash = hash(key);
    int place = hash & (REMEMBERED - 1);
    return largeHashes[place] == hash ? largeBytes[place] : 0;
  }

  private static int hash(byte[] key) {
    int hash = Arrays.hashCode(key) * 0x9E3779B1;
    return hash ^ hash >>> 15;
  }

  /// What a scan of so many keys costs.
  public static long scanCost(int limit) {
    return FIXED_BYTES + (long) limit * SCANNED_KEY_BYTES;
  }

  /// What it costs to store a record.
  public static long writeCost(byte[] key, Siblings record) {
    return FIXED_BYTES + key.length + record.valueBytes();
  }

  /// What an update costs.
  public long updateCost(byte[] key, Update update) {
    long cost = FIXED_BYTES + key.length + bytes(update);
    return update.blind() ? cost : cost + likelyBytes(key);
  }

  /// Bytes of the value that an update brings.
  public static long bytes(Update update) {
    return switch (update) {
      case Update.Put u -> u.value().length;
      case Update.Store u -> u.value() == null ? 0 : u.value().length;
      case Update.Append u -> u.suffix().length;
      case Update.Delete u -> 0;
      case Update.Add u -> 0;
      case Update.AddDecimal u -> 0;
      case Update.Expire u -> 0;
    };
  }

  /// Begins another window to measure the rate in, unless nothing moves.
  public void beat(long nowNanos) {
    boolean busy = underWay >= mostBytes / BUSY_SHARE;
    if (busy && beganBusy && done == 0) {
      return;
    }
    doneBefore = beganBusy ? done : 0;
    beforeNanos = beganBusy ? nowNanos - beganNanos : 0;
    done = 0;
    beganNanos = nowNanos;
    beganBusy = busy;
  }

  /// Until what is under way is likely to be done, milliseconds.
  long retryAfterMillis(long nowNanos) {
    double millis = (beforeNanos + (beganBusy ? nowNanos - beganNanos : 0)) / 1e6;
    long sum = doneBefore + (beganBusy ? done : 0);
    double needed =
        millis < USUAL_RETRY_MILLIS
            ? USUAL_RETRY_MILLIS
            : sum == 0 ? millis : underWay * millis / sum;
    return Math.clamp((long) Math.ceil(needed), MIN_RETRY_MILLIS, MAX_RETRY_MILLIS);
  }

  /// What a request is told that is not taken on.
  public Unanswered.Refused refusal(String why, long nowNanos) {
    return new Unanswered.Refused(Reason.OVERLOADED, why, retryAfterMillis(nowNanos));
  }
}
