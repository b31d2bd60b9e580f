package dev.tern.raft.log;

import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.raft.SnapshotMark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The snapshots of a shard's groups, a file each, of format 2. A snapshot has its name only when
/// it is durable; until then it is `g<group>.partial`, or `.own`.
///
/// ```
///   g<group>-<index>-<term>.snapshot:
///     header (FileHeader, 32 bytes)   u32 group   u64 index   u64 term   the snapshot
///     u32 crc32c of all before
/// ```
///
/// Group, index and term stand in the file as in its name: another snapshot under a name is
/// refused.
///
/// Threads: jobs; one at a time for a group.
public final class SnapshotFiles {
  private static final int TRAILER_BYTES = 4;

  /// Header, group, index and term.
  private static final int LEAD_BYTES = FileHeader.BYTES + 4 + 8 + 8;

  private static final int PIECE_BYTES = 64 << 10;

  /// A snapshot coming in.
  private static final class Partial {
    final SnapshotMark mark;
    final FileSystem.WritableFile file;
    final CRC32C crc = new CRC32C();

    /// Whether a force has failed: nobody knows what the disk holds.
    private boolean broken;

    Partial(SnapshotMark mark, FileSystem.WritableFile file) {
      this.mark = mark;
      this.file = file;
    }

    void append(byte[] bytes) throws IOException {
      append(bytes, 0);
    }

    /// Appends what the file has not taken yet of bytes that begin at an offset: a disk without
    /// room may have taken some of them.
    private void append(byte[] bytes, int from) throws IOException {
      long before = file.position();
      try {
        file.append(ByteBuffer.wrap(bytes, from, bytes.length - from));
      } finally {
        crc.update(bytes, from, (int) (file.position() - before));
      }
    }

    /// Whether a part at an offset, or the rest of it, comes next.
    boolean follows(SnapshotMark of, long offset, int count) {
      long taken = file.position() - LEAD_BYTES - offset;
      return mark.equals(of) && taken >= 0 && taken <= count + TRAILER_BYTES;
    }

    void part(long offset, byte[] bytes) throws IOException {
      int taken = (int) Math.min(bytes.length, file.position() - LEAD_BYTES - offset);
      append(bytes, taken);
    }
  }

  private final FileSystem files;
  private final String directory;

  /// By group.
  private final TreeMap<Integer, Partial> partials = new TreeMap<>();

  private final FileLives lives;

  /// Makes the directory if it is not there.
  ///
  /// @param lives of new snapshots
  public SnapshotFiles(FileSystem files, String directory, FileLives lives) throws IOException {
    this.files = files;
    this.directory = directory;
    this.lives = lives;
    files.createDirectories(directory);
  }

  /// Where a snapshot lies.
  public String path(int group, SnapshotMark mark) {
    return "%s/g%d-%d-%d.snapshot".formatted(directory, group, mark.index(), mark.term());
  }

  /// Keeps a part of a snapshot; offset 0 begins anew, the last part makes it durable. A part that
  /// found no room may be given again.
  public void save(int group, SnapshotMark mark, long offset, byte[] bytes, boolean last)
      throws IOException {
    String name = "%s/g%d.partial".formatted(directory, group);
    Partial partial = partial(group, mark, name, offset, bytes.length);
    partial.part(offset, bytes);
    if (last) {
      finish(partial, name, path(group, mark), offset + bytes.length);
      remove(group);
    }
  }

  /// Keeps a snapshot of the group's own.
  public void save(int group, SnapshotMark mark, byte[] bytes) throws IOException {
    String name = "%s/g%d.own".formatted(directory, group);
    if (files.exists(name)) {
      files.delete(name);
    }
    Partial whole = begin(group, mark, name);
    try {
      whole.append(bytes);
      finish(whole, name, path(group, mark), bytes.length);
    } finally {
      whole.file.close();
    }
  }

  /// @param length of the snapshot
  private void finish(Partial partial, String name, String path, long length) throws IOException {
    int sum = (int) partial.crc.getValue();
    ByteBuffer trailer = ByteBuffer.allocate(TRAILER_BYTES).putInt(sum).flip();
    trailer.position((int) (partial.file.position() - LEAD_BYTES - length));
    partial.file.append(trailer);
    partial.broken = true;
    partial.file.force();
    partial.broken = false;
    partial.file.close();
    files.rename(name, path);
    files.forceDirectory(directory);
  }

  @SuppressWarnings("MustBeClosedChecker") // Closed when it is finished, or begun anew.
  private Partial begin(int group, SnapshotMark mark, String name) throws IOException {
    Partial begun = new Partial(mark, files.create(name));
    begun.append(lead(lives.next(), group, mark));
    return begun;
  }

  /// How the file of a snapshot begins.
  static byte[] lead(FileLife life, int group, SnapshotMark mark) {
    ByteWriter out = new ByteWriter(LEAD_BYTES);
    FileHeader.of(FileKind.SNAPSHOT, life).encode(out);
    return out.writeInt(group).writeLong(mark.index()).writeLong(mark.term()).toByteArray();
  }

  private synchronized void remove(int group) {
    partials.remove(group);
  }

