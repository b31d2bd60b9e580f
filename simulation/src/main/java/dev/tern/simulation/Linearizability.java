package dev.tern.simulation;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Whether the operations on one key can have happened one at a time, each between its invocation
/// and its answer: the search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993)
/// that remembers, as Lowe's does ("Testing for linearizability", 2017), which sets of operations
/// came to which value.
///
/// An operation whose outcome is unknown may have happened at any time after its invocation, or not
/// at all. A key's value is a string, null for none; every operation tells what it requires of the
/// value before it and what it leaves. An operation that may *repeat* may take effect a second time
/// before it is answered, as docs/consistency.md admits of a strict blind put; that is tried where
/// no order is found without.
final class Linearizability {
  /// Steps after which nothing is said of a history: it has too many unknown outcomes.
  private static final int MAX_STEPS = 300_000;

  /// What an operation does to a value.
  @FunctionalInterface
  interface Effect {
    /// What comes of a value, or [#IMPOSSIBLE] if the operation's outcome cannot come of it.
    Value on(@Nullable String before);
  }

  /// A value after an operation.
  record Value(@Nullable String value) {}

  /// The outcome does not fit the value before.
  static final Value IMPOSSIBLE = new Value("impossible");

  /// One operation of a client.
  static final class Operation {
    private final String name;
    private final long invoked;
    private long answered = Long.MAX_VALUE;
    private final Effect ifUnknown;
    private Effect effect;
    private String told = "?";
    private boolean refused;
    private boolean repeats;

    private Operation(String name, long invoked, Effect ifUnknown) {
      this.name = name;
      this.invoked = invoked;
      this.ifUnknown = ifUnknown;
      this.effect = ifUnknown;
    }

    /// It was answered.
    ///
    /// @param what it was told, for people
    /// @param outcome what it did, and required
    void answered(long now, String what, Effect outcome) {
      answered = now;
      told = what;
      effect = outcome;
    }

    /// It did nothing.
    void refused() {
      refused = true;
    }

    /// It may take effect twice.
    Operation mayRepeat() {
      repeats = true;
      return this;
    }

    @Override
    public String toString() {
      String end = answered == Long.MAX_VALUE ? "?" : Long.toString(answered / 1000);
      return "%s -> %s [%d..%s us]".formatted(name, told, invoked / 1000, end);
    }
  }

  /// What the search found.
  enum Verdict {
    POSSIBLE,
    IMPOSSIBLE,
    /// The search was given up.
    UNDECIDED
  }

  private final List<Operation> operations = new ArrayList<>();
  private int unknown;

  /// An operation begins.
  ///
  /// @param ifUnknown what it does if it is not known whether it does anything
  Operation begin(String name, long now, Effect ifUnknown) {
    Operation operation = new Operation(name, now, ifUnknown);
    operations.add(operation);
    return operation;
  }

  /// Some operations may have taken effect twice.
  ///
  /// @param which of them, told the name that each began with
  void mayRepeat(Predicate<String> which) {
    for (Operation operation : operations) {
      operation.repeats |= which.test(operation.name);
    }
  }

  /// An operation's outcome will not be known.
  void lost() {
    unknown++;
  }

  /// All operations, refused ones too.
  int size() {
    return operations.size();
  }

  /// Operations whose outcome is not known: each doubles what must be searched, at worst.
  int unknown() {
    return unknown;
  }

  /// An invocation or an answer; part of a list from which what is done is taken out.
  private static final class Entry {
    final Operation operation;
    final int number;
    final boolean answer;

    /// Of the second time that an operation takes effect, if it does.
    final boolean repetition;

    @Nullable Entry match;
    @Nullable Entry before;
    @Nullable Entry after;

    Entry(Operation operation, int number, boolean answer, boolean repetition) {
      this.operation = operation;
      this.number = number;
      this.answer = answer;
      this.repetition = repetition;
    }

    /// Whether it must come before the history ends.
    boolean isDue() {
      return match != null && !repetition;
    }

    void takeOut() {
      Objects.requireNonNull(before).after = after;
      if (after != null) {
        after.before = before;
      }
    }

    void putBack() {
      Objects.requireNonNull(before).after = this;
      if (after != null) {
        after.before = this;
      }
    }
  }

  private record Reached(BitSet done, @Nullable String value) {}

  /// @param skipped a repetition that did not happen
  private record Step(Entry invocation, @Nullable String before, boolean skipped) {}

  /// Looks for an order.
  Verdict verdict() {
    Verdict once = verdict(entries(/* repetitions= */ false));
    boolean any = operations.stream().anyMatch(operation -> operation.repeats);
    return once == Verdict.IMPOSSIBLE && any ? verdict(entries(/* repetitions= */ true)) : once;
  }

