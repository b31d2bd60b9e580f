package dev.tern.server;

import dev.tern.core.Node;
import dev.tern.core.quorum.Statistics.Counter;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells the log of what an operator should know of a node's disk and of what came from others: the
/// disk is full, and has room again; stored records and frames that cannot be decoded, and answers
/// that are too large. At most a line of each every [#LINES_SECONDS].
final class StoreWatch {
  private static final Logger LOG = LoggerFactory.getLogger(StoreWatch.class);
  private static final long EVERY_MILLIS = 1_000;
  private static final int LINES_SECONDS = 10;

  private final Node node;
  private boolean full;
  private long unreadable;
  private long malformed;
  private long tooLarge;
  private int looks;

  private StoreWatch(Node node) {
    this.node = node;
  }

  /// Looks every second on that loop, as long as it runs.
  static void start(Node node, EventLoop loop) {
    StoreWatch watch = new StoreWatch(node);
    var _ =
        loop.scheduleAtFixedRate(watch::look, EVERY_MILLIS, EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void look() {
    disk(node.fullDisk());
    if (++looks % LINES_SECONDS != 0) {
      return;
    }
    long unreadableNow = node.unreadableRecords();
    if (unreadableNow > unreadable) {
      LOG.warn(
          "{} times a stored record could not be decoded, lastly: {}; repair takes it from another node",
          unreadableNow - unreadable,
          node.lastUnreadable());
      unreadable = unreadableNow;
    }
    long malformedNow = node.statistic(Counter.FRAMES_MALFORMED);
    if (malformedNow > malformed) {
      LOG.warn("{} frames of other nodes were malformed and refused", malformedNow - malformed);
      malformed = malformedNow;
    }
    long tooLargeNow = node.statistic(Counter.MESSAGES_TOO_LARGE);
    if (tooLargeNow > tooLarge) {
      LOG.warn(
          "{} messages were too large to be sent; who asked was told so", tooLargeNow - tooLarge);
      tooLarge = tooLargeNow;
    }
  }

  private void disk(@Nullable String why) {
    if (why != null && !full) {
      LOG.warn("the disk is full ({}): writes are refused, reads go on; make room", why);
    } else if (why == null && full) {
      LOG.info("the disk has room again: writes go on");
    }
    full = why != null;
  }
}
