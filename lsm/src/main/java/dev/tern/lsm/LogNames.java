package dev.tern.lsm;

import dev.tern.env.Clock;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/// What the manifest says of the logs: the life whose chunks they hold, which logs there are, and
/// how much of each was forced.
///
/// A log is named before anything is written to it, and each edit of the manifest says anew how
/// much of it was forced. So a log that is gone, cut short, or another store's is found at the next
/// opening, and a log that is not named holds nothing.
///
/// Any thread.
final class LogNames {
  private final ReentrantLock lock = new ReentrantLock();

  /// By the number of a log: the bytes that were forced.
  private final TreeMap<Long, Long> forced = new TreeMap<>();

  /// Of the logs that were found, and of those of this opening, which have higher numbers.
  private final long foundLife;

  private final long ownLife;

  /// The first log of this opening.
  private long firstOwn = Long.MAX_VALUE;

  LogNames(Manifest.State found, long ownLife) {
    this.foundLife = found.life;
    this.ownLife = ownLife;
    found.logs.forEach(log -> forced.put(log.number(), log.forcedBytes()));
  }

  /// A life for one opening. An embedder may give the same seed each time, so time and place count.
  static long newLife(Randomness randomness, Clock clock, String directory) {
    long seed = randomness.child("life").nextLong() ^ clock.wallMillis() ^ directory.hashCode();
    return Randomness.of(seed ^ Long.reverse(clock.monotonicNanos())).nextLong();
  }

  /// Written to every chunk of this opening.
  long ownLife() {
    return ownLife;
  }

  /// Of the logs from a number on: all of them are of one opening.
  long life(long firstLog) {
    lock.lock();
    try {
      return firstLog >= firstOwn ? ownLife : foundLife;
    } finally {
      lock.unlock();
    }
  }

  /// A log of this opening, whose name is durable: the next edit names it.
  void add(long number) {
    lock.lock();
    try {
      forced.putIfAbsent(number, 0L);
      firstOwn = Math.min(firstOwn, number);
    } finally {
      lock.unlock();
    }
  }

  /// Whether a log is of this opening: the file of another one may not be used again, as it begins
  /// with a chunk of another life.
  boolean isOwn(long number) {
    lock.lock();
    try {
      return number >= firstOwn;
    } finally {
      lock.unlock();
    }
  }

  /// So many bytes of a log are on the disk.
  void forced(long number, long bytes) {
    lock.lock();
    try {
      forced.computeIfPresent(number, (log, before) -> Math.max(before, bytes));
    } finally {
      lock.unlock();
    }
  }

  /// Logs below a number are not needed any more.
  void drop(long firstLog) {
    lock.lock();
    try {
      forced.headMap(firstLog).clear();
    } finally {
      lock.unlock();
    }
  }

  /// From a number on, in order.
  List<Manifest.NamedLog> from(long firstLog) {
    lock.lock();
    try {
      List<Manifest.NamedLog> logs = new ArrayList<>();
      forced.tailMap(firstLog).forEach((log, bytes) -> logs.add(new Manifest.NamedLog(log, bytes)));
      return List.copyOf(logs);
    } finally {
      lock.unlock();
    }
  }
}