  private synchronized Partial partial(
      int group, SnapshotMark mark, String name, long offset, int count) throws IOException {
    Partial partial = partials.get(group);
    if (offset == 0) {
      if (partial != null) {
        partial.file.close();
      }
      if (files.exists(name)) {
        files.delete(name);
      }
      partial = begin(group, mark, name);
      partials.put(group, partial);
    }
    if (partial == null || !partial.follows(mark, offset, count)) {
      throw new IOException("a part at " + offset + " does not follow in " + name);
    }
    if (partial.broken) {
      throw new IOException("what the disk holds of " + name + " is not known: its force failed");
    }
    return partial;
  }

  /// What a part holds.
  ///
  /// @param last it ends the snapshot
  public record Part(byte[] bytes, boolean last) {}

  /// A part of a snapshot, null if there is no such snapshot. The first part is given only if the
  /// whole file is what was written, so that no damage travels.
  ///
  /// @throws RaftLogException if it is not
  public @Nullable Part load(int group, SnapshotMark mark, long offset, int maxBytes)
      throws IOException {
    String path = path(group, mark);
    if (!files.exists(path)) {
      return null;
    }
    try (FileSystem.ReadableFile file = files.open(path)) {
      if (offset == 0) {
        verify(file, path, group, mark);
      }
      long size = file.size() - LEAD_BYTES - TRAILER_BYTES;
      int count = (int) Math.min(maxBytes, size - offset);
      if (offset < 0 || count < 0) {
        return null;
      }
      ByteBuffer bytes = ByteBuffer.allocate(count);
      read(file, path, LEAD_BYTES + offset, bytes);
      return new Part(bytes.array(), offset + count == size);
    }
  }

  private static void read(FileSystem.ReadableFile file, String path, long offset, ByteBuffer bytes)
      throws IOException {
    int from = bytes.position();
    while (bytes.hasRemaining()) {
      if (file.read(offset + bytes.position() - from, bytes) < 0) {
        throw new RaftLogException(path, offset + bytes.position(), "it ends before its size");
      }
    }
  }

  /// A whole snapshot.
  ///
  /// @throws RaftLogException if it is not what was written
  public byte[] load(int group, SnapshotMark mark) throws IOException {
    String path = path(group, mark);
    if (!files.exists(path)) {
      throw new RaftLogException(
          path, 0, "it is missing; put it back, or empty this node's data directory");
    }
    try (FileSystem.ReadableFile file = files.open(path)) {
      verify(file, path, group, mark);
      return content(file, path);
    }
  }

  /// What stands between lead and checksum of a file that [#verify] has let pass.
  static byte[] content(FileSystem.ReadableFile file, String path) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) file.size() - LEAD_BYTES - TRAILER_BYTES);
    read(file, path, LEAD_BYTES, bytes);
    return bytes.array();
  }

  /// What stands before a snapshot.
  record Lead(FileLife life, int group, long index, long term) {}

  /// Looks at a whole file.
  ///
  /// @throws RaftLogException if it is not what was written
  static Lead verify(FileSystem.ReadableFile file, String path) throws IOException {
    long end = file.size() - TRAILER_BYTES;
    if (end < LEAD_BYTES || end > Integer.MAX_VALUE - 16) {
      throw new RaftLogException(path, 0, "a snapshot of %d bytes".formatted(file.size()));
    }
    ByteBuffer lead = ByteBuffer.allocate(LEAD_BYTES);
    read(file, path, 0, lead);
    FileLife life;
    try {
      life = FileHeader.decode(FileKind.SNAPSHOT, lead.array(), LEAD_BYTES).life();
    } catch (DecodeException e) {
      throw new RaftLogException(path, 0, String.valueOf(e.getMessage()));
    }
    CRC32C crc = new CRC32C();
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    for (long at = 0; at < end; at += piece.position()) {
      piece.clear().limit((int) Math.min(PIECE_BYTES, end - at));
      read(file, path, at, piece);
      crc.update(piece.array(), 0, piece.position());
    }
    ByteBuffer trailer = ByteBuffer.allocate(TRAILER_BYTES);
    read(file, path, end, trailer);
    if ((int) crc.getValue() != trailer.getInt(0)) {
      throw new RaftLogException(path, 0, "its checksum is wrong");
    }
    lead.position(FileHeader.BYTES);
    return new Lead(life, lead.getInt(), lead.getLong(), lead.getLong());
  }

  private static void verify(
      FileSystem.ReadableFile file, String path, int group, SnapshotMark mark) throws IOException {
    Lead lead = verify(file, path);
    if (lead.group() != group || lead.index() != mark.index() || lead.term() != mark.term()) {
      throw new RaftLogException(
          path,
          0,
          "another snapshot under this name: of group %d, index %d, term %d"
              .formatted(lead.group(), lead.index(), lead.term()));
    }
  }

  /// Deletes a group's snapshots of earlier indices.
  public void deleteBefore(int group, long index) throws IOException {
    String prefix = "g" + group + "-";
    for (String name : files.list(directory)) {
      int end = name.indexOf('-', prefix.length());
      boolean mine = name.startsWith(prefix) && end > 0;
      if (mine && Long.parseLong(name.substring(prefix.length(), end)) < index) {
        files.delete(directory + "/" + name);
      }
    }
  }
}
