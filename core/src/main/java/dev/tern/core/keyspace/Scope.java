package dev.tern.core.keyspace;

/// Whose keys a scan or a count is about.
public enum Scope {
  /// The whole keyspace, from any node.
  CLUSTER,
  /// The slots whose first replica is this node: the parts add up to the whole over all nodes.
  NODE
}
