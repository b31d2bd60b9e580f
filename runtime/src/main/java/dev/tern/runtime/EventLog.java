package dev.tern.runtime;

import dev.tern.env.Events;
import dev.tern.env.NodeEvent;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the last events of a node and writes a log line of each.
///
/// A kind of which something causes very many gets [#MOST_LINES] lines a second at most. The events
/// left out are counted, and the next line of the kind says how many there were.
///
/// Threads: any.
public final class EventLog implements Events {
  /// Events that are kept.
  static final int KEPT = 1_000;

  /// Of one kind in a second.
  static final int MOST_LINES = 10;

  private static final Logger LOG = LoggerFactory.getLogger(EventLog.class);

  /// An event that is kept.
  ///
  /// @param number 1 for a node's first, then one more for each
  public record Entry(long number, Instant at, NodeEvent event) {}

  /// What was logged of a kind in the second that began at a time.
  private static final class Budget {
    long second;
    int lines;
    long leftOut;
  }

  private final Clock clock;
  private final ArrayDeque<Entry> entries = new ArrayDeque<>();
  private final Map<String, Budget> budgets = new TreeMap<>();
  private long last;

  /// With the machine's clock.
  public EventLog() {
    this(Clock.systemUTC());
  }

  EventLog(Clock clock) {
    this.clock = clock;
  }

  @Override
  public void happened(NodeEvent event) {
    String line = keep(event);
    if (line == null) {
      return;
    }
    switch (event.severity()) {
      case INFO -> LOG.info("{}", line);
      case WARNING -> LOG.warn("{}", line);
    }
  }

  /// The line to be logged, null for none.
  private synchronized @Nullable String keep(NodeEvent event) {
    Instant now = clock.instant();
    if (entries.size() == KEPT) {
      entries.removeFirst();
    }
    entries.add(new Entry(++last, now, event));
    Budget budget = budgets.computeIfAbsent(event.kind(), kind -> new Budget());
    if (budget.second != now.getEpochSecond()) {
      budget.second = now.getEpochSecond();
      budget.lines = 0;
    }
    if (budget.lines == MOST_LINES) {
      budget.leftOut++;
      return null;
    }
    budget.lines++;
    long leftOut = budget.leftOut;
    budget.leftOut = 0;
    String rest = leftOut == 0 ? "" : " (and %d more, not logged)".formatted(leftOut);
    return "event=%s %s%s".formatted(event.kind(), event.text(), rest);
  }

  /// The kept events whose number is above one, oldest first.
  public synchronized List<Entry> after(long number) {
    List<Entry> found = new ArrayList<>();
    for (Entry entry : entries) {
      if (entry.number() > number) {
        found.add(entry);
      }
    }
    return found;
  }
}
