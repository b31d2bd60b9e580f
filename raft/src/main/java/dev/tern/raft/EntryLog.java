package dev.tern.raft;

import dev.tern.env.ByteReader;
import dev.tern.env.CoverageMarks;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A member's log in memory, from after its base on, and how far it is written, committed, applied.
///
/// All entries since the last compaction stay in memory: a log is short (its owner compacts it by
/// bytes), and a follower that is behind the base gets a snapshot. So nothing here ever reads a
/// file.
final class EntryLog {
  /// A membership and the index of the entry that holds it.
  private record Placed(long index, Membership membership) {}

  /// What was handed out to be written; `last` is the last index of it that still stands.
  private static final class Write {
    final long number;
    long last;
    final @Nullable SnapshotMark reset;

    Write(long number, long last, @Nullable SnapshotMark reset) {
      this.number = number;
      this.last = last;
      this.reset = reset;
    }
  }

  /// `entries.get(i)` has index `baseIndex + 1 + i`; terms never fall.
  private final List<Entry> entries = new ArrayList<>();

  private long baseIndex;
  private long baseTerm;
  private long bytes;

  /// Never empty; indices rise. The last is in force, be it committed or not (the dissertation's
  /// rule, section 4.1); the first may stand at or below the base.
  private final ArrayList<Placed> memberships = new ArrayList<>();

  /// The latest snapshot; its index is at least the base and at most `commit`.
  private SnapshotMark mark;

  /// Never falls; at most `lastIndex()`. What stands at or below it never changes.
  private long commit;

  /// Entries up to here, as they stand now, are on disk. Falls when entries are replaced.
  private long durable;

  /// The first index that was not handed out to be written; at most `lastIndex() + 1`.
  private long unwritten;

  /// A snapshot that the log was reset to and that was not handed out to be written.
  private @Nullable SnapshotMark unwrittenReset;

  /// In the order of their numbers.
  private final ArrayDeque<Write> writing = new ArrayDeque<>();

  /// Handed out to be applied; at most `min(commit, durable)`.
  private long handedOut;

  /// Applied; at most `handedOut`.
  private long applied;

  EntryLog(Recovered from, long applied) {
    mark = from.mark();
    baseIndex = from.baseIndex();
    baseTerm = from.baseTerm();
    memberships.add(new Placed(mark.index(), mark.membership()));
    for (Entry entry : from.entries()) {
      check(entry.index() == lastIndex() + 1, "a hole in the recovered log");
      add(entry, entry.index() > mark.index());
    }
    check(baseIndex <= mark.index() && mark.index() <= lastIndex(), "a mark outside of the log");
    check(mark.index() <= applied && applied <= lastIndex(), "applied outside of the log");
    commit = Math.max(Math.min(from.state().commit(), lastIndex()), applied);
    durable = lastIndex();
    unwritten = lastIndex() + 1;
    this.applied = applied;
    handedOut = applied;
    assert isWhole() : this;
  }

