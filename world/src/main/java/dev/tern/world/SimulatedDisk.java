package dev.tern.world;

import dev.tern.env.FileSystem;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// A node's disk, which outlives the node. A power cut keeps what was forced and, of the rest, a
/// random part: of each file a random subset of the sectors written since, one of them torn, and a
/// random length; of the names changed since their directory was forced a random subset of the
/// changes. What is not kept is as it was before: in a file that is written again, its old bytes.
///
/// A force that fails leaves its bytes readable and never writes them, whatever a later force says:
/// the kernel takes the pages for clean (Rebello et al., "Can Applications Recover from fsync
/// Failures?", 2020). A write that fails may have written a part.
public final class SimulatedDisk implements FileSystem {
  private static final int SECTOR_BYTES = 512;

  private final World world;
  private final int node;

  /// The bytes of a file: as a reader sees them, and as a power cut leaves them.
  private static final class Inode {
    byte[] bytes = new byte[0];
    int length;
    byte[] durable = new byte[0];
    int durableLength;

    /// The range of bytes that were written, and neither forced nor lost in a force that failed;
    /// empty unless `dirtyFrom < dirtyTo`.
    int dirtyFrom = Integer.MAX_VALUE;

    int dirtyTo;

    void dirty(int from, int to) {
      dirtyFrom = Math.min(dirtyFrom, from);
      dirtyTo = Math.max(dirtyTo, to);
    }

    void clean() {
      dirtyFrom = Integer.MAX_VALUE;
      dirtyTo = 0;
    }

    void makeDurable(int from, int to) {
      if (to > durable.length) {
        durable = Arrays.copyOf(durable, Math.max(to, bytes.length));
      }
      System.arraycopy(bytes, from, durable, from, to - from);
      durableLength = Math.max(durableLength, to);
    }

    void force() {
      if (dirtyFrom < dirtyTo) {
        makeDurable(dirtyFrom, dirtyTo);
      }
      clean();
    }
  }

  /// A change of names.
  ///
  /// @param from the name that goes, null if none does
  /// @param to the name that comes, null if none does
  private record Change(@Nullable String from, @Nullable String to, @Nullable Inode inode) {
    boolean isIn(String directory) {
      String path = Objects.requireNonNull(to != null ? to : from);
      return path.startsWith(directory + "/") && path.indexOf('/', directory.length() + 1) < 0;
    }

    void apply(Map<String, Inode> names) {
      if (from != null) {
        names.remove(from);
      }
      if (to != null) {
        names.put(to, Objects.requireNonNull(inode));
      }
    }
  }

  private final Map<String, Inode> names = new TreeMap<>();
  private final Map<String, Inode> durableNames = new TreeMap<>();
  private final List<Change> unforced = new ArrayList<>();

  /// The paths of the handles and locks that were not given back.
  public final List<String> open = new ArrayList<>();

  /// The number of files that were written again from their start, so far.
  public int overwritten;

  /// The number of forces and appends until the node crashes in the middle of one; negative: never.
  private long crashAfter = -1;

  /// Whether the node has crashed by [#crashAfter] and was not ended yet. Code of the node that
  /// passes over the [World.Crash] cannot change the disk any more.
  private boolean crashed;

  private long failAfter;
  private long failures;

  /// The number of operations until the disk is full, and until one finds no memory; negative:
  /// never.
  private long fullAfter = -1;

  private long exhaustAfter = -1;

  /// What an operation that finds no memory throws.
  private VirtualMachineError exhaustion = new OutOfMemoryError("Java heap space");

  /// Whether no space is left: operations that need some fail.
  public boolean full;

  /// Bytes that it says may still be written, unless it is full.
  public long usable = 1L << 40;

  /// The chance that a read, a write or a force fails.
  public double readErrors;

  public double writeErrors;
  public double forceErrors;

  /// The number of errors so far, without those of a full disk.
  public long errors;

  /// The least time that a job of the node takes, in nanoseconds.
  public long slownessNanos = 50_000;

  public SimulatedDisk(World world, int node) {
    this.world = world;
    this.node = node;
  }

  public void crashAfter(long operations) {
    crashAfter = operations;
    crashed = false;
  }

  /// Whether the node has crashed since the last call of [#crashAfter].
  public boolean hasCrashed() {
    return crashed;
  }

  /// Lets `failing` operations fail, after `operations` that succeed.
  public void failAfter(long operations, long failing) {
    failAfter = operations;
    failures = failing;
  }

  /// Lets the disk be full after so many operations.
  public void fillAfter(long operations) {
    fullAfter = operations;
  }

  /// Lets one operation throw an [OutOfMemoryError], after `operations` that do not.
  public void exhaustAfter(long operations) {
    exhaustAfter(operations, new OutOfMemoryError("Java heap space"));
  }

  /// Lets one operation throw an error of the virtual machine, after `operations` that do not.
  public void exhaustAfter(long operations, VirtualMachineError error) {
    exhaustAfter = operations;
    exhaustion = error;
  }

