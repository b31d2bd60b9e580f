package dev.tern.lsm;

import dev.tern.env.FileSystem;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;

/// Files in memory, all durable at once. Any thread.
public final class MemoryFiles implements FileSystem {
  private static final class Content {
    byte[] bytes = {};
    int length;
  }

  private final TreeMap<String, Content> names = new TreeMap<>();
  private final Set<String> kept = new HashSet<>();
  private final Set<String> forbidden = new HashSet<>();

  /// Called before each read of a file, which it may hold up.
  private volatile Runnable beforeRead = () -> {};

  /// Operations that change a file and fail.
  private volatile BiPredicate<String, Change> refused = (path, change) -> false;

  /// What changes a file.
  public enum Change {
    CREATE,
    APPEND,
    FORCE,
    RENAME
  }

  /// Lets some operations fail; an append or a force that fails has been done all the same.
  public void refuse(BiPredicate<String, Change> paths) {
    refused = paths;
  }

  private void mayRefuse(String path, Change change) throws IOException {
    if (refused.test(path, change)) {
      throw new IOException("%s is refused: %s".formatted(change, path));
    }
  }

  public void beforeRead(Runnable action) {
    beforeRead = action;
  }

  /// What another process would find now.
  public synchronized MemoryFiles copy() {
    MemoryFiles copy = new MemoryFiles();
    names.forEach((path, content) -> copy.put(path, Arrays.copyOf(content.bytes, content.length)));
    return copy;
  }

  private Content content(String path) throws IOException {
    Content content = names.get(path);
    if (content == null) {
      throw new FileNotFoundException(path);
    }
    return content;
  }

  public synchronized byte[] bytes(String path) throws IOException {
    Content content = content(path);
    return Arrays.copyOf(content.bytes, content.length);
  }

  public synchronized void put(String path, byte[] bytes) {
    Content content = new Content();
    content.bytes = bytes.clone();
    content.length = bytes.length;
    names.put(path, content);
  }

  /// A file that cannot be deleted.
  public void keep(String path) {
    kept.add(path);
  }

  /// A file that cannot be opened.
  public void forbid(String path) {
    forbidden.add(path);
  }

  @Override
  public synchronized WritableFile create(String path) throws IOException {
    if (names.containsKey(path)) {
      throw new IOException("it exists: " + path);
    }
    mayRefuse(path, Change.CREATE);
    names.put(path, new Content());
    return new Appender(path, content(path));
  }

  @Override
  public WritableFile createLog(String path) throws IOException {
    return create(path);
  }

  @Override
  public synchronized WritableFile overwrite(String path) throws IOException {
    return new Appender(path, content(path));
  }

  @Override
  public synchronized ReadableFile open(String path) throws IOException {
    if (forbidden.contains(path)) {
      throw new IOException("it cannot be opened: " + path);
    }
    return new Reader(content(path));
  }

  @Override
  public synchronized boolean exists(String path) {
    return names.containsKey(path);
  }

  @Override
  public synchronized long size(String path) throws IOException {
    return content(path).length;
  }

  @Override
  public synchronized void rename(String from, String to) throws IOException {
    names.put(to, content(from));
    names.remove(from);
    mayRefuse(to, Change.RENAME);
  }

  @Override
  public synchronized void delete(String path) throws IOException {
    content(path);
    if (kept.contains(path)) {
      throw new IOException("it cannot be deleted: " + path);
    }
    names.remove(path);
  }

  @Override
  public synchronized void link(String existing, String link) throws IOException {
    names.put(link, content(existing));
  }

  @Override
  public void createDirectories(String path) {
    // A directory is there when a file is.
  }

  @Override
  public synchronized List<String> list(String directory) {
    List<String> found = new ArrayList<>();
    for (String path : names.keySet()) {
      if (path.startsWith(directory + "/")) {
        found.add(path.substring(directory.length() + 1));
      }
    }
    return found;
  }

  @Override
  public synchronized void force(String path) throws IOException {
    content(path);
  }

  @Override
  public void forceDirectory(String directory) {
    // Everything is durable.
  }

  @Override
  public long usableBytes() {
    return 1L << 40;
  }

  @Override
  public AutoCloseable lock(String path) {
    return () -> {};
  }

  private final class Appender implements WritableFile {
    private final String path;
    private final Content content;
    private int position;

    Appender(String path, Content content) {
      this.path = path;
      this.content = content;
    }

    @Override
    public void append(ByteBuffer bytes) throws IOException {
      synchronized (MemoryFiles.this) {
        int count = bytes.remaining();
        if (position + count > content.bytes.length) {
          content.bytes = Arrays.copyOf(content.bytes, (position + count) * 2);
        }
        bytes.get(content.bytes, position, count);
        position += count;
        content.length = Math.max(content.length, position);
      }
      mayRefuse(path, Change.APPEND);
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public void force() throws IOException {
      mayRefuse(path, Change.FORCE);
    }

    @Override
    public void close() {
      // Nothing to let go.
    }
  }

  private final class Reader implements ReadableFile {
    private final Content content;

    Reader(Content content) {
      this.content = content;
    }

    @Override
    public int read(long position, ByteBuffer target) {
      beforeRead.run();
      synchronized (MemoryFiles.this) {
        int count = (int) Math.min(target.remaining(), content.length - position);
        if (count <= 0) {
          return -1;
        }
        target.put(content.bytes, (int) position, count);
        return count;
      }
    }

    @Override
    public long size() {
      synchronized (MemoryFiles.this) {
        return content.length;
      }
    }

    @Override
    public void close() {
      // Nothing to let go.
    }
  }
}
