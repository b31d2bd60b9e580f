package dev.tern.core.keyspace;

/// On whose behalf requests are made. Doors have no users yet: every client is anonymous, known by
/// its door and its address.
///
/// @param door the door's name; empty for the node itself
/// @param address of the client, for people; empty for the node itself
public record Caller(String door, String address) {
  /// The node itself, and what stands in for it in tests.
  public static final Caller NODE = new Caller("", "");

  /// A client that has not said who it is.
  public static Caller anonymous(String door, String address) {
    return new Caller(door, address);
  }
}
