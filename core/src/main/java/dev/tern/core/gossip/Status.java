package dev.tern.core.gossip;

/// What is believed of a member. The order is that of claims of one incarnation: the later wins.
public enum Status {
  /// It answers.
  ALIVE,
  /// It did not answer somebody, and has some time to object.
  SUSPECT,
  /// It did not object in time.
  DEAD,
  /// It said goodbye.
  LEFT;

  /// Whether requests may be sent to it.
  public boolean reachable() {
    return this == ALIVE || this == SUSPECT;
  }
}
