package dev.tern.simulation;

import dev.tern.env.FileSystem;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A node's disk, which outlives the node. A power cut keeps what was forced and, of the rest, a
/// random part: of each file a random prefix of the unforced bytes with one sector torn, of the
/// names changed since their directory was forced a random prefix of the changes.
///
/// A force that fails leaves its bytes readable and never writes them, whatever a later force says:
/// the kernel takes the pages for clean (Rebello et al., "Can Applications Recover from fsync
/// Failures?", 2020). A write that fails may have written a part.
final class SimulatedDisk implements FileSystem {
  private static final int SECTOR_BYTES = 512;

  private final World world;
  private final int node;

  /// A file's bytes.
  private static final class Inode {
    byte[] bytes = new byte[0];
    int length;
    int forced;

    /// What a failed force did not write, if `lostFrom < lostTo`.
    int lostFrom = Integer.MAX_VALUE;

    int lostTo;
  }

  /// A change of names, undone by the power cut if it is not durable.
  private record Change(String path, boolean existed, Inode before) {}

  private final Map<String, Inode> names = new TreeMap<>();
  private final List<Change> unforced = new ArrayList<>();

  /// Forces and appends until the node crashes in the middle of one; negative for never.
  private long crashAfter = -1;

  /// No space is left: what needs some fails.
  boolean full;

  /// The chance that a read, a write or a force fails.
  double readErrors;

  double writeErrors;
  double forceErrors;

  /// Errors so far, but those of a full disk.
  long errors;

  /// How long a job of the node takes, at least, nanoseconds.
  long slownessNanos = 50_000;

  SimulatedDisk(World world, int node) {
    this.world = world;
    this.node = node;
  }

  void crashAfter(long operations) {
    crashAfter = operations;
  }

  /// An operation that changes the disk begins.
  private void operation() {
    if (crashAfter == 0) {
      crashAfter = -1;
      throw new World.Crash(node);
    }
    crashAfter = crashAfter < 0 ? crashAfter : crashAfter - 1;
  }

  private void needSpace(String path) throws IOException {
    if (full) {
      throw new IOException("no space left on device: " + path);
    }
  }

  private void mayFail(double chance, String path) throws IOException {
    if (chance > 0 && world.chance(chance)) {
      errors++;
      throw new IOException("input/output error: " + path);
    }
  }

  /// Nothing fails any more; what was lost stays lost.
  void heal() {
    crashAfter = -1;
    full = false;
    readErrors = 0;
    writeErrors = 0;
    forceErrors = 0;
    slownessNanos = 50_000;
  }

  /// Flips a bit of a table that was forced long ago; false if there is none.
  boolean rot() {
    List<Inode> tables = new ArrayList<>();
    for (Map.Entry<String, Inode> entry : names.entrySet()) {
      if (entry.getKey().endsWith(".table") && entry.getValue().forced > 0) {
        tables.add(entry.getValue());
      }
    }
    if (tables.isEmpty()) {
      return false;
    }
    Inode inode = tables.get(world.random.nextInt(tables.size()));
    inode.bytes[world.random.nextInt(inode.forced)] ^= (byte) (1 << world.random.nextInt(8));
    return true;
  }

  /// The node lost its power.
  void powerCut() {
    int kept = world.random.nextInt(unforced.size() + 1);
    for (int i = unforced.size() - 1; i >= kept; i--) {
      Change change = unforced.get(i);
      if (change.existed()) {
        names.put(change.path(), change.before());
      } else {
        names.remove(change.path());
      }
    }
    unforced.clear();
    for (Inode inode : names.values()) {
      if (inode.lostFrom < inode.lostTo) {
        Arrays.fill(inode.bytes, inode.lostFrom, inode.lostTo, (byte) 0);
        inode.lostFrom = Integer.MAX_VALUE;
        inode.lostTo = 0;
      }
      int loose = inode.length - inode.forced;
      if (loose > 0) {
        inode.length = inode.forced + world.random.nextInt(loose + 1);
        tear(inode);
        inode.forced = inode.length;
      }
    }
  }

  private void tear(Inode inode) {
    int start = Math.max(inode.forced, inode.length - SECTOR_BYTES);
    if (world.chance(0.5)) {
      for (int i = start; i < inode.length; i++) {
        inode.bytes[i] = world.chance(0.3) ? (byte) world.random.nextLong() : inode.bytes[i];
      }
    }
  }

