package dev.tern.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What clients asked and were told, and whether that can be; see the package for the rules.
final class History {
  /// A put or a delete somebody tried.
  static final class Write {
    final @Nullable String value;
    final long began;

    /// When it was acknowledged; `Long.MAX_VALUE` if it was not. Until then it may have its effect,
    /// even again: a write that lost to a higher stamp is minted anew.
    long ended = Long.MAX_VALUE;

    /// When it was acknowledged or first read at a quorum.
    long known = Long.MAX_VALUE;

    /// What a read at a quorum returned that met this acknowledged write, and when it was answered:
    /// that is newer for ever.
    @Nullable Write beatenBy;

    long beaten = Long.MAX_VALUE;

    void acknowledged(long now) {
      ended = Math.min(ended, now);
      known = Math.min(known, now);
    }

    /// It is known not to have happened.
    boolean refused;

    Write(@Nullable String value, long began) {
      this.value = value;
      this.began = began;
    }

    @Override
    public String toString() {
      String end = ended == Long.MAX_VALUE ? "?" : Long.toString(ended / 1000);
      return "%s[%d..%s us]".formatted(value == null ? "delete" : value, began / 1000, end);
    }
  }

  /// Thrown where an answer cannot be.
  static final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    Violation(String what) {
      super(what);
    }
  }

  private final Map<String, List<Write>> writes = new TreeMap<>();
  private final int n;
  private final int w;

  /// @param w the lowest level of the writes to come
  History(int n, int w) {
    this.n = n;
    this.w = w;
  }

  Write begin(String key, @Nullable String value, long now) {
    Write write = new Write(value, now);
    of(key).add(write);
    return write;
  }

  private List<Write> of(String key) {
    List<Write> list = writes.get(key);
    if (list == null) {
      list = new ArrayList<>();
      list.add(initial());
      writes.put(key, list);
    }
    return list;
  }

  private static Write initial() {
    Write nothing = new Write(null, -2);
    nothing.acknowledged(-1);
    return nothing;
  }

  /// Checks a read of `value` (null: missing) that began and ended at these times.
  ///
  /// @param r its level: it is strict if that meets all writes
  void read(String key, @Nullable String value, long began, long ended, int r) {
    List<Write> candidates = new ArrayList<>();
    for (Write write : of(key)) {
      boolean same = value == null ? write.value == null : value.equals(write.value);
      if (same && !write.refused && write.began <= ended) {
        candidates.add(write);
      }
    }
    if (candidates.isEmpty()) {
      throw new Violation("%s: the value %s came from nowhere".formatted(key, value));
    }
    if (r + w <= n) {
      return;
    }
    Write newest = null;
    @Nullable Write newer = null;
    for (Write candidate : candidates) {
      Write than = newerThan(key, candidate, began);
      if (than == null) {
        newest = candidate;
      } else {
        newer = than;
      }
    }
    if (newest == null) {
      throw new Violation(
          "%s: a read from %d us to %d us returned %s although %s was there before"
              .formatted(key, began / 1000, ended / 1000, candidates.getLast(), newer));
    }
    if (2 * r > n) {
      if (value != null) {
        newest.known = Math.min(newest.known, ended);
      }
      beat(key, newest, value, began, ended);
    }
  }

  /// What was acknowledged before the read began and is not what it returned is older than that.
  private void beat(String key, Write returned, @Nullable String value, long began, long ended) {
    for (Write write : of(key)) {
      boolean other = value == null ? write.value != null : write != returned;
      if (other && write.ended < began && ended < write.beaten) {
        write.beaten = ended;
        write.beatenBy = returned;
      }
    }
  }

  /// A write known before `began` that is newer than `candidate`; null for none. It is newer if it
  /// began after `candidate` had ended and the two met a common replica; everything is newer than
  /// nothing.
  private @Nullable Write newerThan(String key, Write candidate, long began) {
    if (candidate.beaten < began) {
      return candidate.beatenBy;
    }
    boolean met = 2 * w > n || candidate.began < -1;
    for (Write other : of(key)) {
      if (met && other.known < began && other.began > candidate.ended) {
        return other;
      }
    }
    return null;
  }

  Iterable<String> keys() {
    return new ArrayList<>(writes.keySet());
  }
}
