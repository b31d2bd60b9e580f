package dev.tern.gateway.session;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// The requests of one connection that have begun and whose replies have not left, in the order in
/// which they came, and the bounds on them.
///
/// Some requests run alone: they begin when every keyed request before them has ended, and no
/// request behind them begins before they end.
///
/// Invariant: while a request runs alone or waits for that, no request is taken.
///
/// Threads: one loop.
///
/// @param <R> a request
public final class Backlog<R> {
  /// Requests begun and not yet answered; further ones wait in the socket.
  public static final int MAX_REQUESTS = 1_024;

  /// Replies that wait for one before them, bytes; no request is begun meanwhile. The one before
  /// ends by its timeout at the latest.
  public static final long MAX_HELD_BYTES = 8L << 20;

  private final Outlet outlet;
  private final KeyOrder order;
  private final ArrayDeque<R> requests = new ArrayDeque<>();

  /// Of replies that have not left.
  private long heldBytes;

  /// Begins the request that runs alone and waits for those before it; null for none.
  private @Nullable Runnable waiting;

  /// The request that runs alone, also while it waits; null for none.
  private @Nullable R alone;

  private boolean held;

  /// @param order of the same connection's keyed requests
  public Backlog(Outlet outlet, KeyOrder order) {
    this.outlet = outlet;
    this.order = order;
  }

  /// Whether another request may begin.
  public boolean takesMore() {
    return !held && requests.size() < MAX_REQUESTS && heldBytes < MAX_HELD_BYTES;
  }

  public void add(R request) {
    assert alone == null && requests.size() < MAX_REQUESTS : "a request that was not to be taken";
    requests.addLast(request);
  }

  /// The oldest request, null if all have been answered.
  public @Nullable R first() {
    return requests.peekFirst();
  }

  /// The oldest request's reply has left.
  public void removeFirst() {
    requests.removeFirst();
  }

  public boolean isEmpty() {
    return requests.isEmpty();
  }

  /// Whether a request is the oldest.
  public boolean isFirst(R request) {
    return requests.peekFirst() == request;
  }

  /// Calls `each` for all requests, the oldest first.
  public void forEach(java.util.function.Consumer<? super R> each) {
    requests.forEach(each);
  }

  /// So many bytes of a reply wait, or have left if negative.
  public void holds(long bytes) {
    heldBytes += bytes;
    assert heldBytes >= 0 : "more has left than came";
  }

  /// Runs a request alone.
  ///
  /// @param begin called when every keyed request before it has ended; perhaps at once
  public void alone(R request, Runnable begin) {
    assert alone == null && waiting == null : "two requests run alone";
    hold();
    alone = request;
    if (order.isIdle()) {
      begin.run();
    } else {
      waiting = begin;
    }
  }

  /// A request has its whole reply; called after its turn in the order has ended.
  public void ended(R request) {
    if (request == alone) {
      alone = null;
      release();
    }
    Runnable begin = waiting;
    if (begin != null && order.isIdle()) {
      waiting = null;
      begin.run();
    }
  }

  /// Takes no request until [#release].
  public void hold() {
    held = true;
  }

  /// Takes requests again.
  public void release() {
    if (held) {
      held = false;
      outlet.readyForMore();
    }
  }
}
