package dev.tern.gateway.riak;

import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// A request that was read and is to be carried out. Riak carries out one request of a connection
/// after the other; here those of different keys go on side by side, which no client can tell but
/// by the time it takes.
///
/// @param order the key's hash: waits for requests of the same key; or one of the constants
/// @param run carries it out and answers once
record Task(long order, Consumer<Answer> run) {
  /// Waits for nothing.
  static final long FREE = 0;

  /// Waits for all requests before, and those after wait for it.
  static final long ALONE = -1;

  static Task free(Consumer<Answer> run) {
    return new Task(FREE, run);
  }

  /// Waits for all requests before.
  static <R> Task alone(R request, BiConsumer<R, Answer> run) {
    return new Task(ALONE, answer -> run.accept(request, answer));
  }

  /// Waits for requests of the same key.
  static Task of(KeyRequest request, BiConsumer<KeyRequest, Answer> run) {
    long hash = request.type.hashCode();
    hash = hash * 0x100000001b3L ^ java.util.Arrays.hashCode(request.bucket);
    hash = hash * 0x100000001b3L ^ java.util.Arrays.hashCode(request.key);
    long order = hash == FREE || hash == ALONE ? 1 : hash;
    return new Task(order, answer -> run.accept(request, answer));
  }
}
