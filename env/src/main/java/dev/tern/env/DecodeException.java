package dev.tern.env;

/// Bytes from outside that do not mean anything: the frame, record or request they stand in is
/// refused, and nothing else is.
public final class DecodeException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public DecodeException(String message) {
    super(message, null, false, false);
  }
}