  private Inode inode(String path) throws IOException {
    Inode inode = names.get(path);
    if (inode == null) {
      throw new FileNotFoundException(path);
    }
    return inode;
  }

  private void change(String path) {
    Inode before = names.get(path);
    unforced.add(new Change(path, before != null, before == null ? new Inode() : before));
  }

  @Override
  public WritableFile create(String path) throws IOException {
    operation();
    needSpace(path);
    mayFail(writeErrors, path);
    if (names.containsKey(path)) {
      throw new IOException("it exists: " + path);
    }
    change(path);
    Inode inode = new Inode();
    names.put(path, inode);
    return new Appender(path, inode, 0);
  }

  @Override
  public WritableFile createLog(String path) throws IOException {
    return create(path);
  }

  @Override
  public WritableFile overwrite(String path) throws IOException {
    return new Appender(path, inode(path), 0);
  }

  @Override
  public ReadableFile open(String path) throws IOException {
    mayFail(readErrors, path);
    return new Reader(path, inode(path));
  }

  @Override
  public boolean exists(String path) {
    return names.containsKey(path);
  }

  @Override
  public long size(String path) throws IOException {
    return inode(path).length;
  }

  @Override
  public void rename(String from, String to) throws IOException {
    operation();
    mayFail(writeErrors, from);
    Inode inode = inode(from);
    change(to);
    names.put(to, inode);
    change(from);
    names.remove(from);
  }

  @Override
  public void delete(String path) throws IOException {
    operation();
    mayFail(writeErrors, path);
    inode(path);
    change(path);
    names.remove(path);
  }

  @Override
  public void link(String existing, String link) throws IOException {
    change(link);
    names.put(link, inode(existing));
  }

  @Override
  public void createDirectories(String path) {
    // Directories are there when a file is.
  }

  @Override
  public List<String> list(String directory) {
    List<String> found = new ArrayList<>();
    String prefix = directory + "/";
    for (String path : names.keySet()) {
      if (path.startsWith(prefix) && path.indexOf('/', prefix.length()) < 0) {
        found.add(path.substring(prefix.length()));
      }
    }
    return found;
  }

  @Override
  public void forceDirectory(String directory) throws IOException {
    operation();
    mayFail(forceErrors, directory);
    unforced.clear();
  }

  @Override
  public long usableBytes() {
    return full ? 0 : 1L << 40;
  }

  @Override
  public AutoCloseable lock(String path) {
    return () -> {};
  }

  private final class Appender implements WritableFile {
    private final String path;
    private final Inode inode;
    private int position;

    Appender(String path, Inode inode, int position) {
      this.path = path;
      this.inode = inode;
      this.position = position;
    }

    @Override
    public void append(ByteBuffer bytes) throws IOException {
      operation();
      if (full || writeErrors > 0) {
        try {
          needSpace(path);
          mayFail(writeErrors, path);
        } catch (IOException e) {
          take(bytes, world.random.nextInt(bytes.remaining() + 1));
          throw e;
        }
      }
      take(bytes, bytes.remaining());
    }

    private void take(ByteBuffer bytes, int count) {
      if (position + count > inode.bytes.length) {
        inode.bytes = Arrays.copyOf(inode.bytes, Math.max(position + count, position * 2));
      }
      bytes.get(inode.bytes, position, count);
      position += count;
      inode.length = Math.max(inode.length, position);
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public void force() throws IOException {
      operation();
      try {
        mayFail(forceErrors, path);
      } catch (IOException e) {
        inode.lostFrom = Math.min(inode.lostFrom, inode.forced);
        inode.lostTo = inode.length;
        throw e;
      } finally {
        inode.forced = inode.length;
      }
    }

    @Override
    public void close() {
      // Nothing to let go.
    }
  }

  private final class Reader implements ReadableFile {
    private final String path;
    private final Inode inode;

    Reader(String path, Inode inode) {
      this.path = path;
      this.inode = inode;
    }

    @Override
    public int read(long position, ByteBuffer target) throws IOException {
      mayFail(readErrors, path);
      if (position >= inode.length) {
        return -1;
      }
      int count = (int) Math.min(target.remaining(), inode.length - position);
      target.put(inode.bytes, (int) position, count);
      return count;
    }

    @Override
    public long size() {
      return inode.length;
    }

    @Override
    public void close() {
      // Nothing to let go.
    }
  }
}
