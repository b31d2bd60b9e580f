package dev.tern.lsm.log;

import dev.tern.env.FileHeader;
import dev.tern.env.FileLife;
import dev.tern.env.FileLives;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/// What the manifest says of the logs: which there are, the life of each, and how much of it was
/// forced.
///
/// A log is named before any entry is written to it, and each edit of the manifest says anew how
/// much of it was forced. So a log that is gone, cut short, or another store's is found at the next
/// opening, and a log that is not named holds nothing.
///
/// Any thread.
public final class LogNames {
  private final ReentrantLock lock = new ReentrantLock();

  /// By number.
  private final TreeMap<Long, NamedLog> logs = new TreeMap<>();

  /// Logs behind a hole: their entries count as never written.
  private final Set<Long> voids = new TreeSet<>();

  private final FileLives lives;

  public LogNames(List<NamedLog> found, FileLives lives) {
    this.lives = lives;
    found.forEach(log -> logs.put(log.number(), log));
  }

  /// For a log that is begun.
  FileLife newLife() {
    return lives.next();
  }

  /// A log whose name and header are durable: the next edit names it.
  void add(LogFile.Writer log) {
    lock.lock();
    try {
      logs.put(log.number, new NamedLog(log.number, log.life, FileHeader.BYTES));
    } finally {
      lock.unlock();
    }
  }

  /// A log lies behind a hole, and its entries count as never written: no edit names it any more.
  public void voided(long number) {
    lock.lock();
    try {
      voids.add(number);
      logs.remove(number);
    } finally {
      lock.unlock();
    }
  }

  /// Whether the entries of a log count as never written.
  boolean isVoid(long number) {
    lock.lock();
    try {
      return voids.contains(number);
    } finally {
      lock.unlock();
    }
  }

  /// So many bytes of a log are on the disk.
  void forced(long number, long bytes) {
    lock.lock();
    try {
      logs.computeIfPresent(number, (log, before) -> before.withForced(bytes));
    } finally {
      lock.unlock();
    }
  }

  /// Logs below a number are not needed any more.
  public void drop(long firstLog) {
    lock.lock();
    try {
      logs.headMap(firstLog).clear();
    } finally {
      lock.unlock();
    }
  }

  /// From a number on, in order.
  public List<NamedLog> from(long firstLog) {
    lock.lock();
    try {
      return List.copyOf(logs.tailMap(firstLog).values());
    } finally {
      lock.unlock();
    }
  }
}
