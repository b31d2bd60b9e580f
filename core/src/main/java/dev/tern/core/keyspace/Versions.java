package dev.tern.core.keyspace;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a key holds: its siblings, and the context that a write must carry to replace them all.
///
/// @param siblings newest first; none if the key was never written or its delete is forgotten
/// @param context opaque bytes; those of a key that holds nothing replace nothing and are allowed
public record Versions(List<Sibling> siblings, byte[] context) {

  /// One version.
  ///
  /// @param id differs from that of any other version of the key, ever
  /// @param value null if it is a delete, or has expired; shared, do not change
  /// @param stamp when it was written, microseconds of wall-clock time as the replica saw it
  /// @param expiryMillis wall-clock milliseconds at which it goes, 0 for never
  public record Sibling(String id, byte @Nullable [] value, long stamp, long expiryMillis) {}

  public Versions {
    siblings = List.copyOf(siblings);
  }

  /// Whether any sibling has a value.
  public boolean hasValue() {
    for (Sibling sibling : siblings) {
      if (sibling.value() != null) {
        return true;
      }
    }
    return false;
  }
}
