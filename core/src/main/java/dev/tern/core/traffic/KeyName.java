package dev.tern.core.traffic;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A key of a keyspace, for use in maps.
public final class KeyName {
  private final int keyspace;
  private final byte[] key;
  private final int hash;

  /// @param key not copied: nobody changes it
  public KeyName(int keyspace, byte[] key) {
    this.keyspace = keyspace;
    this.key = key;
    this.hash = 31 * Arrays.hashCode(key) + keyspace;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof KeyName name
        && hash == name.hash
        && keyspace == name.keyspace
        && Arrays.equals(key, name.key);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
