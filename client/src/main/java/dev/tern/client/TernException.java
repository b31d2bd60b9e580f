package dev.tern.client;

/// Why a request has no answer. What it says about the request's effect is its class.
public abstract sealed class TernException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private TernException(String message) {
    super(message);
  }

  /// Nothing happened and nothing will: it may be tried again.
  public static final class Refused extends TernException {
    private static final long serialVersionUID = 1;

    private final boolean passing;

    Refused(String message, boolean passing) {
      super(message);
      this.passing = passing;
    }

    /// Whether it may be better in a moment: an overload, a change of the topology.
    public boolean isPassing() {
      return passing;
    }
  }

  /// It may have had its effect, or have it later.
  public static final class Unknown extends TernException {
    private static final long serialVersionUID = 1;

    Unknown(String message) {
      super(message);
    }
  }

  /// The request is wrong, however often it is tried.
  public static final class Invalid extends TernException {
    private static final long serialVersionUID = 1;

    Invalid(String message) {
      super(message);
    }
  }

  /// A condition of the request did not hold; nothing happened.
  public static final class NotApplied extends TernException {
    private static final long serialVersionUID = 1;

    NotApplied(String message) {
      super(message);
    }
  }

  /// What an error of the store means.
  ///
  /// @param writes whether the request may have changed something
  static TernException of(String error, boolean writes) {
    if (error.equals("timeout")) {
      return writes
          ? new Unknown("the store did not answer in time: the write may have happened")
          : new Refused("the store did not answer in time", true);
    }
    if (error.equals("overload")) {
      return new Refused("the store is overloaded", true);
    }
    if (error.equals("match_found") || error.equals("modified") || error.equals("notfound")) {
      return new NotApplied(error);
    }
    if (error.contains("unsatisfied") || error.contains("no replica")) {
      return new Refused("too few replicas: " + error, false);
    }
    if (error.contains("older than epoch")
        || error.contains("is no replica")
        || error.contains("does not hold")) {
      return new Refused(error, true);
    }
    return new Invalid(error);
  }
}
