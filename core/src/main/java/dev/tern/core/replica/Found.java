package dev.tern.core.replica;

import dev.tern.core.version.Siblings;
import org.jspecify.annotations.Nullable;

/// Takes what a read finds, on the shard's loop.
@FunctionalInterface
public interface Found {
  /// @param record null if the key has none here; with siblings, filled by the clock on disk
  /// @param failure why the disk could not be read, null if it could
  void found(@Nullable Siblings record, @Nullable Throwable failure);
}
