package dev.tern.lsm;

import java.io.IOException;

/// A write that was not done at all, because there is no room for it: nothing of it is in the
/// store. The same write succeeds once there is room.
public final class WriteRefusedException extends IOException {
  private static final long serialVersionUID = 1;

  WriteRefusedException(String what, Throwable cause) {
    super(what, cause);
  }
}
