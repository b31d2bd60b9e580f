package dev.tern.lsm;

import java.lang.foreign.MemorySegment;

/// Makes something of a value that is lent to it.
@FunctionalInterface
public interface ValueReader<T> {
  /// The value is `length` bytes of `memory` from `offset` on. Neither may be kept: afterwards they
  /// belong to others.
  T read(MemorySegment memory, long offset, int length);
}
