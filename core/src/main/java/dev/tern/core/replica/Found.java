package dev.tern.core.replica;

import dev.tern.core.version.Version;
import org.jspecify.annotations.Nullable;

/// Takes what a read finds, on the shard's loop.
@FunctionalInterface
public interface Found {
  /// @param version null if the key has none here
  /// @param failure why the disk could not be read, null if it could
  void found(@Nullable Version version, @Nullable Throwable failure);
}
