package dev.tern.gateway.net;

import java.io.IOException;

/// Where the clients of one protocol come in. A door is opened once and closed once.
///
/// Threads: any.
public interface Door extends AutoCloseable {
  /// Names the door's port in the topology and in seeds, its flag, and its label in metrics:
  /// lower-case letters, digits and hyphens.
  String name();

  /// Opens the port.
  ///
  /// @param port 0 for any that is free
  /// @throws IOException if the port cannot be had, with the reason
  void open(String host, int port) throws IOException;

  /// The port's number; 0 if it is not open.
  int port();

  /// Reads no more requests; those that were read are answered.
  void quiet();

  /// Closes the connections, once they have taken what was sent to them.
  void end();

  /// Stops to listen; open connections go on until [#end].
  @Override
  void close();
}
