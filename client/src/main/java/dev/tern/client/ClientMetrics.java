package dev.tern.client;

import java.util.concurrent.atomic.LongAdder;

/// What a client has done, for whatever the program measures with. Any thread.
public final class ClientMetrics {
  /// Told of each request's end, on the client's loop: must not block.
  @FunctionalInterface
  public interface Observer {
    /// @param operation get, put, delete
    /// @param nanos from the call to its end
    /// @param outcome done, refused, unknown, invalid, not-applied
    void ended(String operation, long nanos, String outcome);
  }

  final LongAdder requests = new LongAdder();
  final LongAdder retries = new LongAdder();
  final LongAdder failures = new LongAdder();
  final LongAdder elsewhere = new LongAdder();

  ClientMetrics() {}

  public long requests() {
    return requests.sum();
  }

  /// Attempts after the first.
  public long retries() {
    return retries.sum();
  }

  /// Requests that ended without an answer.
  public long failures() {
    return failures.sum();
  }

  /// Attempts that did not go to a replica of their key: none is known or reachable.
  public long elsewhere() {
    return elsewhere.sum();
  }
}
