package dev.tern.gateway.session;

import dev.tern.core.node.Node;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Member;

/// What a conversation tells its client of the cluster.
///
/// Threads: any.
public interface ClusterStatus {
  /// The topology as this node knows it.
  ClusterView view();

  /// Whether this node believes a member alive; this node is.
  boolean live(int member);

  /// This node.
  Member self();

  /// As a node knows it.
  static ClusterStatus of(Node node) {
    return new ClusterStatus() {
      @Override
      public ClusterView view() {
        return node.view();
      }

      @Override
      public boolean live(int member) {
        return node.live(member);
      }

      @Override
      public Member self() {
        return node.self();
      }
    };
  }
}
