package dev.tern.client;

import java.util.List;

/// Makes one value of several that were written concurrently. Must not block, and should come to
/// the same whatever their order: two clients may do it at once.
@FunctionalInterface
public interface Resolver<V> {
  /// @param siblings two or more, newest first
  V resolve(List<V> siblings);
}
