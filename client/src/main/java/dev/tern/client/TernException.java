package dev.tern.client;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Why a request has no answer. What it says about the request's effect is its class.
public abstract sealed class TernException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private static final String OVERLOAD = "overload";
  private static final String DISK_FULL = "disk_full, ";
  private static final Pattern RETRY_AFTER = Pattern.compile("retry after ([0-9]{1,7}) ms");

  private TernException(String message) {
    super(message);
  }

  /// Nothing happened and nothing will: it may be tried again.
  public static final class Refused extends TernException {
    private static final long serialVersionUID = 1;

    private final boolean passing;
    private final long retryAfterMillis;

    Refused(String message, boolean passing) {
      this(message, passing, 0);
    }

    Refused(String message, boolean passing, long retryAfterMillis) {
      super(message);
      this.passing = passing;
      this.retryAfterMillis = retryAfterMillis;
    }

    /// For how long the store is likely to be overloaded, milliseconds, as it says itself; 0 if it
    /// does not say. The client has waited so long already before it tried again, if the deadline
    /// left it the time: this is what the last attempt was told.
    public long retryAfterMillis() {
      return retryAfterMillis;
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

  private static long retryAfterMillis(String error) {
    Matcher matcher = RETRY_AFTER.matcher(error);
    return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
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
    if (error.startsWith(OVERLOAD)) {
      long millis = retryAfterMillis(error);
      String when = millis == 0 ? "" : ", retry after %d ms".formatted(millis);
      return new Refused("the store is overloaded" + when, true, millis);
    }
    if (error.startsWith(DISK_FULL)) {
      return new Refused(error.substring(DISK_FULL.length()), false);
    }
    if (error.equals("match_found") || error.equals("modified") || error.equals("notfound")) {
      return new NotApplied(error);
    }
    if (error.contains("unsatisfied") || error.contains("no replica")) {
      return new Refused("too few replicas: " + error, false);
    }
    if (error.contains("older than epoch")
        || error.contains("try again")
        || error.contains("is no replica")
        || error.contains("does not hold")) {
      return new Refused(error, true);
    }
    return new Invalid(error);
  }
}
