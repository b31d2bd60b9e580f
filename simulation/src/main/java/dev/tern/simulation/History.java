package dev.tern.simulation;

import dev.tern.world.SimulatedClock;
import dev.tern.world.World;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What clients of a keyspace where the last write wins asked and were told, and whether that can
/// be; see the package for the rules.
///
/// Each write knows from when on at least so many replicas have something newer. A read of `r`
/// replicas may return it if fewer than `n - r + 1` of them had that before the read began. One
/// write is newer than another if it began after the other had ended and the two met a common
/// replica, or if a read that met the other returned it.
///
/// A value that goes at a time is one that reads may miss from then on, as far as clocks differ:
/// what is not there is then taken for this value, so that it cannot hide anything newer.
final class History {
  /// The expiry of a read that was not told it, and of a write that keeps what it finds.
  static final long UNKNOWN_EXPIRY = -1;

  /// The time of the state before the first write of a key.
  private static final long BEGINNING = -2;

  /// A write that somebody tried.
  static final class Write {
    /// The value; null for a delete, and while it is not known what an update kept.
    private @Nullable String value;

    /// Whether the write keeps the value that it finds, which is not known.
    private boolean keepsValue;

    final long began;

    /// When it was acknowledged; `Long.MAX_VALUE` if it was not. Until then it may have its effect.
    private long ended = Long.MAX_VALUE;

    /// Whether the write is known not to have happened.
    boolean refused;

    /// The expiry in milliseconds of true wall-clock time, 0 for never, or [#UNKNOWN_EXPIRY].
    private final long expiryMillis;

    /// The number of replicas that reads may rely on to have the write since it ended.
    private int replicas;

    /// The number of nodes that have it at least, so that it comes to all in the end.
    private int copies;

    /// By number of replicas: the time from which at least so many have something newer.
    private final long[] replaced;

    /// Whether something newer was acknowledged or read, wherever that is.
    private boolean beaten;

    /// By number of replicas: the newer write, if it is known.
    private final @Nullable Write[] replacedBy;

    /// The number of disks that were lost, with acknowledged data, while the write was under way.
    private int lost;

    private Write(@Nullable String value, long began, long expiryMillis, int n) {
      this.value = value;
      this.began = began;
      this.expiryMillis = expiryMillis;
      this.replaced = new long[n + 2];
      this.replacedBy = new Write[n + 2];
      Arrays.fill(replaced, Long.MAX_VALUE);
    }

    private void replaced(int replicas, long now, @Nullable Write by) {
      beaten = true;
      for (int k = 1; k <= replicas; k++) {
        if (now < replaced[k]) {
          replaced[k] = now;
          replacedBy[k] = by;
        }
      }
    }

    /// Whether it is a change of an expiry that has not been told what it found.
    boolean keepsValue() {
      return keepsValue;
    }

    private boolean mayExpire() {
      return expiryMillis != 0 && (value != null || keepsValue);
    }

    @Override
    public String toString() {
      String end = ended == Long.MAX_VALUE ? "?" : Long.toString(ended / 1000);
      String what = keepsValue ? "expire" : value == null ? "delete" : value;
      String expiry = expiryMillis == 0 ? "" : " expires " + expiryMillis;
      return "%s[%d..%s us at %d%s]".formatted(what, began / 1000, end, replicas, expiry);
    }
  }

  /// A read that got an answer.
  ///
  /// @param value null: nothing
  /// @param expiryMillis that it was told, [#UNKNOWN_EXPIRY] if it was not
  /// @param r replicas that it met, 0 if it promises nothing
  /// @param held replicas that have what it returned, or something newer
  record Read(
      String key,
      @Nullable String value,
      long expiryMillis,
      long began,
      long ended,
      int r,
      int held) {}

  /// Thrown for an answer that no order of the writes explains.
  static final class Violation extends World.Violation {
    private static final long serialVersionUID = 1;

    Violation(String what) {
      super(what);
    }
  }

  private final Map<String, List<Write>> writes = new TreeMap<>();
  private final int n;

  /// How far the clocks that decide about an expiry may be from true time: a node that stood still
  /// may be two seconds late, as docs/consistency.md says.
  private long expiryErrorMillis = 3_000;

  /// How often a disk was lost with what it had acknowledged.
  private int losses;

  /// Replicas that may say that they have what they have lost: a store that lost records and not
  /// the dots of these takes them for replaced, until the hash trees find them.
  private int deceived;

  /// @param n replicas of each key
  History(int n) {
    this.n = n;
  }

  /// From now on the clocks that decide about an expiry may be this far from true time.
  void expiriesMayErr(long millis) {
    expiryErrorMillis = Math.max(expiryErrorMillis, millis + 1_000);
  }

