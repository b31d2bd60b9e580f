package dev.tern.gateway.net;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicInteger;

/// How many clients may be connected to a node, all doors together: fewer than the process may open
/// files, so that the stores and the connections between nodes always have some. One client more is
/// told so and closed.
///
/// Threads: any.
public final class ClientLimit {
  /// Connections at a time, however many files may be open.
  public static final int MOST = 50_000;

  /// The share of the files that is kept for others than clients.
  private static final int KEPT_SHARE = 4;

  private static final int LEAST_KEPT = 256;
  private static final int MOST_KEPT = 4_096;

  /// However few files may be open.
  private static final int FEWEST = 16;

  private final int most;
  private final AtomicInteger clients = new AtomicInteger();

  private ClientLimit(int most) {
    this.most = most;
  }

  /// What this process's limit of open files allows.
  public static ClientLimit ofProcess() {
    long files = Long.MAX_VALUE;
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      files = system.getMaxFileDescriptorCount();
    }
    return new ClientLimit(ofFiles(files));
  }

  static int ofFiles(long files) {
    long kept = Math.clamp(files / KEPT_SHARE, LEAST_KEPT, MOST_KEPT);
    return Math.clamp(files - kept, FEWEST, MOST);
  }

  /// One client more; false if there are enough.
  public boolean enter() {
    if (clients.incrementAndGet() > most) {
      clients.decrementAndGet();
      return false;
    }
    return true;
  }

  /// A client that entered is gone.
  public void leave() {
    clients.decrementAndGet();
  }

  /// Clients at a time.
  public int most() {
    return most;
  }
}
