package dev.tern.core.gossip;

/// A claim about a member, as it is passed on.
///
/// @param number of the member
/// @param incarnation that the claim is about
/// @param accuser who got no answer, where the status is [Status#SUSPECT]; otherwise 0
public record Rumour(int number, long incarnation, Status status, int accuser) {
  /// Whether it overrules a claim of another incarnation and status about the same member.
  boolean overrules(long otherIncarnation, Status other) {
    return incarnation > otherIncarnation
        || incarnation == otherIncarnation && status.compareTo(other) > 0;
  }
}
