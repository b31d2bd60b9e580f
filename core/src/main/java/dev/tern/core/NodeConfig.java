package dev.tern.core;

import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.topology.Topology;
import dev.tern.lsm.LsmOptions;
import java.util.List;

/// What a node must know at its start.
///
/// @param self this node's member number
/// @param topology the members and lists
/// @param keyspaces the keyspaces served; ids and names differ
/// @param storage how each shard's store is sized
/// @param planted a mistake for tests to find; [PlantedBug#NONE] in production
public record NodeConfig(
    int self,
    Topology topology,
    List<KeyspaceConfig> keyspaces,
    LsmOptions storage,
    PlantedBug planted) {
  public NodeConfig {
    keyspaces = List.copyOf(keyspaces);
    topology.member(self);
    if (keyspaces.stream().map(KeyspaceConfig::id).distinct().count() != keyspaces.size()
        || keyspaces.stream().map(KeyspaceConfig::name).distinct().count() != keyspaces.size()) {
      throw new IllegalArgumentException("two keyspaces share an id or a name");
    }
  }
}
