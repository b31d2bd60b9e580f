package dev.tern.lsm;

import java.lang.foreign.MemorySegment;

/// Makes something of a value that is lent to it.
@FunctionalInterface
public interface ValueReader<T> {
  /// The value is `length` bytes of `memory` from `offset` on, and all of it. It is read-only, for
  /// the calling thread, until this method returns; whoever keeps it gets an
  /// `IllegalStateException` from it later. May take its time, and may use the store.
  T read(MemorySegment memory, long offset, int length);
}
