package dev.tern.core.gossip;

/// What [Gossip] wants done, in order.
public sealed interface Effect permits Event, Effect.Send, Effect.SetBack {
  /// A datagram for a member; it may be lost.
  record Send(int to, byte[] datagram) implements Effect {}

  /// Other members know of a life of this member that its own count of lives does not: its
  /// directory is an older copy, or the count was lost. Wanted once a life, at most.
  record SetBack() implements Effect {}
}
