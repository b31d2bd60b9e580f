package dev.tern.gateway.riak;

/// A request that is answered with an error.
final class RiakException extends RuntimeException {
  private static final long serialVersionUID = 1;

  RiakException(String message) {
    super(message, null, false, false);
  }
}
