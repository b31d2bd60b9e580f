package dev.tern.server;

import dev.tern.core.node.Node;
import dev.tern.core.version.ClockAlarms;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells the log of members whose clocks are wrong, and when they are right again.
final class ClockWatch {
  private static final Logger LOG = LoggerFactory.getLogger(ClockWatch.class);
  private static final long EVERY_MILLIS = 1_000;

  private final Node node;
  private final ClockAlarms alarms = new ClockAlarms();

  private ClockWatch(Node node) {
    this.node = node;
  }

  /// Looks every second on that loop, as long as it runs.
  static void start(Node node, EventLoop loop) {
    ClockWatch watch = new ClockWatch(node);
    var _ =
        loop.scheduleAtFixedRate(watch::look, EVERY_MILLIS, EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void look() {
    alarms.look(node.time().clocks()).forEach(LOG::warn);
  }
}
