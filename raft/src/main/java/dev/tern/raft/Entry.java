package dev.tern.raft;

/// One entry of the replicated log. Immutable: nobody changes the payload.
///
/// @param index its place, from 1 without holes
/// @param term of the leader that made it; with the index it names the entry for ever
/// @param kind what the payload is
/// @param payload a command of the state machine, an encoded [Membership], or nothing
public record Entry(long index, long term, Kind kind, byte[] payload) {
  /// What an entry costs beside its payload, for all bounds in bytes.
  public static final int OVERHEAD_BYTES = 24;

  private static final byte[] NOTHING = new byte[0];

  /// What a payload is.
  public enum Kind {
    /// Nothing: a new leader's first entry, with which it commits what came before.
    EMPTY,
    /// A command of the state machine.
    COMMAND,
    /// A [Membership], in force as soon as it is in the log.
    MEMBERSHIP
  }

  static Entry empty(long index, long term) {
    return new Entry(index, term, Kind.EMPTY, NOTHING);
  }

  /// What it counts for in bounds, bytes.
  public long bytes() {
    return OVERHEAD_BYTES + payload.length;
  }
}
