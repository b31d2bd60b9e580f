package dev.tern.client;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One request on its way.
final class Call {
  final int code;
  final byte[] message;

  /// Of its key; negative if any node will do.
  final int slot;

  /// The bucket type it is about.
  final String type;

  /// Whether it may change something, and whether doing it twice is doing it once.
  final boolean writes;

  final boolean repeatable;
  final long beganNanos;
  final long deadlineNanos;
  final CompletableFuture<byte[]> answer = new CompletableFuture<>();
  int attempts;

  /// Whether its answer was found to take long.
  boolean slow;

  /// When it was last handed to a connection; on its loop.
  long sentNanos;

  /// Nodes that could not be reached are not tried again at once.
  @Nullable Object lastTried;

  Call(
      int code,
      byte[] message,
      int slot,
      String type,
      boolean writes,
      boolean repeatable,
      long nowNanos,
      long timeoutNanos) {
    this.code = code;
    this.message = message;
    this.slot = slot;
    this.type = type;
    this.writes = writes;
    this.repeatable = repeatable;
    this.beganNanos = nowNanos;
    this.deadlineNanos = nowNanos + timeoutNanos;
  }

  boolean isOver(long nowNanos) {
    return nowNanos >= deadlineNanos;
  }

  /// Nobody answered in time.
  void timeOut() {
    answer.completeExceptionally(
        writes
            ? new TernException.Unknown("no answer in time: the write may have happened")
            : new TernException.Refused("no answer in time", true));
  }
}
