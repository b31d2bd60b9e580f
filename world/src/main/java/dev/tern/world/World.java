package dev.tern.world;

import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;

/// Simulated time and all that will happen in it.
public final class World {
  /// Something that happens at a time, on a node (0: nobody's).
  private record Event(long nanos, long order, int node, long life, Runnable task)
      implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(nanos, other.nanos);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  /// A promise was broken: the run ends.
  public static class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    public Violation(String what) {
      super(what);
    }
  }

  /// Thrown out of an I/O to stop a node in the middle of it.
  public static final class Crash extends Error {
    private static final long serialVersionUID = 1;

    public final int node;

    /// @param node that ends
    Crash(int node) {
      super("node " + node + " crashes", null, false, false);
      this.node = node;
    }
  }

  /// Told what an event of a node threw, other than a violation.
  public interface Ending {
    void threw(int node, Throwable what);
  }

  /// Nanoseconds.
  public static final long SECOND = 1_000_000_000;

  /// Node numbers are below.
  private static final int MAX_NODES = 2_048;

  public final Randomness random;
  private final PriorityQueue<Event> events = new PriorityQueue<>();

  /// By node number: which of its lives is on; an event of an earlier life does not happen.
  private final long[] lives = new long[MAX_NODES];

  /// By node number: until when it does nothing at all, its jobs included.
  private final long[] pausedUntil = new long[MAX_NODES];

  /// By node number: how long it does nothing after each of its events.
  private final long[] slowness = new long[MAX_NODES];

  private final Ending ending;

  /// Looks at a node after each of its events.
  public interface Inspector {
    void after(int node);
  }

  private Inspector inspector = node -> {};

  private long nanos;

  /// Where [#runUntil] ends.
  private long until;

  /// Of the time so far, what was skipped.
  private long skipped;

  private long order;
  private long count;
  private long hash = 0xcbf29ce484222325L;

  public World(long seed, Ending ending) {
    this.random = Randomness.of(seed);
    this.ending = ending;
  }

  /// Lets somebody look after each event, its failure included; what it throws ends the run.
  public void inspect(Inspector after) {
    inspector = after;
  }

  public long nanos() {
    return nanos;
  }

  public long millis() {
    return nanos / 1_000_000;
  }

  public long events() {
    return count;
  }

  /// Of (time, node, order) of all events so far.
  public long hash() {
    return hash;
  }

  /// Lets a task of a node happen after a delay, nanoseconds; one below 0 counts as 0.
  public void schedule(long delayNanos, int node, Runnable task) {
    events.add(new Event(nanos + Math.max(0, delayNanos), order++, node, lives[node], task));
  }

  /// Ends a node's life: nothing it has scheduled will happen.
  public void end(int node) {
    lives[node]++;
    pausedUntil[node] = 0;
  }

  /// Lets a node do nothing for a while, as a long collection of garbage or a stopped process does:
  /// what waits for it then happens at once, in order.
  public void pause(int node, long durationNanos) {
    pausedUntil[node] = Math.max(pausedUntil[node], nanos + durationNanos);
  }

  /// Makes each event of a node take so long: it is slower than the others.
  public void slow(int node, long nanosAnEvent) {
    slowness[node] = nanosAnEvent;
  }

  /// Whether a node has done nothing for a while since some time.
  public boolean pausedSince(int node, long since) {
    return pausedUntil[node] > since;
  }

  /// Lets time pass without anything happening in it: all that will happen does so later, as if
  /// every machine had slept.
  public void skip(long duration) {
    List<Event> later = new ArrayList<>(events.size());
    for (Event event : events) {
      long at = event.nanos() + duration;
      later.add(new Event(at, event.order(), event.node(), event.life(), event.task()));
    }
    events.clear();
    events.addAll(later);
    nanos += duration;
    until += duration;
    skipped += duration;
  }

  /// The time without what was skipped.
  public long awakeNanos() {
    return nanos - skipped;
  }

  /// Lets everything happen up to a time, or until there is nothing left.
  public void runUntil(long untilNanos) {
    until = untilNanos;
    while (!events.isEmpty() && events.peek().nanos() <= until) {
      Event event = events.poll();
      nanos = event.nanos();
      if (lives[event.node()] == event.life()) {
        if (pausedUntil[event.node()] > nanos) {
          schedule(pausedUntil[event.node()] - nanos, event.node(), event.task());
        } else {
          happen(event);
        }
      }
    }
    nanos = Math.max(nanos, until);
  }

  private void happen(Event event) {
    count++;
    hash = (hash ^ nanos ^ (long) event.node() << 48 ^ event.order()) * 0x100000001b3L;
    try {
      event.task().run();
    } catch (Violation violation) {
      throw violation;
    } catch (RuntimeException | Crash | AssertionError e) {
      ending.threw(event.node(), e);
    }
    if (slowness[event.node()] > 0) {
      pause(event.node(), slowness[event.node()]);
    }
    inspector.after(event.node());
  }

  public boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  /// Uniform in `[low, high)`.
  public long between(long low, long high) {
    return low + Long.remainderUnsigned(random.nextLong(), high - low);
  }
}
