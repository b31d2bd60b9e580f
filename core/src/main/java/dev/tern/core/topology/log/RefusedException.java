package dev.tern.core.topology.log;

/// This node may not take part in the cluster; it stops, with the reason for people.
public final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public RefusedException(String why) {
    super(why);
  }
}
