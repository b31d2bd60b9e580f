package dev.tern.gateway.resp;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.UpdateOutcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The order of one connection's requests on each key: they take effect one after the other as they
/// came, and requests of other keys go on meanwhile.
///
/// ```
///   key a:  PUT (begun)  PUT (waits)  READ (waits)  UPDATE (waits)
///   key b:  READ (begun) READ (begun)
/// ```
///
/// Reads of a key are under way together, and so are its updates: their leader keeps their order.
/// One of another kind begins when all before it have ended. Puts begin one after the other: two
/// that are under way together may be minted by two replicas, or the first one a second time, above
/// the other. A plain put that waits when the next one of its level comes is never sent: it takes
/// effect directly before that one, and ends as it does. So a pipeline of puts of one key costs two
/// writes. And a read that came in the same turn as the plain put before it waits for nothing: it
/// is answered with that put, by the value that was put. That is a true answer: the read began
/// before the put did, so whatever another client writes in between may be ordered behind both. So
/// a pipeline of `SET k, GET k` pairs costs no reads.
///
/// Invariant: in each chain the entries that have begun come first and are of one kind; of puts it
/// is one.
///
/// One loop.
final class KeyOrder {
  /// A request, or a part of one, on one key.
  private static final class Entry {
    final CommandTable.Kind kind;
    final Key key;
    final Runnable begin;
    boolean begun;

    /// Of a plain put: the turn that it came in, its level, what it stores.
    long turn;

    @Nullable Level level;
    byte @Nullable [] value;

    /// Reads that are answered with it; each is given null if the put did not end well.
    @Nullable List<java.util.function.Consumer<ReadOutcome.@Nullable Found>> readers;

    /// Takes the outcome of an update.
    java.util.function.Consumer<UpdateOutcome> outcome = _ -> {};

    /// Plain puts that were not sent, as this one came while they waited; the oldest first.
    List<Entry> absorbed = List.of();

    Entry(CommandTable.Kind kind, Key key, Runnable begin) {
      this.kind = kind;
      this.key = key;
      this.begin = begin;
    }

    /// Whether a read of this level that came in that turn has its answer here.
    boolean tells(long at, Level asked) {
      return value != null && turn == at && asked.equals(level);
    }

    /// Whether it need not be sent if that one is, which comes next.
    boolean isAbsorbedBy(Entry next) {
      boolean plain = value != null && next.value != null;
      return !begun && plain && java.util.Objects.equals(level, next.level);
    }
  }

  /// Bytes with equality.
  private static final class Key {
    private final byte[] bytes;
    private final int hash;

    Key(byte[] bytes) {
      this.bytes = bytes;
      this.hash = Arrays.hashCode(bytes);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key && Arrays.equals(bytes, key.bytes);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  private final Map<Key, ArrayDeque<Entry>> chains = new HashMap<>();

  /// Entries whose turn has come. They are begun one after the other: each may end at once, and a
  /// thousand within each other would overflow the stack.
  private final ArrayDeque<Entry> ready = new ArrayDeque<>();

  private boolean beginning;
  private long turn;
  private int unfinished;

  /// More bytes have come: what comes from now on came later than what came before.
  void nextTurn() {
    turn++;
  }

  /// Whether nothing is under way and nothing waits.
  boolean isIdle() {
    return unfinished == 0;
  }

  /// Orders a read.
  ///
  /// @param valueOnly whether the answer follows from the value alone
  /// @param begin starts it, with where to tell the outcome
  void read(
      byte[] key,
      Level level,
      boolean valueOnly,
      java.util.function.Consumer<Completion<ReadOutcome>> begin,
      Completion<ReadOutcome> done) {
    Key of = new Key(key);
    ArrayDeque<Entry> chain = chains.get(of);
    Entry last = chain == null ? null : chain.peekLast();
    if (valueOnly && last != null && last.tells(turn, level)) {
      if (last.readers == null) {
        last.readers = new ArrayList<>(1);
      }
      unfinished++;
      last.readers.add(
          found -> {
            unfinished--;
            if (found == null) {
              read(key, level, false, begin, done);
            } else {
              done.complete(found);
            }
          });
      return;
    }
    Entry[] self = new Entry[1];
    Completion<ReadOutcome> ended =
        outcome -> {
          end(self[0]);
          done.complete(outcome);
        };
    self[0] = new Entry(CommandTable.Kind.READ, of, () -> begin.accept(ended));
    add(self[0]);
  }

  /// Orders an update.
  ///
  /// @param kind PUT or UPDATE
  /// @param stored what it stores for ever if it is a plain put, null if it is not
  /// @param begin starts it, with where to tell the outcome
  void update(
      byte[] key,
      CommandTable.Kind kind,
      Level level,
      byte @Nullable [] stored,
      java.util.function.Consumer<Completion<UpdateOutcome>> begin,
      Completion<UpdateOutcome> done) {
    Entry[] self = new Entry[1];
    Completion<UpdateOutcome> ended =
        outcome -> {
          Entry entry = self[0];
          unfinished -= entry.absorbed.size();
          end(entry);
          entry.absorbed.forEach(each -> each.outcome.accept(outcome));
          entry.outcome.accept(outcome);
        };
    Entry entry = new Entry(kind, new Key(key), () -> begin.accept(ended));
    entry.outcome = outcome -> tell(entry, outcome, done);
    entry.turn = turn;
    entry.level = level;
    entry.value = stored;
    self[0] = entry;
    add(entry);
  }

  private static void tell(Entry entry, UpdateOutcome outcome, Completion<UpdateOutcome> done) {
    done.complete(outcome);
    boolean well = outcome instanceof UpdateOutcome.Done && entry.value != null;
    ReadOutcome.Found found =
        well ? new ReadOutcome.Found(java.util.Objects.requireNonNull(entry.value), 0) : null;
    if (entry.readers != null) {
      entry.readers.forEach(reader -> reader.accept(found));
    }
  }

  private void add(Entry entry) {
    unfinished++;
    ArrayDeque<Entry> chain = chains.computeIfAbsent(entry.key, key -> new ArrayDeque<>(2));
    Entry last = chain.peekLast();
    if (last != null && last.isAbsorbedBy(entry)) {
      chain.removeLast();
      entry.absorbed = last.absorbed.isEmpty() ? new ArrayList<>() : last.absorbed;
      entry.absorbed.add(last);
      last.absorbed = List.of();
    }
    chain.addLast(entry);
    boolean together = entry.kind != CommandTable.Kind.PUT;
    if (last == null || together && last.begun && last.kind == entry.kind) {
      entry.begun = true;
      entry.begin.run();
    }
  }

  private void end(Entry entry) {
    unfinished--;
    ArrayDeque<Entry> chain = java.util.Objects.requireNonNull(chains.get(entry.key));
    chain.remove(entry);
    Entry first = chain.peekFirst();
    if (first == null) {
      chains.remove(entry.key);
    } else if (!first.begun) {
      for (Entry each : chain) {
        boolean together = each == first || first.kind != CommandTable.Kind.PUT;
        if (each.kind != first.kind || !together) {
          break;
        }
        each.begun = true;
        ready.add(each);
      }
      beginReady();
    }
  }

  private void beginReady() {
    if (beginning) {
      return;
    }
    beginning = true;
    try {
      Entry next;
      while ((next = ready.poll()) != null) {
        next.begin.run();
      }
    } finally {
      beginning = false;
    }
  }
}