  /// A put, or a delete if the value is null.
  ///
  /// @param expiryMillis 0 for never, [#UNKNOWN_EXPIRY] to keep what is there
  Write begin(String key, @Nullable String value, long expiryMillis, long now) {
    Write write = new Write(value, now, expiryMillis, n);
    of(key).add(write);
    return write;
  }

  /// A change of the expiry of whatever is there.
  Write beginExpire(String key, long expiryMillis, long now) {
    Write write = begin(key, null, expiryMillis, now);
    write.keepsValue = true;
    return write;
  }

  private List<Write> of(String key) {
    List<Write> list = writes.get(key);
    if (list == null) {
      list = new ArrayList<>();
      Write nothing = new Write(null, BEGINNING, 0, n);
      nothing.ended = BEGINNING;
      nothing.replicas = n;
      nothing.copies = n;
      list.add(nothing);
      writes.put(key, list);
    }
    return list;
  }

  /// A change of an expiry was told what value it kept.
  void kept(Write write, String value) {
    write.value = value;
    write.keepsValue = false;
  }

  /// A write was acknowledged.
  ///
  /// @param replicas that have it, 0 if nodes may hold it for them
  /// @param met it is newer than each write that more than `n - met` replicas had when it began
  void acknowledged(String key, Write write, long now, int replicas, int met) {
    acknowledged(key, write, now, replicas, n, met);
  }

  /// As the other, of a write that few nodes have.
  ///
  /// @param copies nodes that have it at least, whether or not reads may rely on them
  void acknowledged(String key, Write write, long now, int replicas, int copies, int met) {
    if (write.ended != Long.MAX_VALUE) {
      return;
    }
    write.ended = now;
    write.replicas = Math.max(0, replicas - write.lost);
    write.copies = Math.max(0, copies - write.lost);
    for (Write other : of(key)) {
      boolean first = other.began == BEGINNING;
      if (other.ended < write.began && (first || other.replicas + met > n)) {
        other.replaced(write.replicas, now, write);
      }
    }
  }

  /// One replica has lost records and still has their dots.
  void recordsLost() {
    lost(Long.MIN_VALUE);
    deceived = 1;
  }

  /// All that was acknowledged has come to all replicas.
  ///
  /// @param rotten replicas that may be gone for good, with what they alone had
  void settled(long now, int rotten) {
    deceived = 0;
    for (List<Write> list : writes.values()) {
      for (Write write : list) {
        boolean stays = rotten == 0 ? write.copies > 0 : write.replicas > rotten;
        if (write.ended != Long.MAX_VALUE && stays) {
          write.replicas = n - rotten;
        }
        if (write.beaten && (rotten == 0 || write.replaced[rotten + 1] != Long.MAX_VALUE)) {
          write.replaced(n - rotten, now, write.replacedBy[1]);
        }
      }
    }
  }

  /// How often a disk was lost so far: a read passes what it was when it began.
  int losses() {
    return losses;
  }

  /// One replica has lost what came to it after a time, and may hold what was replaced since.
  void lost(long since) {
    losses++;
    for (List<Write> list : writes.values()) {
      for (Write write : list) {
        if (write.ended == Long.MAX_VALUE) {
          write.lost++;
        } else if (write.ended > since) {
          write.replicas = Math.max(0, write.replicas - 1);
          write.copies = Math.max(0, write.copies - 1);
        }
        for (int k = 1; k <= n; k++) {
          if (write.replaced[k] > since) {
            write.replaced[k] = write.replaced[k + 1];
            write.replacedBy[k] = write.replacedBy[k + 1];
          }
        }
        // The only copy of what was newer may be gone.
        write.beaten &= write.replaced[1] != Long.MAX_VALUE;
      }
    }
  }

  /// Whether a value that was read may go by itself.
  boolean mayExpire(String key, @Nullable String value) {
    for (Write write : of(key)) {
      if (write.mayExpire() && (write.keepsValue || same(value, write.value))) {
        return true;
      }
    }
    return false;
  }

  private static boolean same(@Nullable String one, @Nullable String other) {
    return one == null ? other == null : one.equals(other);
  }

  /// Checks a read.
  void read(Read read) {
    List<Write> list = of(read.key());
    List<Write> tried = new ArrayList<>();
    List<Write> fresh = new ArrayList<>();
    @Nullable Write stale = null;
    for (Write write : list) {
      if (!write.refused && write.began <= read.ended() && explains(list, write, read)) {
        tried.add(write);
        if (read.r() > 0 && write.replaced[n - read.r() + 1] < read.began()) {
          stale = write;
        } else {
          fresh.add(write);
        }
      }
    }
    if (tried.isEmpty()) {
      throw new Violation(
          "%s: the value %s, to expire at %d, came from nowhere at %d us; there are %s"
              .formatted(read.key(), read.value(), read.expiryMillis(), read.ended() / 1000, list));
    }
    if (fresh.isEmpty()) {
      throw new Violation(
          "%s: a read from %d us to %d us returned %s, %s, although %s was there before"
              .formatted(
                  read.key(),
                  read.began() / 1000,
                  read.ended() / 1000,
                  read.value(),
                  stale,
                  java.util.Objects.requireNonNull(stale).replacedBy[n - read.r() + 1]));
    }
    learn(list, fresh, read);
  }