  /// Whether what its fields say of each other holds.
  private boolean isWhole() {
    return baseIndex <= mark.index()
        && mark.index() <= commit
        && commit <= lastIndex()
        && applied <= handedOut
        && handedOut <= commit
        && durable <= lastIndex()
        && unwritten <= lastIndex() + 1
        && !memberships.isEmpty();
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new IllegalStateException(what);
    }
  }

  long lastIndex() {
    return baseIndex + entries.size();
  }

  long lastTerm() {
    return entries.isEmpty() ? baseTerm : entries.getLast().term();
  }

  long baseIndex() {
    return baseIndex;
  }

  long bytes() {
    return bytes;
  }

  long commit() {
    return commit;
  }

  long durable() {
    return durable;
  }

  long applied() {
    return applied;
  }

  SnapshotMark mark() {
    return mark;
  }

  Membership membership() {
    return memberships.getLast().membership();
  }

  /// Where the membership in force stands.
  long membershipIndex() {
    return memberships.getLast().index();
  }

  /// The one before the membership in force, if that is not committed.
  @Nullable Membership membershipBefore() {
    int count = memberships.size();
    return count < 2 || membershipIndex() <= commit
        ? null
        : memberships.get(count - 2).membership();
  }

  /// -1 where there is no entry, and below the base.
  long term(long index) {
    if (index == baseIndex) {
      return baseTerm;
    }
    return index < baseIndex || index > lastIndex() ? -1 : entry(index).term();
  }

  Entry entry(long index) {
    return entries.get((int) (index - baseIndex - 1));
  }

  /// Entries from `from` on, at least one if there is one, as many as fit.
  List<Entry> slice(long from, long to, long maxBytes) {
    long end = from;
    long size = 0;
    while (end <= to && (end == from || size + entry(end).bytes() <= maxBytes)) {
      size += entry(end).bytes();
      end++;
    }
    if (end <= from) {
      return List.of();
    }
    int first = (int) (from - baseIndex - 1);
    return List.copyOf(entries.subList(first, first + (int) (end - from)));
  }

  private void add(Entry entry, boolean inForce) {
    entries.add(entry);
    bytes += entry.bytes();
    if (inForce && entry.kind() == Entry.Kind.MEMBERSHIP) {
      Membership membership = Membership.decode(new ByteReader(entry.payload()));
      memberships.add(new Placed(entry.index(), membership));
    }
  }

  void append(Entry entry) {
    check(entry.index() == lastIndex() + 1 && entry.term() >= lastTerm(), "an entry out of order");
    add(entry, true);
  }

  /// Makes the log agree with a leader's entries; `index` is that before the first.
  void merge(List<Entry> from) {
    for (Entry entry : from) {
      long known = term(entry.index());
      if (entry.index() <= baseIndex || known == entry.term()) {
        continue;
      }
      if (known >= 0) {
        truncate(entry.index());
      }
      append(entry);
    }
  }

  private void truncate(long from) {
    check(from > commit, "a leader replaces what is committed: index " + from);
    assert CoverageMarks.reach(RaftMark.ENTRIES_REPLACED);
    for (long index = from; index <= lastIndex(); index++) {
      bytes -= entry(index).bytes();
    }
    entries.subList((int) (from - baseIndex - 1), entries.size()).clear();
    while (membershipIndex() >= from) {
      assert CoverageMarks.reach(RaftMark.MEMBERSHIP_TAKEN_BACK);
      memberships.removeLast();
    }
    forget(from);
    assert isWhole() : this;
  }

  /// What stands from `from` on is not what was written.
  private void forget(long from) {
    durable = Math.min(durable, from - 1);
    unwritten = Math.min(unwritten, from);
    for (Write write : writing) {
      write.last = Math.min(write.last, from - 1);
    }
  }

  /// Begins anew after a snapshot.
  void reset(SnapshotMark to) {
    check(to.index() > commit, "a snapshot of what is there");
    entries.clear();
    bytes = 0;
    forget(1);
    memberships.clear();
    memberships.add(new Placed(to.index(), to.membership()));
    mark = to;
    baseIndex = to.index();
    baseTerm = to.term();
    commit = to.index();
    unwritten = to.index() + 1;
    unwrittenReset = to;
    assert isWhole() : this;
  }

  boolean hasUnwritten() {
    return unwrittenReset != null || unwritten <= lastIndex();
  }

  /// Hands out what is to be written.
  Effect.Persist write(long number, HardState state) {
    List<Entry> some = slice(unwritten, lastIndex(), Long.MAX_VALUE);
    SnapshotMark reset = unwrittenReset;
    writing.add(new Write(number, lastIndex(), reset));
    unwritten = lastIndex() + 1;
    unwrittenReset = null;
    return new Effect.Persist(number, state, some, reset);
  }

  /// All writes up to `number` are on disk; the snapshot that is now to be installed, if any.
  @Nullable SnapshotMark written(long number) {
    SnapshotMark install = null;
    while (!writing.isEmpty() && writing.getFirst().number <= number) {
      Write write = writing.removeFirst();
      durable = Math.max(durable, write.last);
      install = write.reset != null ? write.reset : install;
    }
    // A snapshot that another has replaced meanwhile is not installed.
    return install == mark && install != null && handedOut < install.index() ? install : null;
  }

  boolean commitTo(long index) {
    long to = Math.min(index, lastIndex());
    if (to <= commit) {
      return false;
    }
    commit = to;
    assert isWhole() : this;
    return true;
  }

  /// What is to be applied next; empty while something is being applied.
  List<Entry> toApply(long maxBytes) {
    long to = Math.min(commit, durable);
    if (handedOut > applied || handedOut >= to || handedOut < baseIndex) {
      return List.of();
    }
    List<Entry> some = slice(handedOut + 1, to, maxBytes);
    handedOut += some.size();
    assert handedOut <= to && isWhole() : this;
    return some;
  }

  /// A snapshot is handed out to be installed.
  void handOut(SnapshotMark install) {
    handedOut = install.index();
    assert isWhole() : this;
  }

  void appliedTo(long index) {
    check(index <= handedOut, "applied what was not handed out: " + index);
    applied = Math.max(applied, index);
    assert isWhole() : this;
  }

  /// The mark of a snapshot of the state machine as it is now.
  SnapshotMark markNow() {
    check(applied >= mark.index(), "a snapshot while another is being installed");
    Membership membership = memberships.getFirst().membership();
    for (Placed placed : memberships) {
      membership = placed.index() <= applied ? placed.membership() : membership;
    }
    return new SnapshotMark(applied, term(applied), membership);
  }

  /// A snapshot of this mark is on disk; entries up to `base` go.
  void compact(SnapshotMark to, long base) {
    if (to.index() <= mark.index()) {
      return;
    }
    check(to.index() <= applied && base <= to.index(), "a compaction of what is not applied");
    mark = to;
    if (base > baseIndex) {
      baseTerm = term(base);
      List<Entry> gone = entries.subList(0, (int) (base - baseIndex));
      for (Entry entry : gone) {
        bytes -= entry.bytes();
      }
      gone.clear();
      baseIndex = base;
    }
    while (memberships.size() > 1 && memberships.get(1).index() <= mark.index()) {
      memberships.removeFirst();
    }
    assert isWhole() : this;
  }

  /// The last index at or below `from` whose term is at most `term`: at no later one can a log with
  /// an entry (`from`, `term`) agree with this one. Below the base if there is none in memory.
  long agreeing(long from, long term) {
    long index = Math.min(from, lastIndex());
    while (index >= baseIndex && term(index) > term) {
      index--;
    }
    return index;
  }

  @Override
  public String toString() {
    return "log from %d to %d, mark %d, durable %d, unwritten from %d, commit %d, handed out %d, applied %d"
        .formatted(
            baseIndex, lastIndex(), mark.index(), durable, unwritten, commit, handedOut, applied);
  }
}
