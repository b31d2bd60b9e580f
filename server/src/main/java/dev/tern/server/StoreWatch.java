package dev.tern.server;

import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.node.Node;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells the log what an operator should know of what came from other nodes: frames that cannot be
/// decoded, and answers that are too large. At most a line of each every [#LINES_SECONDS].
final class StoreWatch {
  private static final Logger LOG = LoggerFactory.getLogger(StoreWatch.class);
  private static final long EVERY_MILLIS = 1_000;
  private static final int LINES_SECONDS = 10;

  private final Node node;
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
    if (++looks % LINES_SECONDS != 0) {
      return;
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
}
