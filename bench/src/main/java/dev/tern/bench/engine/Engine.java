package dev.tern.bench.engine;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A storage engine as the workloads see it: one ordered map from `byte[]` to `byte[]`.
///
/// Any thread may open sessions; a session and its cursors belong to one thread. Sessions and
/// cursors are closed before their engine.
interface Engine extends AutoCloseable {
  Session session();

  /// Moves what is in memory to tables; returns when it is there.
  void flush() throws Exception;

  /// Waits until no flush and no compaction runs or is due.
  void awaitIdle() throws Exception;

  Written written() throws Exception;

  /// Bytes of the tables that belong to the current state.
  long tableBytes() throws Exception;

  @Override
  void close() throws IOException;

  /// Bytes written to files since the engine was opened.
  record Written(long logBytes, long flushBytes, long compactionBytes) {
    long total() {
      return logBytes + flushBytes + compactionBytes;
    }

    Written minus(Written other) {
      return new Written(
          logBytes - other.logBytes,
          flushBytes - other.flushBytes,
          compactionBytes - other.compactionBytes);
    }
  }

  /// One thread's way in. Arrays given may be reused by the caller on return.
  interface Session extends AutoCloseable {
    /// Written to the log; on disk only if `sync`.
    void put(byte[] key, byte[] value, boolean sync) throws Exception;

    void delete(byte[] key) throws Exception;

    /// One batch, not synced.
    void putAll(byte[][] keys, byte[][] values) throws Exception;

    byte @Nullable [] get(byte[] key) throws Exception;

    /// In the order of the keys.
    List<byte[]> multiGet(byte[][] keys) throws Exception;

    Cursor cursor() throws Exception;

    @Override
    void close() throws IOException;
  }

  /// An iterator, reused by seeking again. It sees the state at its opening or last refresh.
  interface Cursor extends AutoCloseable {
    void seek(byte[] key) throws Exception;

    /// To the last key that is not above `key`.
    void seekForPrev(byte[] key) throws Exception;

    boolean valid() throws Exception;

    void next() throws Exception;

    void prev() throws Exception;

    byte[] key() throws Exception;

    byte[] value() throws Exception;

    void refresh() throws Exception;

    @Override
    void close() throws IOException;
  }
}
