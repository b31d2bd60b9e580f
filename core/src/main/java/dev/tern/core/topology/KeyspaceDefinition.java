package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.keyspace.KeyspaceConfig;

/// A keyspace of the cluster.
///
/// @param id never reused, not even by a keyspace of the same name
/// @param hash of its keys, for ever: their records lie in its order
public record KeyspaceDefinition(int id, KeyHash hash, KeyspaceSettings settings) {
  public String name() {
    return settings.name();
  }

  /// As the request path wants it.
  public KeyspaceConfig config() {
    return new KeyspaceConfig(
        id,
        hash,
        settings.name(),
        settings.n(),
        settings.r(),
        settings.w(),
        settings.durability(),
        settings.timeoutMillis(),
        settings.ttlMillis(),
        settings.compaction(),
        settings.resolution());
  }
}
