package dev.tern.gateway.resp;

/// A request that is answered with an error and nothing else.
final class CommandException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param reply prefix and words
  CommandException(String reply) {
    super(reply, null, false, false);
  }

  static CommandException syntax() {
    return new CommandException("ERR syntax error");
  }

  static CommandException notAnInteger() {
    return new CommandException("ERR value is not an integer or out of range");
  }
}
