package dev.tern.gateway.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps a port that cannot accept, for instance as no file descriptor is left, from trying again
/// at once: it pauses, longer each time, and says so once in a while. Connections that are open go
/// on.
///
/// Threads: the listening channel's loop.
public final class AcceptPause extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(AcceptPause.class);
  private static final long FIRST_PAUSE_MILLIS = 100;
  private static final long LAST_PAUSE_MILLIS = 2_000;

  /// A failure so long after the pause before has another cause.
  private static final long CALM_NANOS = 10_000_000_000L;

  private static final long SAID_NANOS = 10_000_000_000L;

  private final String clients;
  private long pauseMillis = FIRST_PAUSE_MILLIS;
  private boolean paused;
  private long lastNanos;
  private long saidNanos;

  /// Failures since it was last said.
  private long failures;

  /// @param clients whose port it is, for people
  public AcceptPause(String clients) {
    this.clients = clients;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    long now = System.nanoTime();
    failures++;
    if (saidNanos == 0 || now - saidNanos >= SAID_NANOS) {
      saidNanos = now;
      LOG.warn(
          "cannot accept connections of {} clients ({} failures): {}; it is tried again in {} ms."
              + " If no file descriptors are left, raise the limit (ulimit -n)",
          clients,
          failures,
          cause.getMessage(),
          pauseMillis);
      failures = 0;
    }
    if (paused) {
      return;
    }
    pauseMillis =
        now - lastNanos > CALM_NANOS
            ? FIRST_PAUSE_MILLIS
            : Math.min(LAST_PAUSE_MILLIS, 2 * pauseMillis);
    lastNanos = now;
    paused = true;
    Channel channel = context.channel();
    channel.config().setAutoRead(false);
    channel
        .eventLoop()
        .schedule(
            () -> {
              paused = false;
              channel.config().setAutoRead(true);
            },
            pauseMillis,
            TimeUnit.MILLISECONDS);
  }
}
