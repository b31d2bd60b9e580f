package dev.tern.core;

import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.topology.Topology;
import java.util.List;

/// What a node must know at its start.
///
/// @param self this node's member number
/// @param topology the members and lists
/// @param keyspaces the keyspaces served; ids and names differ
/// @param memoryBytes budget of this node's storage (memtables, cache, indexes), over all shards
public record NodeConfig(
    int self, Topology topology, List<KeyspaceConfig> keyspaces, long memoryBytes) {
  public NodeConfig {
    keyspaces = List.copyOf(keyspaces);
    topology.member(self);
  }
}
