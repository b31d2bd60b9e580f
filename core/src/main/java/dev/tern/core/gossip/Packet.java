package dev.tern.core.gossip;

import java.util.List;

/// A datagram between members. Every one says who sends it in which incarnation and how loaded it
/// is, and carries what else there was room for.
///
/// @param incarnation of the sender
/// @param load of the sender
/// @param rumours claims about others
/// @param reports loads of others
record Packet(long incarnation, Load load, Body body, List<Rumour> rumours, List<Report> reports) {

  /// How loaded another member said it is.
  record Report(int number, Load load) {}

  /// What the sender wants.
  sealed interface Body {}

  /// To be answered with [Ack].
  record Ping(int sequence) implements Body {}

  /// Ping the target for me: an [Ack] if it answers, a [Nack] if not.
  record PingRequest(int sequence, int target) implements Body {}

  /// Here I am; or: here it is.
  record Ack(int sequence) implements Body {}

  /// I am here, but the target did not answer me yet.
  record Nack(int sequence) implements Body {}

  /// Nothing beside the rumours.
  record Idle() implements Body {}

  /// The rumours and reports are a part of all I know, parts may be lost.
  ///
  /// @param asks whether I want to know all that you know
  record Sync(boolean asks) implements Body {}
}
