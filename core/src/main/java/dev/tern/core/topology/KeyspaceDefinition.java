package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyspaceConfig;

/// A keyspace of the cluster.
///
/// @param id never reused, not even by a keyspace of the same name
public record KeyspaceDefinition(int id, KeyspaceSettings settings) {
  public String name() {
    return settings.name();
  }

  /// As the request path wants it.
  public KeyspaceConfig config() {
    return new KeyspaceConfig(
        id,
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
