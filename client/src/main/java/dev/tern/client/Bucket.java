package dev.tern.client;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The keys of a bucket, with values of one type. Immutable; any thread.
///
/// Futures fail with a [TernException].
public final class Bucket<V> {
  private final TernClient client;
  private final String type;
  private final String name;
  private final byte[] typeBytes;
  private final byte[] nameBytes;
  private final Codec<V> codec;
  private final byte[] contentType;
  private final Level level;
  private final @Nullable Resolver<V> resolver;

  Bucket(
      TernClient client,
      String type,
      String name,
      Codec<V> codec,
      Level level,
      @Nullable Resolver<V> resolver) {
    this.client = client;
    this.type = type;
    this.name = name;
    this.typeBytes = type.getBytes(StandardCharsets.UTF_8);
    this.nameBytes = name.getBytes(StandardCharsets.UTF_8);
    this.codec = codec;
    this.contentType = codec.contentType().getBytes(StandardCharsets.UTF_8);
    this.level = level;
    this.resolver = resolver;
  }

  /// The same bucket, with requests of another level.
  public Bucket<V> at(Level other) {
    return new Bucket<>(client, type, name, codec, other, resolver);
  }

  /// The same bucket, where siblings are made one value before anybody sees them.
  public Bucket<V> resolving(Resolver<V> by) {
    return new Bucket<>(client, type, name, codec, level, by);
  }

  private static byte[] bytes(String key) {
    return key.getBytes(StandardCharsets.UTF_8);
  }

  /// What a key holds.
  public CompletableFuture<Fetched<V>> get(String key) {
    return get(bytes(key));
  }

  /// What a key holds.
  public CompletableFuture<Fetched<V>> get(byte[] key) {
    Wire.Writer message =
        new Wire.Writer()
            .bytes(1, nameBytes)
            .bytes(2, key)
            .some(3, level.r())
            .some(4, level.pr())
            .number(9, 1)
            .some(10, level.timeoutMillis())
            .number(11, level.sloppy() ? 1 : 0)
            .some(12, level.n())
            .bytes(13, typeBytes);
    return call("get", Wire.GET, message, key, /* repeatable= */ true).thenApply(this::fetched);
  }

  private CompletableFuture<byte[]> call(
      String operation, int code, Wire.Writer message, byte[] key, boolean repeatable) {
    int slot = Placement.slot(nameBytes, key);
    return client.call(
        operation, code, message.encoded(), slot, type, repeatable, level.timeoutMillis());
  }

  /// RpbGetResp and RpbPutResp begin alike.
  private Fetched<V> fetched(byte[] message) {
    List<V> values = new ArrayList<>(1);
    Context context = Context.NONE;
    Wire.Reader in = new Wire.Reader(message, 0, message.length);
    int field;
    while ((field = in.next()) != 0) {
      switch (field) {
        case 1 -> {
          byte[] value = Wire.value(in.message());
          if (value != null) {
            values.add(codec.decode(value));
          }
        }
        case 2 -> context = Context.of(in.bytes());
        default -> in.skip();
      }
    }
    if (values.size() > 1 && resolver != null) {
      return new Fetched<>(List.of(resolver.resolve(values)), context);
    }
    return new Fetched<>(values, context);
  }

  /// Writes without having seen anything: what is there stays as a sibling, where the bucket keeps
  /// siblings.
  public CompletableFuture<Void> put(String key, V value) {
    return put(key, value, Context.NONE);
  }

  /// Writes in place of what the context has seen.
  public CompletableFuture<Void> put(String key, V value, Context context) {
    return put(bytes(key), value, context);
  }

  /// Writes in place of what the context has seen.
  public CompletableFuture<Void> put(byte[] key, V value, Context context) {
    return call("put", Wire.PUT, putMessage(key, value, context), key, /* repeatable= */ false)
        .thenApply(answer -> null);
  }

  /// As [#put(String, Object, Context)], and tells what the key holds then, with the context for
  /// the next write.
  public CompletableFuture<Fetched<V>> putAndGet(String key, V value, Context context) {
    byte[] bytes = bytes(key);
    Wire.Writer message = putMessage(bytes, value, context).number(7, 1);
    return call("put", Wire.PUT, message, bytes, /* repeatable= */ false).thenApply(this::fetched);
  }

  /// Writes if the key has no value; fails with [TernException.NotApplied] if it has.
  public CompletableFuture<Void> putIfAbsent(String key, V value) {
    byte[] bytes = bytes(key);
    Wire.Writer message = putMessage(bytes, value, Context.NONE).number(10, 1);
    return call("put", Wire.PUT, message, bytes, /* repeatable= */ false).thenApply(answer -> null);
  }

  /// Writes if nothing was written since the context; fails with [TernException.NotApplied] if
  /// something was.
  public CompletableFuture<Void> putIfUnmodified(String key, V value, Context context) {
    byte[] bytes = bytes(key);
    Wire.Writer message = putMessage(bytes, value, context).number(9, 1);
    return call("put", Wire.PUT, message, bytes, /* repeatable= */ false).thenApply(answer -> null);
  }

  private Wire.Writer putMessage(byte[] key, V value, Context context) {
    byte[] content =
        new Wire.Writer().bytes(1, codec.encode(value)).bytes(2, contentType).encoded();
    Wire.Writer message = new Wire.Writer().bytes(1, nameBytes).bytes(2, key);
    if (!context.isEmpty()) {
      message.bytes(3, context.shared());
    }
    return message
        .bytes(4, content)
        .some(5, level.w())
        .some(6, level.dw())
        .some(8, level.pw())
        .some(12, level.timeoutMillis())
        .number(14, level.sloppy() ? 1 : 0)
        .some(15, level.n())
        .bytes(16, typeBytes);
  }

  /// Reads, changes and writes what was read with its context. Concurrent updates become siblings;
  /// with a resolver the next reader makes them one.
  ///
  /// @param change from the value, null for none, to the new one; called on the client's loop
  public CompletableFuture<Fetched<V>> update(String key, UnaryOperator<@Nullable V> change) {
    return get(key)
        .thenCompose(
            found -> {
              V next = change.apply(found.value().orElse(null));
              return putAndGet(key, java.util.Objects.requireNonNull(next), found.context());
            });
  }

  /// Removes whatever a fresh read shows. Doing it twice is doing it once.
  public CompletableFuture<Void> delete(String key) {
    return delete(key, Context.NONE);
  }

  /// Removes what the context has seen; what was written since stays.
  public CompletableFuture<Void> delete(String key, Context context) {
    byte[] bytes = bytes(key);
    Wire.Writer message = new Wire.Writer().bytes(1, nameBytes).bytes(2, bytes);
    if (!context.isEmpty()) {
      message.bytes(4, context.shared());
    }
    message
        .some(5, level.r())
        .some(6, level.w())
        .some(7, level.pr())
        .some(8, level.pw())
        .some(9, level.dw())
        .some(10, level.timeoutMillis())
        .number(11, level.sloppy() ? 1 : 0)
        .some(12, level.n())
        .bytes(13, typeBytes);
    return call("delete", Wire.DELETE, message, bytes, /* repeatable= */ !context.isEmpty())
        .thenApply(answer -> null);
  }
}
