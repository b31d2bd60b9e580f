package dev.tern.gateway.session;

import dev.tern.core.keyspace.Caller;

/// What clients and a door speak. One object serves all shards.
///
/// Threads: any; [#converse] is called on the shard's loop.
public interface Protocol {
  /// The door's name: of its port in the topology, its flag, its label in metrics. Lower-case
  /// letters, digits and hyphens.
  String name();

  /// The protocol's name for people.
  String title();

  /// Begins a conversation with a client.
  ///
  /// @param shard whose loop the connection lives on
  /// @param outlet takes the conversation's effects
  Conversation converse(int shard, Caller caller, Outlet outlet);

  /// What a client is sent before it is closed because there are enough clients; empty for nothing.
  byte[] full();
}
