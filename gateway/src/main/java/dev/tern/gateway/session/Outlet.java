package dev.tern.gateway.session;

/// What a [Conversation] asks of its connection. All methods return at once and do not call the
/// conversation from within.
///
/// Threads: the conversation's loop.
public interface Outlet {
  /// There are replies to take; called when there were none before.
  void repliesReady();

  /// The conversation takes requests again, see [Conversation#feed].
  void readyForMore();

  /// The bytes are no request of the protocol. The conversation answers with an error if the
  /// protocol has one, and closes.
  ///
  /// @param detail for the log
  void malformed(String detail);

  /// Nothing more will be answered: send what there is and close.
  void close();
}
