package dev.tern.lsm;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Tables were not taken in, for a reason that the message names; nothing has changed.
public final class IngestRefusedException extends IOException {
  private static final long serialVersionUID = 1;

  IngestRefusedException(String message) {
    super(message);
  }

  IngestRefusedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
