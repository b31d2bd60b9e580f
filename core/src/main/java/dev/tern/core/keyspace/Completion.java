package dev.tern.core.keyspace;

/// Takes the one outcome of a request, on the loop the request was made on; possibly before the
/// call that made the request returns. Must not throw.
@FunctionalInterface
public interface Completion<T> {
  void complete(T outcome);
}
