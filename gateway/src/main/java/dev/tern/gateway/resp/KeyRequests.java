package dev.tern.gateway.resp;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.gateway.session.KeyOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One connection's reads and updates of keys, in their order on each key ([KeyOrder]).
///
/// Puts begin one after the other: two that are under way together may be minted by two replicas,
/// or the first one a second time, above the other. A plain put that waits when the next one of its
/// level comes is never sent: it takes effect directly before that one, and ends as it does. So a
/// pipeline of puts of one key costs two writes. And a read that came in the same turn as the plain
/// put before it waits for nothing: it is answered with that put, by the value that was put. That
/// is a true answer: the read began before the put did, so whatever another client writes in
/// between may be ordered behind both. So a pipeline of `SET k, GET k` pairs costs no reads.
///
/// Threads: one loop.
final class KeyRequests {
  private final Keyspace keyspace;
  private final KeyOrder order;
  private long turn;

  KeyRequests(Keyspace keyspace, KeyOrder order) {
    this.keyspace = keyspace;
    this.order = order;
  }

  /// More bytes have come: what comes from now on came later than what came before.
  void nextTurn() {
    turn++;
  }

  /// Reads a key.
  ///
  /// @param valueOnly whether the answer follows from the value alone
  void read(byte[] key, Level level, boolean valueOnly, Completion<ReadOutcome> done) {
    Read read = new Read(key, level, done);
    if (valueOnly && order.last(read) instanceof Write put && put.tells(turn, level)) {
      put.tell(read);
    } else {
      order.add(read);
    }
  }

  /// Updates a key.
  void update(byte[] key, Update update, Level level, Completion<UpdateOutcome> done) {
    boolean blind = update instanceof Update.Put put && put.blind();
    Write write =
        new Write(blind ? KeyOrder.Kind.ALONE : KeyOrder.Kind.UPDATE, key, update, level, done);
    if (blind
        && ((Update.Put) update).expiryMillis() == Update.NO_EXPIRY
        && keyspace.putsFollow(level)) {
      write.stored = ((Update.Put) update).value();
    }
    if (write.stored != null
        && order.last(write) instanceof Write last
        && last.isAbsorbedBy(write)) {
      order.replaceLast(last, write);
      write.absorb(last);
    } else {
      order.add(write);
    }
  }

  /// A read and its outcome.
  private final class Read extends KeyOrder.Turn implements Completion<ReadOutcome> {
    private final Level level;
    private final Completion<ReadOutcome> done;

    Read(byte[] key, Level level, Completion<ReadOutcome> done) {
      super(KeyOrder.Kind.READ, key);
      this.level = level;
      this.done = done;
    }

    @Override
    protected void begin() {
      keyspace.read(key(), level, this);
    }

    @Override
    public void complete(ReadOutcome outcome) {
      order.end(this);
      done.complete(outcome);
    }

    /// The put that was to answer the read has ended.
    ///
    /// @param found what it stored, null if it did not end well
    void told(ReadOutcome.@Nullable Found found) {
      order.countsOthers(-1);
      if (found == null) {
        order.add(this);
      } else {
        done.complete(found);
      }
    }
  }

  /// An update and its outcome.
  private final class Write extends KeyOrder.Turn implements Completion<UpdateOutcome> {
    private final Update update;
    private final Level level;
    private final Completion<UpdateOutcome> done;

    /// The turn in which it came.
    private final long cameIn = turn;

    /// What a plain put stores for ever; null if this is none.
    private byte @Nullable [] stored;

    /// Reads that are answered with this put.
    private @Nullable List<Read> readers;

    /// Plain puts that are not sent, as this one came while they waited; the oldest first.
    private List<Write> absorbed = List.of();

    Write(
        KeyOrder.Kind kind,
        byte[] key,
        Update update,
        Level level,
        Completion<UpdateOutcome> done) {
      super(kind, key);
      this.update = update;
      this.level = level;
      this.done = done;
    }

    @Override
    protected void begin() {
      keyspace.update(key(), update, level, this);
    }

    /// Whether a read of this level that came in that turn has its answer here.
    boolean tells(long at, Level asked) {
      return stored != null && cameIn == at && asked.equals(level);
    }

    void tell(Read read) {
      if (readers == null) {
        readers = new ArrayList<>(1);
      }
      order.countsOthers(1);
      readers.add(read);
    }

    /// Whether this put need not be sent if that one is, which comes next.
    boolean isAbsorbedBy(Write next) {
      return !hasBegun() && stored != null && level.equals(next.level);
    }

    void absorb(Write last) {
      absorbed = last.absorbed.isEmpty() ? new ArrayList<>() : last.absorbed;
      absorbed.add(last);
      last.absorbed = List.of();
    }

    @Override
    public void complete(UpdateOutcome outcome) {
      order.countsOthers(-absorbed.size());
      order.end(this);
      absorbed.forEach(each -> each.ended(outcome));
      ended(outcome);
    }

    private void ended(UpdateOutcome outcome) {
      done.complete(outcome);
      List<Read> told = readers;
      if (told != null) {
        byte[] value = outcome instanceof UpdateOutcome.Done ? stored : null;
        ReadOutcome.Found found = value == null ? null : new ReadOutcome.Found(value, 0);
        Consumer<Read> each = read -> read.told(found);
        told.forEach(each);
      }
    }
  }
}
