package dev.tern.simulation;

import dev.tern.raft.Entry;
import dev.tern.raft.Raft;
import dev.tern.raft.SnapshotMark;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/// What must hold of one group at every moment (Raft, figure 3), checked against everything that
/// was ever true. The cost of a check is what changed since the last one.
final class RaftInvariants {
  /// An entry by its name, and what must follow from it.
  private record Known(long termBefore, int content) {}

  /// @param inTerm the lowest term in which somebody took it for committed
  private record Committed(long term, long inTerm) {}

  /// What was seen of a member's present life.
  private static final class Seen {
    final TreeMap<Long, Long> terms = new TreeMap<>();
    long commit;
    long ledTerm;
  }

  private final Map<Long, Integer> leaders = new TreeMap<>();
  private final Map<Long, Map<Long, Known>> entries = new TreeMap<>();
  private final TreeMap<Long, Committed> committed = new TreeMap<>();
  private final Map<Long, Long> states = new TreeMap<>();
  private final Map<Integer, Seen> seen = new TreeMap<>();

  /// A member begins a new life.
  void started(int member) {
    seen.put(member, new Seen());
  }

  int leadersSeen() {
    return leaders.size();
  }

  /// After an event.
  void check(Raft raft) {
    Seen of = seen.computeIfAbsent(raft.id(), id -> new Seen());
    checkLog(raft, of);
    checkCommit(raft, of);
    if (raft.role() == Raft.Role.LEADER && of.ledTerm != raft.term()) {
      of.ledTerm = raft.term();
      checkLeader(raft);
    }
  }

  /// Log matching: an entry's index and term say what it holds and which entry is before it.
  private void checkLog(Raft raft, Seen of) {
    long last = raft.lastIndex();
    of.terms.tailMap(last, false).clear();
    for (long index = last; index > raft.baseIndex(); index--) {
      long term = raft.termAt(index);
      Long before = of.terms.put(index, term);
      if (before != null && before == term) {
        return;
      }
      Entry entry = raft.entryAt(index);
      int content = Arrays.hashCode(entry.payload()) * 31 + entry.kind().ordinal();
      Known now = new Known(raft.termAt(index - 1), content);
      Known known = entries.computeIfAbsent(index, i -> new TreeMap<>()).putIfAbsent(term, now);
      if (known != null && !known.equals(now)) {
        throw new History.Violation(
            "log matching: member %d has %s at index %d of term %d, another had %s"
                .formatted(raft.id(), now, index, term, known));
      }
    }
  }

  /// What is committed at an index is committed for ever.
  private void checkCommit(Raft raft, Seen of) {
    for (long index = Math.max(of.commit, raft.baseIndex() - 1) + 1;
        index <= raft.commitIndex();
        index++) {
      if (index > 0) {
        commit(raft.id(), index, raft.termAt(index), raft.term());
      }
    }
    SnapshotMark mark = raft.mark();
    if (mark.index() > of.commit) {
      commit(raft.id(), mark.index(), mark.term(), raft.term());
    }
    of.commit = raft.commitIndex();
  }

  private void commit(int member, long index, long term, long inTerm) {
    Committed before = committed.get(index);
    if (before != null && before.term() != term) {
      throw new History.Violation(
          "member %d takes index %d of term %d for committed, another that of term %d"
              .formatted(member, index, term, before.term()));
    }
    if (before == null || before.inTerm() > inTerm) {
      committed.put(index, new Committed(term, inTerm));
    }
  }

  private void checkLeader(Raft raft) {
    Integer other = leaders.putIfAbsent(raft.term(), raft.id());
    if (other != null) {
      throw new History.Violation(
          "election safety: members %d and %d lead in term %d"
              .formatted(other, raft.id(), raft.term()));
    }
    for (Map.Entry<Long, Committed> each : committed.tailMap(raft.baseIndex(), true).entrySet()) {
      long index = each.getKey();
      boolean earlier = each.getValue().inTerm() < raft.term();
      if (index > 0 && earlier && raft.termAt(index) != each.getValue().term()) {
        throw new History.Violation(
            "leader completeness: member %d leads in term %d without index %d of term %d"
                .formatted(raft.id(), raft.term(), index, each.getValue().term()));
      }
    }
  }

  /// State-machine safety: the state after an index is the same everywhere.
  void state(int member, Registers state) {
    Long before = states.putIfAbsent(state.index(), state.fingerprint());
    if (before != null && before != state.fingerprint()) {
      throw new History.Violation(
          "member %d has another state after index %d".formatted(member, state.index()));
    }
  }
}
