package dev.tern.gateway.resp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

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
  private static final int HITS = 6;
  private static final int MISSES = 7;
  private static final int BUCKETS = 8;
  private static final int BY_COMMAND = BUCKETS + BUCKET_MICROS.length + 1;

  // By command: what was carried out, how long that took, what failed, what was refused before.
  private static final int CALLS = 0;
  private static final int CALL_MICROS = 1;
  private static final int FAILED = 2;
  private static final int REJECTED = 3;
  private static final int FIGURES = 4;

  private final long[] values = new long[BY_COMMAND + CommandTable.count() * FIGURES];

  /// What a command did.
  ///
  /// @param micros sum of the latencies, microseconds
  /// @param rejected calls that were not carried out, as their arguments were wrong in number
  public record OfCommand(String name, long calls, long micros, long failed, long rejected) {
    /// This with so many times another's counts.
    OfCommand and(OfCommand other, int times) {
      return new OfCommand(
          name,
          calls + times * other.calls,
          micros + times * other.micros,
          failed + times * other.failed,
          rejected + times * other.rejected);
    }
  }

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

  /// A read found its key, or did not.
  void lookedUp(boolean hit) {
    add(hit ? HITS : MISSES, 1);
  }

  /// A command was refused before it was carried out.
  void rejected(CommandTable.Command command) {
    add(BY_COMMAND + command.index() * FIGURES + REJECTED, 1);
  }

  /// A command has its reply.
  ///
  /// @param command null where the bytes named none that there is
  void command(CommandTable.@Nullable Command command, long nanos, boolean error) {
    long micros = nanos / 1000;
    if (command != null) {
      int at = BY_COMMAND + command.index() * FIGURES;
      add(at + CALLS, 1);
      add(at + CALL_MICROS, micros);
      add(at + FAILED, error ? 1 : 0);
    }
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

  /// Reads that found their key.
  public long hits() {
    return get(HITS);
  }

  /// Reads that did not.
  public long misses() {
    return get(MISSES);
  }

  OfCommand of(CommandTable.Command command) {
    int at = BY_COMMAND + command.index() * FIGURES;
    return new OfCommand(
        command.name(),
        get(at + CALLS),
        get(at + CALL_MICROS),
        get(at + FAILED),
        get(at + REJECTED));
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
