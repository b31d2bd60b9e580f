package dev.tern.core.gossip;

/// What [Gossip] wants done, in order.
public sealed interface Effect permits Event, Effect.Send {
  /// A datagram for a member; it may be lost.
  record Send(int to, byte[] datagram) implements Effect {}
}