  /// What was acknowledged before the read began, met it and is not what it returned is older.
  /// Reads of half of the replicas or fewer do not promise to see that.
  private void learn(List<Write> list, List<Write> returned, Read read) {
    @Nullable Write only = returned.size() == 1 ? returned.getFirst() : null;
    int held = Math.min(read.held(), (n + 1) / 2) - deceived;
    for (Write write : list) {
      boolean met = write.ended < read.began() && write.replicas + read.r() > n;
      if (met && !returned.contains(write)) {
        write.replaced(held, read.ended(), only);
      }
    }
  }

  /// Whether a write can be what a read returned.
  private boolean explains(List<Write> list, Write write, Read read) {
    if (read.value() == null) {
      return hides(list, write, read.ended());
    }
    if (write.keepsValue) {
      return fits(list, write, read) && keptFresh(list, write, read.value());
    }
    return read.value().equals(write.value) && fits(list, write, read);
  }

  /// Whether a write's time may have come by some time.
  private static boolean gone(List<Write> list, Write write, long nanos) {
    if (write.expiryMillis > 0) {
      return nanos(write.expiryMillis) <= nanos;
    }
    for (Write other : list) {
      if (other.expiryMillis > 0 && other.began <= nanos && nanos(other.expiryMillis) <= nanos) {
        return true;
      }
    }
    return false;
  }

  /// Whether a write's expiry is what the read was told, and has not long passed.
  private boolean fits(List<Write> list, Write write, Read read) {
    if (write.expiryMillis == UNKNOWN_EXPIRY) {
      return read.expiryMillis() <= 0
          || list.stream().anyMatch(other -> other.expiryMillis == read.expiryMillis());
    }
    boolean told =
        read.expiryMillis() == UNKNOWN_EXPIRY || read.expiryMillis() == write.expiryMillis;
    long error = expiryErrorMillis * 1_000_000;
    boolean passed = write.expiryMillis > 0 && nanos(write.expiryMillis) + error < read.began();
    return told && !passed;
  }

  /// Whether a change of an expiry may have found a value.
  private boolean keptFresh(List<Write> list, Write change, String value) {
    for (Write write : list) {
      boolean found = !write.refused && value.equals(write.value) && write.began <= change.ended;
      if (found && write.replaced[n] >= change.began) {
        return true;
      }
    }
    return false;
  }

  /// Whether anybody has written a key, or tried to.
  boolean knows(String key) {
    return writes.containsKey(key);
  }

  /// Checks what a list of keys tells of one of them.
  ///
  /// @param present whether it shows the key
  /// @param r replicas that it met, 0 if it promises nothing
  void listed(String key, boolean present, long began, long ended, int r) {
    List<Write> list = of(key);
    @Nullable Write stale = null;
    for (Write write : list) {
      boolean explains =
          !write.refused
              && write.began <= ended
              && (present ? shows(list, write, began) : hides(list, write, ended));
      if (explains && (r == 0 || write.replaced[n - r + 1] >= began)) {
        return;
      }
      stale = explains ? write : stale;
    }
    throw new Violation(
        "%s: a walk through the keys from %d us to %d us %s it, as %s"
            .formatted(
                key,
                began / 1000,
                ended / 1000,
                present ? "shows" : "misses",
                stale == null
                    ? "nothing explains of " + list
                    : "before " + stale + " although " + stale.replacedBy[n - r + 1]));
  }

  /// Whether a key may have a value by a write.
  private boolean shows(List<Write> list, Write write, long began) {
    long error = expiryErrorMillis * 1_000_000;
    boolean passed = write.expiryMillis > 0 && nanos(write.expiryMillis) + error < began;
    if (write.keepsValue) {
      return !passed
          && list.stream()
              .anyMatch(other -> other.value != null && keptFresh(list, write, other.value));
    }
    return write.value != null && !passed;
  }

  /// Whether a key may have no value by a write.
  private boolean hides(List<Write> list, Write write, long ended) {
    boolean deletes = write.value == null && !write.keepsValue;
    long error = expiryErrorMillis * 1_000_000;
    return deletes || write.mayExpire() && gone(list, write, ended + error);
  }

  private static long nanos(long expiryMillis) {
    return (expiryMillis - SimulatedClock.EPOCH_MILLIS) * 1_000_000;
  }

  Iterable<String> keys() {
    return new ArrayList<>(writes.keySet());
  }
}
