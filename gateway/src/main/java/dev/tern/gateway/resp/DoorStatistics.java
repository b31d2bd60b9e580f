package dev.tern.gateway.resp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// What one loop's connections did: written on the loop, read by any thread.
public final class DoorStatistics {
  /// Upper bounds of the latency buckets, microseconds; the last bucket has none.
  public static final long[] BUCKET_MICROS = {
    50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000, 2_000_000
  };

  private static final VarHandle VALUE = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int CONNECTIONS = 0;
  private static final int ACCEPTED = 1;
  private static final int COMMANDS = 2;
  private static final int ERRORS = 3;
  private static final int PROTOCOL_ERRORS = 4;
  private static final int MICROS = 5;
  private static final int BUCKETS = 6;

  private final long[] values = new long[BUCKETS + BUCKET_MICROS.length + 1];

  private void add(int index, long delta) {
    VALUE.setOpaque(values, index, values[index] + delta);
  }

  private long get(int index) {
    return (long) VALUE.getOpaque(values, index);
  }

  void opened() {
    add(CONNECTIONS, 1);
    add(ACCEPTED, 1);
  }

  void closed() {
    add(CONNECTIONS, -1);
  }

  void protocolError() {
    add(PROTOCOL_ERRORS, 1);
  }

  void command(long nanos, boolean error) {
    long micros = nanos / 1000;
    add(COMMANDS, 1);
    add(MICROS, micros);
    if (error) {
      add(ERRORS, 1);
    }
    int bucket = 0;
    while (bucket < BUCKET_MICROS.length && micros > BUCKET_MICROS[bucket]) {
      bucket++;
    }
    add(BUCKETS + bucket, 1);
  }

  public long connections() {
    return get(CONNECTIONS);
  }

  public long accepted() {
    return get(ACCEPTED);
  }

  public long commands() {
    return get(COMMANDS);
  }

  /// Error replies.
  public long errors() {
    return get(ERRORS);
  }

  public long protocolErrors() {
    return get(PROTOCOL_ERRORS);
  }

  /// Sum of all latencies, microseconds, from the request's arrival to its reply.
  public long micros() {
    return get(MICROS);
  }

  /// Requests whose latency lay in bucket `i`; the last is one past [#BUCKET_MICROS].
  public long bucket(int i) {
    return get(BUCKETS + i);
  }
}
