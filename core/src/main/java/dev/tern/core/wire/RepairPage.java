package dev.tern.core.wire;

import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Records that another replica lacks, and what it may claim once it has them.
///
/// Some of the covered dots have no record on the page: their versions were replaced, by records
/// that may come on a later page. So the receiver claims them when it has all that the clock names
/// (or may claim that, too): only then their replacements are there for certain.
///
/// @param clock of the replica that sends, as far as it is on disk: it fills the records
/// @param covered the dots that the page speaks for, with these records; none on the pages of a
///   rebuild, which speaks for its clock when it is done
/// @param unreadable dots whose records the sender has and cannot read: another replica is to be
///   asked for them; on a page of a rebuild that is stuck, the wanted dots that are not in the log:
///   any of them may be what cannot be read
/// @param next where a rebuild goes on, empty if there is no more
/// @param answer what kind of answer it is
/// @param records as they are stored
public record RepairPage(
    DotSet clock,
    DotSet covered,
    DotSet unreadable,
    byte[] next,
    Answer answer,
    List<RepairRecord> records) {
  /// There is no more.
  public static final byte[] DONE = {};

  /// What a page says besides its records.
  public enum Answer {
    /// What was asked for.
    RECORDS,
    /// The log of dots does not reach back so far: ask for everything.
    REBUILD,
    /// What of a rebuild comes at `next` cannot be read here: ask another replica for it.
    STUCK,
    /// Nothing, as clients of the replica that was asked would wait: ask it again in a moment.
    LATER
  }

  /// One record of the partition.
  public record RepairRecord(int slot, int keyspace, byte[] key, Siblings record) {}

  /// About how many bytes its records are.
  public long bytes() {
    long bytes = 0;
    for (RepairRecord record : records) {
      bytes += record.key().length + record.record().valueBytes();
    }
    return bytes;
  }

  /// An answer where the log of dots does not reach back.
  public static RepairPage rebuild(DotSet clock) {
    return new RepairPage(clock, new DotSet(), new DotSet(), DONE, Answer.REBUILD, List.of());
  }

  /// This without its records, where they cannot be sent: as if they could not be read. Null for a
  /// page of a range, of which records that are not listed are dropped.
  public @Nullable RepairPage unsent() {
    if (covered.isEmpty() || next.length > 0) {
      return null;
    }
    DotSet dots = unreadable.copy();
    records.forEach(record -> dots.addAll(record.record().dots()));
    return new RepairPage(clock, covered.minus(dots), dots, next, answer, List.of());
  }

  /// An answer of a replica that gives as much as it may already.
  public static RepairPage later() {
    DotSet none = new DotSet();
    return new RepairPage(none, none, none, DONE, Answer.LATER, List.of());
  }

  /// An answer where nothing could be read.
  ///
  /// @param wanted dots, of a rebuild those that are not in the log of dots
  /// @param cursor of a rebuild, null if the dots were asked for
  public static RepairPage unread(DotSet clock, DotSet wanted, byte @Nullable [] cursor) {
    return cursor == null
        ? new RepairPage(clock, new DotSet(), wanted, DONE, Answer.RECORDS, List.of())
        : new RepairPage(clock, new DotSet(), wanted, cursor, Answer.STUCK, List.of());
  }
}
