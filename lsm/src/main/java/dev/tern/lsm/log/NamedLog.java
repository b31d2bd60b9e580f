package dev.tern.lsm.log;

import dev.tern.env.FileLife;

/// A log, as the manifest names it.
///
/// @param forcedBytes it is at least so long
public record NamedLog(long number, FileLife life, long forcedBytes) {
  NamedLog withForced(long bytes) {
    return new NamedLog(number, life, Math.max(forcedBytes, bytes));
  }
}
