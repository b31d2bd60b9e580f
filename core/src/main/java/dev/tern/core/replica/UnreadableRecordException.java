package dev.tern.core.replica;

import java.io.IOException;

/// A record is stored in bytes that no version of this software writes, behind checksums that are
/// right. It is treated as a block that cannot be read: what asks for it fails alone, and repair
/// takes it from another replica.
public final class UnreadableRecordException extends IOException {
  private static final long serialVersionUID = 1;

  UnreadableRecordException(String message) {
    super(message);
  }
}