  /// Whether the error of [#exhaustAfter] has been thrown.
  public boolean wasExhausted() {
    return exhaustAfter < 0;
  }

  /// Whether all failures of [#failAfter] have happened.
  public boolean hasFailed() {
    return failures == 0;
  }

  /// Counts an operation that changes the disk, and fails or crashes where one is due.
  private void operation() {
    if (crashed || crashAfter == 0) {
      crashAfter = -1;
      crashed = true;
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
    if (fullAfter >= 0 && --fullAfter < 0) {
      full = true;
    }
    if (exhaustAfter >= 0 && --exhaustAfter < 0) {
      throw exhaustion;
    }
    boolean fails = failures > 0 && --failAfter < 0;
    failures -= fails ? 1 : 0;
    if (fails || chance > 0 && world.chance(chance)) {
      errors++;
      throw new IOException("input/output error: " + path);
    }
  }

  /// Ends all faults; what was lost stays lost.
  public void heal() {
    crashAfter = -1;
    crashed = false;
    failures = 0;
    fullAfter = -1;
    exhaustAfter = -1;
    full = false;
    readErrors = 0;
    writeErrors = 0;
    forceErrors = 0;
    slownessNanos = 50_000;
  }

  /// Flips a bit of a table that was forced long ago; false if there is none.
  public boolean rot() {
    List<Inode> tables = new ArrayList<>();
    for (Map.Entry<String, Inode> entry : durableNames.entrySet()) {
      if (entry.getKey().endsWith(".table") && entry.getValue().durableLength > 0) {
        tables.add(entry.getValue());
      }
    }
    if (tables.isEmpty()) {
      return false;
    }
    Inode inode = tables.get(world.random.nextInt(tables.size()));
    flip(inode, world.random.nextInt(inode.durableLength), 1 << world.random.nextInt(8));
    return true;
  }

  private static void flip(Inode inode, int at, int bits) {
    inode.bytes[at] ^= (byte) bits;
    inode.durable[at] ^= (byte) bits;
  }

  /// Flips a bit of each occurrence of some bytes in the tables; the number of occurrences.
  public int rotWhere(byte[] content) {
    int found = 0;
    for (Map.Entry<String, Inode> entry : durableNames.entrySet()) {
      Inode inode = entry.getValue();
      for (int at = 0; entry.getKey().endsWith(".table") && at < inode.durableLength; at++) {
        int end = Math.min(at + content.length, inode.durableLength);
        if (Arrays.equals(inode.durable, at, end, content, 0, content.length)) {
          flip(inode, at, 1);
          found++;
        }
      }
    }
    return found;
  }

  /// Cuts the power of the node.
  public void powerCut() {
    crashed = false;
    double namesKept = keeping();
    for (Change change : unforced) {
      if (world.chance(namesKept)) {
        change.apply(durableNames);
      }
    }
    unforced.clear();
    names.clear();
    names.putAll(durableNames);
    for (Inode inode : names.values()) {
      lose(inode);
    }
    open.clear();
  }

  /// The durable content of the disk, as a backup has it.
  public Map<String, byte[]> backup() {
    Map<String, byte[]> files = new TreeMap<>();
    durableNames.forEach(
        (name, inode) -> files.put(name, Arrays.copyOf(inode.durable, inode.durableLength)));
    return files;
  }

  /// Replaces the content of the disk by that of a backup.
  public void restore(Map<String, byte[]> backup) {
    wipe();
    backup.forEach(
        (name, bytes) -> {
          Inode inode = new Inode();
          inode.bytes = bytes.clone();
          inode.length = bytes.length;
          inode.durable = bytes.clone();
          inode.durableLength = bytes.length;
          names.put(name, inode);
          durableNames.put(name, inode);
        });
  }

  /// Loses the whole content of the disk.
  public void wipe() {
    unforced.clear();
    names.clear();
    durableNames.clear();
    open.clear();
  }

  /// Nothing, everything or something.
  private double keeping() {
    return switch (world.random.nextInt(4)) {
      case 0 -> 0;
      case 1 -> 1;
      default -> world.random.nextDouble();
    };
  }

  private void lose(Inode inode) {
    if (inode.dirtyFrom < inode.dirtyTo) {
      double kept = keeping();
      int length = Math.max(inode.durableLength, inode.dirtyTo);
      if (length > inode.durableLength && !world.chance(kept)) {
        length = inode.durableLength + world.random.nextInt(length - inode.durableLength + 1);
      }
      int end = Math.min(inode.dirtyTo, length);
      boolean torn = false;
      for (int at = inode.dirtyFrom; at < end; ) {
        int next = Math.min(end, at / SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES);
        if (world.chance(kept)) {
          inode.makeDurable(at, next);
        } else if (!torn && world.chance(0.2)) {
          torn = true;
          inode.makeDurable(at, at + world.random.nextInt(next - at + 1));
        }
        at = next;
      }
      if (length > inode.durable.length) {
        inode.durable = Arrays.copyOf(inode.durable, length);
      }
      inode.durableLength = length;
      inode.clean();
    }
    inode.bytes = inode.durable.clone();
    inode.length = inode.durableLength;
  }

  private Inode inode(String path) throws IOException {
    Inode inode = names.get(path);
    if (inode == null) {
      throw new FileNotFoundException(path);
    }
    return inode;
  }

  private void change(@Nullable String from, @Nullable String to, @Nullable Inode inode) {
    Change change = new Change(from, to, inode);
    change.apply(names);
    unforced.add(change);
  }

  @Override
  public WritableFile create(String path) throws IOException {
    operation();
    needSpace(path);
    mayFail(writeErrors, path);
    if (names.containsKey(path)) {
      throw new IOException("it exists: " + path);
    }
    Inode inode = new Inode();
    change(null, path, inode);
    return new Appender(path, inode);
  }

  @Override
  public WritableFile createLog(String path) throws IOException {
    return create(path);
  }

  @Override
  public WritableFile overwrite(String path) throws IOException {
    mayFail(writeErrors, path);
    overwritten++;
    return new Appender(path, inode(path));
  }

  @Override
  public ReadableFile open(String path) throws IOException {
    mayFail(readErrors, path);
    return new Reader(path, inode(path));
  }

  @Override
  public boolean exists(String path) {
    return names.containsKey(path) || names.keySet().stream().anyMatch(inDirectory(path));
  }

  private static Predicate<String> inDirectory(String directory) {
    return path -> path.startsWith(directory + "/");
  }

  @Override
  public long size(String path) throws IOException {
    return inode(path).length;
  }

  @Override
  public void rename(String from, String to) throws IOException {
    operation();
    mayFail(writeErrors, from);
    change(from, to, inode(from));
  }

  @Override
  public void delete(String path) throws IOException {
    operation();
    mayFail(writeErrors, path);
    inode(path);
    change(path, null, null);
  }

  @Override
  public void link(String existing, String link) throws IOException {
    operation();
    mayFail(writeErrors, link);
    if (names.containsKey(link)) {
      throw new IOException("it exists: " + link);
    }
    change(null, link, inode(existing));
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
  public void force(String path) throws IOException {
    operation();
    Inode inode = inode(path);
    try {
      mayFail(forceErrors, path);
      inode.force();
    } finally {
      inode.clean();
    }
  }

  @Override
  public void forceDirectory(String directory) throws IOException {
    operation();
    mayFail(forceErrors, directory);
    for (Change change : List.copyOf(unforced)) {
      if (change.isIn(directory)) {
        change.apply(durableNames);
        unforced.remove(change);
      }
    }
  }

  @Override
  public long usableBytes() {
    return full ? 0 : usable;
  }

  @Override
  public AutoCloseable lock(String path) {
    open.add(path);
    boolean[] released = {false};
    return () -> {
      if (!released[0]) {
        open.remove(path);
      }
      released[0] = true;
    };
  }

  private abstract class Handle {
    final String path;
    private boolean closed;

    Handle(String path) {
      this.path = path;
      open.add(path);
    }

    /// What the files that extend this have in common.
    @SuppressWarnings({"EffectivelyPrivate", "UnusedMethod"})
    public void close() {
      if (!closed) {
        open.remove(path);
      }
      closed = true;
    }

    void checkOpen() throws IOException {
      if (closed) {
        throw new IOException("the file is closed: " + path);
      }
    }
  }

  private final class Appender extends Handle implements WritableFile {
    private final Inode inode;
    private int position;

    Appender(String path, Inode inode) {
      super(path);
      this.inode = inode;
    }

    @Override
    public void append(ByteBuffer bytes) throws IOException {
      checkOpen();
      operation();
      try {
        if (position + bytes.remaining() > inode.length) {
          needSpace(path);
        }
        mayFail(writeErrors, path);
      } catch (IOException e) {
        take(bytes, world.random.nextInt(bytes.remaining() + 1));
        throw e;
      }
      take(bytes, bytes.remaining());
    }

    @Override
    public void reserve(long bytes) throws IOException {
      if (position + bytes > inode.length) {
        needSpace(path);
      }
    }

    @Override
    public void trim() throws IOException {
      checkOpen();
      operation();
      mayFail(writeErrors, path);
      inode.length = position;
      inode.dirtyTo = Math.min(inode.dirtyTo, position);
    }

    private void take(ByteBuffer bytes, int count) {
      if (position + count > inode.bytes.length) {
        inode.bytes = Arrays.copyOf(inode.bytes, Math.max(position + count, position * 2));
      }
      bytes.get(inode.bytes, position, count);
      inode.dirty(position, position + count);
      position += count;
      inode.length = Math.max(inode.length, position);
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public void force() throws IOException {
      checkOpen();
      operation();
      try {
        mayFail(forceErrors, path);
        inode.force();
      } finally {
        inode.clean();
      }
    }
  }

  private final class Reader extends Handle implements ReadableFile {
    private final Inode inode;

    Reader(String path, Inode inode) {
      super(path);
      this.inode = inode;
    }

    @Override
    public int read(long position, ByteBuffer target) throws IOException {
      checkOpen();
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
  }
}
