package dev.tern.lsm;

/// A moment of the store that stays readable until it is closed: flushes and compactions keep the
/// versions it sees. Any thread.
public final class Snapshot implements AutoCloseable {
  private final Readers readers;
  private final long sequence;
  private final long generation;
  private final long takenNanos;
  private volatile boolean closed;

  Snapshot(Readers readers, long sequence, long generation, long takenNanos) {
    this.readers = readers;
    this.sequence = sequence;
    this.generation = generation;
    this.takenNanos = takenNanos;
  }

  /// The last sequence it sees.
  public long sequence() {
    return sequence;
  }

  /// The last ingest that it sees.
  long generation() {
    return generation;
  }

  /// What a reader sees.
  ///
  /// @throws IllegalStateException if it was closed: what only it saw may be gone
  /// @throws IllegalArgumentException if it is another store's
  long visible(Readers reader) {
    if (reader != readers) {
      throw new IllegalArgumentException(
          "the snapshot is another store's, or of an earlier opening of this one");
    }
    if (closed) {
      throw new IllegalStateException("the snapshot is closed");
    }
    return sequence;
  }

  long takenNanos() {
    return takenNanos;
  }

  /// Lets the versions go that only this snapshot saw. Idempotent.
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      readers.release(this);
    }
  }
}
