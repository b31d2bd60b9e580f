package dev.tern.env;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/// Files below one root. Paths are relative, with `/`, and never leave the root.
///
/// Durability is exactly what POSIX gives and no more: bytes survive a power cut when the file was
/// forced after they were written, a name (created, renamed, deleted, linked) when its directory
/// was forced after it changed. Any thread may call; one file has one writer at a time. All methods
/// may block, so event loops call only [WritableFile#append] (page cache) and leave the rest to
/// jobs. Every [IOException] names the path.
public interface FileSystem {
  /// A new empty file. Fails if the name exists.
  WritableFile create(String path) throws IOException;

  /// As [#create], for a log: appended to in small pieces, and often. Its length may run ahead of
  /// what was appended, with zeros behind that, so that few appends change metadata.
  WritableFile createLog(String path) throws IOException;

  /// An existing log to be written again from its start, its old length and bytes kept until they
  /// are overwritten.
  WritableFile overwrite(String path) throws IOException;

  /// An existing file for reading at any position.
  ReadableFile open(String path) throws IOException;

  boolean exists(String path) throws IOException;

  long size(String path) throws IOException;

  /// Atomic; replaces `to`. Durable once the directory is forced.
  void rename(String from, String to) throws IOException;

  /// Fails if it does not exist.
  void delete(String path) throws IOException;

  /// A second name for the same file.
  void link(String existing, String link) throws IOException;

  void createDirectories(String path) throws IOException;

  /// Names (not paths) in a directory, sorted. A missing directory is empty.
  List<String> list(String directory) throws IOException;

  /// Makes the bytes of an existing file durable that another process, or a handle that is closed,
  /// wrote. A failure is final, as [WritableFile#force] says.
  void force(String path) throws IOException;

  /// Makes the names in a directory durable.
  void forceDirectory(String directory) throws IOException;

  /// Bytes that may still be written.
  long usableBytes() throws IOException;

  /// Takes the exclusive lock on `path` for this process, or fails at once and says who might hold
  /// it.
  AutoCloseable lock(String path) throws IOException;

  /// A file being written in order.
  interface WritableFile extends AutoCloseable {
    /// Appends all remaining bytes; on failure any prefix of them may have been written.
    void append(ByteBuffer bytes) throws IOException;

    /// Makes room for so many bytes more, so that a full disk is told before they are appended; not
    /// more than a hint where that is not known.
    ///
    /// @throws IOException if there is no room; what was appended is as it was
    default void reserve(long bytes) throws IOException {
      // Nothing is known: the append tells.
    }

    /// Bytes appended through this handle.
    long position();

    /// Gives back what the file is longer than what was appended, as that of a log may be; nothing
    /// is appended afterwards.
    default void trim() throws IOException {
      // It is no longer.
    }

    /// On return what was appended survives a power cut. A failure is final: nobody can know what
    /// the disk holds, and a second call that succeeds proves nothing.
    void force() throws IOException;

    @Override
    void close() throws IOException;
  }

  /// A file being read; any number of threads.
  interface ReadableFile extends AutoCloseable {
    /// Fills `target` from `position` as far as the file goes; the number of bytes read, -1 at or
    /// past the end.
    int read(long position, ByteBuffer target) throws IOException;

    long size() throws IOException;

    @Override
    void close() throws IOException;
  }
}
