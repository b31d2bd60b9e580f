package dev.tern.gateway.resp;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.UpdateOutcome;

/// What went wrong, in the words Redis clients know.
final class Errors {
  private Errors() {}

  static Reply of(Unanswered why) {
    return new Reply.Error(
        switch (why) {
          case Unanswered.Unknown unknown ->
              "TIMEOUT it is unknown whether the command was applied: " + unknown.message();
          case Unanswered.Refused refused ->
              switch (refused.reason()) {
                case UNAVAILABLE, UNREADABLE -> "CLUSTERDOWN " + refused.message();
                case OVERLOADED ->
                    "TRYAGAIN overloaded, retry after %d ms: %s"
                        .formatted(refused.retryAfterMillis(), refused.message());
                case TRY_AGAIN, MOVING -> "TRYAGAIN " + refused.message();
                case INVALID -> "ERR " + refused.message();
                // As Redis says where it cannot write to its disk.
                case DISK_FULL -> "MISCONF " + refused.message();
                case LOADING -> "LOADING " + refused.message();
              };
        });
  }

  static Reply of(UpdateOutcome.Why why) {
    return new Reply.Error(
        switch (why) {
          case NOT_AN_INTEGER -> "ERR value is not an integer or out of range";
          case INTEGER_OVERFLOW -> "ERR increment or decrement would overflow";
          case NOT_A_DECIMAL -> "ERR value is not a valid float";
          case DECIMAL_OVERFLOW -> "ERR increment would produce NaN or Infinity";
          case TOO_LARGE -> "ERR string exceeds maximum allowed size";
        });
  }

  /// No command of this door stores with a context.
  static IllegalStateException unasked(UpdateOutcome.Stored stored) {
    return new IllegalStateException("nobody asked for " + stored);
  }
}
