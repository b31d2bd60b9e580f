package dev.tern.raft.log;

import java.io.IOException;

/// The log on disk is not what was written: a member must not go on from it, for it may have
/// forgotten a vote or an entry that others count on.
public final class RaftLogException extends IOException {
  private static final long serialVersionUID = 1;

  /// @param what is wrong with it, and what to do if that is not clear
  public RaftLogException(String path, long offset, String what) {
    super("%s is damaged at %d: %s".formatted(path, offset, what));
  }
}
