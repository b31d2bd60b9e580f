package dev.tern.core.repair;

import dev.tern.core.context.ShardContext;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.replica.PartitionSnapshot;
import dev.tern.core.replica.Replica;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.SnapshotChunk;
import dev.tern.core.wire.SnapshotChunk.Answer;
import dev.tern.env.Clock;
import dev.tern.env.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/// Gives newcomers snapshots of partitions, a chunk at a time, as fast as [FillBudget] allows.
///
/// A snapshot keeps versions that others have replaced since, so there are few at a time, and one
/// that nobody asks for is let go of. Whoever asks for it then is told, and begins anew.
///
/// Threads: the shard's loop; workers read the rows.
final class SnapshotSender {
  /// Snapshots at a time.
  private static final int MAX_SESSIONS = 64;

  /// A snapshot is let go of when nobody has asked for it for so long: who takes many of them at a
  /// low rate asks for each now and then only.
  private static final long IDLE_NANOS = 60_000_000_000L;

  private final Replica replica;
  private final AntiEntropy.Wire wire;
  private final EventLoop loop;
  private final Clock clock;
  private final FillBudget budget;
  private final LongSupplier ids;
  private final int chunkBytes;
  private final TreeMap<Long, Session> sessions = new TreeMap<>();

  /// A snapshot that is being given.
  private static final class Session {
    final Exchange exchange;
    final int member;
    final PartitionSnapshot snapshot;
    long usedNanos;
    boolean reading;

    Session(Exchange exchange, int member, PartitionSnapshot snapshot, long now) {
      this.exchange = exchange;
      this.member = member;
      this.snapshot = snapshot;
      this.usedNanos = now;
    }
  }

  /// @param ids of sessions, never 0
  SnapshotSender(
      ShardContext context,
      Replica replica,
      AntiEntropy.Wire wire,
      FillBudget budget,
      LongSupplier ids) {
    this.replica = replica;
    this.wire = wire;
    this.loop = context.loop();
    this.clock = context.clock();
    this.budget = budget;
    this.ids = ids;
    this.chunkBytes = context.limits().pageBytes();
  }

  /// A replica asks for rows of a partition.
  void asked(Exchange exchange, int member, Message.AskChunk ask) {
    long now = clock.monotonicNanos();
    Session found = sessions.get(ask.session());
    boolean known = found != null && found.exchange == exchange && found.member == member;
    Session session = known ? found : null;
    boolean gives = !exchange.isBehind() && !exchange.partition.isPending();
    boolean lost = ask.session() != 0 && session == null;
    if (!gives || lost) {
      send(member, ask, SnapshotChunk.without(Answer.NONE, ask.session()));
      return;
    }
    if (session != null && session.reading) {
      // It came twice: the first one is being answered.
      return;
    }
    if (session != null) {
      session.usedNanos = now;
    }
    boolean full = session == null && sessions.size() >= MAX_SESSIONS;
    if (full || !budget.mayGo(now)) {
      send(member, ask, SnapshotChunk.without(Answer.LATER, ask.session()));
    } else if (session != null) {
      read(ask.session(), session, ask);
    } else {
      begin(exchange, member, ask, now);
    }
  }

  private void begin(Exchange exchange, int member, Message.AskChunk ask, long now) {
    long id = ids.getAsLong();
    Session session = new Session(exchange, member, replica.snapshot(exchange.partition), now);
    sessions.put(id, session);
    session.reading = true;
    // What is told to others is on the disk.
    replica
        .writes()
        .whenDurable(
            Durability.SYNC,
            () -> {
              session.reading = false;
              if (sessions.get(id) == session) {
                read(id, session, ask);
              } else {
                session.snapshot.close();
              }
            });
  }

  private void read(long id, Session session, Message.AskChunk ask) {
    long expected = budget.begin();
    session.reading = true;
    loop.<SnapshotChunk>offload(
        () -> session.snapshot.read(id, ask.cursor(), chunkBytes),
        (chunk, failure) -> {
          session.reading = false;
          budget.end(expected, chunk == null ? 0 : chunk.rows().length);
          if (chunk == null || chunk.next().length == 0) {
            end(id, session);
          } else if (sessions.get(id) != session) {
            session.snapshot.close();
          }
          send(session.member, ask, chunk == null ? SnapshotChunk.without(Answer.NONE, id) : chunk);
        });
  }

  private void send(int member, Message.AskChunk ask, SnapshotChunk chunk) {
    wire.send(
        member, ask.partition(), new Message.Chunk(ask.group(), ask.partition(), ask.id(), chunk));
  }

  /// Lets go of what nobody asks for; a few times a second.
  void beat() {
    long now = clock.monotonicNanos();
    List<Long> idle = new ArrayList<>();
    sessions.forEach(
        (id, session) -> {
          if (!session.reading && now - session.usedNanos > IDLE_NANOS) {
            idle.add(id);
          }
        });
    idle.forEach(id -> end(id, java.util.Objects.requireNonNull(sessions.get(id))));
  }

  /// Nothing is given of a partition any more, by what was known of it.
  void part(Exchange exchange) {
    List<Long> of = new ArrayList<>();
    sessions.forEach(
        (id, session) -> {
          if (session.exchange == exchange) {
            of.add(id);
          }
        });
    of.forEach(id -> end(id, java.util.Objects.requireNonNull(sessions.get(id))));
  }

  private void end(long id, Session session) {
    sessions.remove(id);
    if (!session.reading) {
      session.snapshot.close();
    }
  }
}
