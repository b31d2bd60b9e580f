package dev.tern.core.quorum;

import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Update;
import dev.tern.core.replica.Draft;
import dev.tern.core.version.ValueType;

/// What an update that writes without looking comes to.
final class BlindDraft {
  private BlindDraft() {}

  /// @param nowMillis the time that expiries without one are counted from
  /// @throws IllegalStateException if the update reads first
  static Draft of(KeyspaceConfig keyspace, Update update, long nowMillis) {
    return switch (update) {
      case Update.Put put ->
          new Draft(
              ValueType.BYTES,
              put.value(),
              keyspace.expiry(put.expiryMillis(), nowMillis),
              null,
              null,
              false);
      case Update.Store store -> {
        long expiry = store.value() == null ? 0 : keyspace.expiry(store.expiryMillis(), nowMillis);
        boolean lww = keyspace.resolution() == Resolution.LWW;
        yield new Draft(
            store.type(),
            store.value(),
            expiry,
            null,
            lww ? null : ToldVersions.context(store),
            store.overwrites());
      }
      case Update.Delete u -> throw readsFirst();
      case Update.Add u -> throw readsFirst();
      case Update.AddDecimal u -> throw readsFirst();
      case Update.Append u -> throw readsFirst();
      case Update.Expire u -> throw readsFirst();
    };
  }

  private static IllegalStateException readsFirst() {
    return new IllegalStateException("this update reads first");
  }
}
