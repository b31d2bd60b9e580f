package dev.tern.gateway.riak;

import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// A request that was read and is to be carried out. Riak carries out one request of a connection
/// after the other; here those of different keys go on side by side, which no client can tell but
/// by the time it takes.
sealed interface Task {
  /// Carries the request out and answers it once.
  Consumer<Answer> run();

  /// A request that waits for nothing.
  record Free(Consumer<Answer> run) implements Task {}

  /// A request that waits for those of the same key before it.
  ///
  /// @param key type, bucket and key
  record Keyed(byte[] key, Consumer<Answer> run) implements Task {}

  /// A request that waits for all requests before it, and for which those behind it wait.
  record Alone(Consumer<Answer> run) implements Task {}

  static Task free(Consumer<Answer> run) {
    return new Free(run);
  }

  static <R> Task alone(R request, BiConsumer<R, Answer> run) {
    return new Alone(answer -> run.accept(request, answer));
  }

  static Task of(KeyRequest request, BiConsumer<KeyRequest, Answer> run) {
    byte[] type = request.type.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    byte[] key = request.key == null ? new byte[0] : request.key;
    byte[] name = BucketKey.of(type, BucketKey.of(request.bucket, key));
    return new Keyed(name, answer -> run.accept(request, answer));
  }
}
