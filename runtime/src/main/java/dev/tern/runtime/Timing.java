package dev.tern.runtime;

import java.util.concurrent.TimeUnit;

/// The pauses and patience of connections between nodes.
///
/// @param pingNanos between pings of a connection, and between looks at its silence
/// @param silenceNanos a connection on which nothing arrived for so long is closed
/// @param firstPauseNanos before the first new attempt to dial
/// @param lastPauseNanos the longest pause between attempts
/// @param connectMillis patience of one attempt
record Timing(
    long pingNanos,
    long silenceNanos,
    long firstPauseNanos,
    long lastPauseNanos,
    int connectMillis) {
  static Timing production() {
    return new Timing(
        TimeUnit.MILLISECONDS.toNanos(500),
        TimeUnit.SECONDS.toNanos(5),
        TimeUnit.MILLISECONDS.toNanos(50),
        TimeUnit.SECONDS.toNanos(1),
        1000);
  }
}
