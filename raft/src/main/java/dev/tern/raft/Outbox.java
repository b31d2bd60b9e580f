package dev.tern.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// Effects in the making, and the messages that wait until something is on disk.
final class Outbox {
  private record Held(int to, RaftMessage message, long write) {}

  /// Nothing waits.
  private final boolean hasty;

  private List<Effect> effects = new ArrayList<>();

  /// In the order in which they were made. Bounded by what the leader has in flight.
  private final ArrayDeque<Held> held = new ArrayDeque<>();

  /// The number of the last write handed out; at least `persisted`.
  private long issued;

  /// The number of the last write known to be on disk.
  private long persisted;

  Outbox(RaftBug bug) {
    hasty = bug == RaftBug.ACK_BEFORE_DURABLE;
  }

  long nextWrite() {
    return issued + 1;
  }

  long issued() {
    return issued;
  }

  void add(Effect effect) {
    effects.add(effect);
  }

  void persist(Effect.Persist write) {
    assert write.number() == issued + 1 : "write %d after %d".formatted(write.number(), issued);
    issued = write.number();
    effects.add(write);
  }

  void send(int to, RaftMessage message) {
    effects.add(new Effect.Send(to, message));
  }

  /// Sends it when that write is on disk.
  void sendAfter(long write, int to, RaftMessage message) {
    if (isPersisted(write)) {
      send(to, message);
    } else {
      held.add(new Held(to, message, write));
    }
  }

  boolean isPersisted(long write) {
    return write <= persisted || hasty;
  }

  void persisted(long number) {
    if (number > issued) {
      throw new IllegalStateException("write " + number + " was never handed out");
    }
    persisted = Math.max(persisted, number);
    for (Iterator<Held> all = held.iterator(); all.hasNext(); ) {
      Held each = all.next();
      if (each.write() <= persisted) {
        all.remove();
        send(each.to(), each.message());
      }
    }
  }

  boolean isEmpty() {
    return effects.isEmpty();
  }

  List<Effect> drain() {
    List<Effect> drained = effects;
    effects = new ArrayList<>();
    return drained;
  }
}