  private Verdict verdict(Entry head) {
    int left = 0;
    for (Entry entry = head.after; entry != null; entry = entry.after) {
      left += !entry.answer && entry.isDue() ? 1 : 0;
    }
    Set<Reached> seen = new LinkedHashSet<>();
    List<Step> taken = new ArrayList<>();
    BitSet done = new BitSet();
    @Nullable String value = null;
    @Nullable Entry entry = head.after;
    for (int steps = 0; left > 0; steps++) {
      if (steps > MAX_STEPS) {
        return Verdict.UNDECIDED;
      }
      boolean skips = entry != null && entry.answer && entry.repetition;
      if (entry != null && (skips || !entry.answer)) {
        Entry invocation = Objects.requireNonNull(skips ? entry.match : entry);
        Value next = skips ? new Value(value) : invocation.operation.effect.on(value);
        done.set(invocation.number);
        if (next != IMPOSSIBLE && seen.add(new Reached((BitSet) done.clone(), next.value()))) {
          taken.add(new Step(invocation, value, skips));
          value = next.value();
          left -= invocation.isDue() ? 1 : 0;
          takeOut(invocation);
          entry = head.after;
          continue;
        }
        done.clear(invocation.number);
        if (!skips) {
          entry = invocation.after;
          continue;
        }
      }
      // What was skipped last has no other choice left.
      Step last;
      do {
        if (taken.isEmpty()) {
          return Verdict.IMPOSSIBLE;
        }
        last = taken.removeLast();
        value = last.before();
        done.clear(last.invocation().number);
        left += last.invocation().isDue() ? 1 : 0;
        putBack(last.invocation());
      } while (last.skipped());
      entry = last.invocation().after;
    }
    return Verdict.POSSIBLE;
  }

  private static void takeOut(Entry invocation) {
    invocation.takeOut();
    if (invocation.match != null) {
      invocation.match.takeOut();
    }
  }

  private static void putBack(Entry invocation) {
    if (invocation.match != null) {
      invocation.match.putBack();
    }
    invocation.putBack();
  }

  /// All invocations and answers in the order of time, behind a head; at the same time invocations
  /// come first.
  private Entry entries(boolean repetitions) {
    List<Entry> entries = new ArrayList<>();
    int number = 0;
    for (Operation operation : operations) {
      if (!operation.refused) {
        add(entries, operation, number++, /* repetition= */ false);
        if (repetitions && operation.repeats) {
          add(entries, operation, number++, /* repetition= */ true);
        }
      }
    }
    entries.sort(
        Comparator.<Entry>comparingLong(e -> e.answer ? e.operation.answered : e.operation.invoked)
            .thenComparing(e -> e.answer));
    Entry head = new Entry(new Operation("head", 0, Value::new), -1, false, false);
    Entry last = head;
    for (Entry entry : entries) {
      last.after = entry;
      entry.before = last;
      last = entry;
    }
    return head;
  }

  private static void add(
      List<Entry> entries, Operation operation, int number, boolean repetition) {
    Entry invocation = new Entry(operation, number, /* answer= */ false, repetition);
    entries.add(invocation);
    if (operation.answered != Long.MAX_VALUE) {
      Entry answer = new Entry(operation, number, /* answer= */ true, repetition);
      invocation.match = answer;
      answer.match = invocation;
      entries.add(answer);
    }
  }

  /// The last operations of the shortest beginning of the history that is impossible, for people.
  String conflict() {
    List<Operation> ended = new ArrayList<>(operations);
    ended.removeIf(operation -> operation.refused || operation.answered == Long.MAX_VALUE);
    ended.sort(Comparator.comparingLong(operation -> operation.answered));
    int possible = 0;
    int impossible = ended.size();
    while (impossible - possible > 1) {
      int middle = (possible + impossible) / 2;
      boolean still = until(ended.get(middle - 1).answered).verdict() != Verdict.IMPOSSIBLE;
      possible = still ? middle : possible;
      impossible = still ? impossible : middle;
    }
    Linearizability shortest = until(ended.get(impossible - 1).answered);
    int size = shortest.operations.size();
    return shortest.operations.subList(Math.max(0, size - 10), size).toString();
  }

  /// What was known at some time.
  private Linearizability until(long time) {
    Linearizability beginning = new Linearizability();
    for (Operation operation : operations) {
      if (operation.invoked <= time && !operation.refused) {
        boolean known = operation.answered <= time;
        Operation copy = beginning.begin(operation.name, operation.invoked, operation.ifUnknown);
        copy.repeats = operation.repeats;
        if (known) {
          copy.answered(operation.answered, operation.told, operation.effect);
        }
      }
    }
    return beginning;
  }
}
