package dev.tern.core.raft.log;

import dev.tern.core.raft.SnapshotMark;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The snapshots of a shard's groups, a file each: the bytes, then `u32 crc32c` of them. A snapshot
/// has its name only when it is durable; until then it is `g<group>.partial`, or `.own`.
///
/// Threads: jobs; one at a time for a group.
public final class SnapshotFiles {
  private static final int TRAILER_BYTES = 4;

  /// A snapshot coming in.
  private static final class Partial {
    final FileSystem.WritableFile file;
    final CRC32C crc = new CRC32C();

    Partial(FileSystem.WritableFile file) {
      this.file = file;
    }
  }

  private final FileSystem files;
  private final String directory;

  /// By group.
  private final TreeMap<Integer, Partial> partials = new TreeMap<>();

  /// Makes the directory if it is not there.
  public SnapshotFiles(FileSystem files, String directory) throws IOException {
    this.files = files;
    this.directory = directory;
    files.createDirectories(directory);
  }

  private String path(int group, SnapshotMark mark) {
    return "%s/g%d-%d-%d.snapshot".formatted(directory, group, mark.index(), mark.term());
  }

  /// Keeps a part of a snapshot; offset 0 begins anew, the last part makes it durable.
  public void save(int group, SnapshotMark mark, long offset, byte[] bytes, boolean last)
      throws IOException {
    String name = "%s/g%d.partial".formatted(directory, group);
    Partial partial = partial(group, name, offset);
    partial.file.append(ByteBuffer.wrap(bytes));
    partial.crc.update(bytes);
    if (last) {
      remove(group);
      finish(partial, name, path(group, mark));
    }
  }

  /// Keeps a snapshot of the group's own.
  public void save(int group, SnapshotMark mark, byte[] bytes) throws IOException {
    String name = "%s/g%d.own".formatted(directory, group);
    if (files.exists(name)) {
      files.delete(name);
    }
    Partial whole = new Partial(files.create(name));
    whole.file.append(ByteBuffer.wrap(bytes));
    whole.crc.update(bytes);
    finish(whole, name, path(group, mark));
  }

  private void finish(Partial partial, String name, String path) throws IOException {
    int sum = (int) partial.crc.getValue();
    partial.file.append(ByteBuffer.allocate(TRAILER_BYTES).putInt(sum).flip());
    partial.file.force();
    partial.file.close();
    files.rename(name, path);
    files.forceDirectory(directory);
  }

  private synchronized void remove(int group) {
    partials.remove(group);
  }

  private synchronized Partial partial(int group, String name, long offset) throws IOException {
    Partial partial = partials.get(group);
    if (offset == 0) {
      if (partial != null) {
        partial.file.close();
      }
      if (files.exists(name)) {
        files.delete(name);
      }
      partial = new Partial(files.create(name));
      partials.put(group, partial);
    }
    if (partial == null || partial.file.position() != offset) {
      throw new IOException("a part at " + offset + " does not follow in " + name);
    }
    return partial;
  }

  /// What a part holds.
  ///
  /// @param last it ends the snapshot
  public record Part(byte[] bytes, boolean last) {}

  /// A part of a snapshot, null if there is no such snapshot.
  public @Nullable Part load(int group, SnapshotMark mark, long offset, int maxBytes)
      throws IOException {
    String path = path(group, mark);
    if (!files.exists(path)) {
      return null;
    }
    try (FileSystem.ReadableFile file = files.open(path)) {
      long size = file.size() - TRAILER_BYTES;
      int count = (int) Math.min(maxBytes, size - offset);
      if (offset < 0 || count < 0) {
        return null;
      }
      ByteBuffer bytes = ByteBuffer.allocate(count);
      read(file, path, offset, bytes);
      return new Part(bytes.array(), offset + count == size);
    }
  }

  private static void read(FileSystem.ReadableFile file, String path, long offset, ByteBuffer bytes)
      throws IOException {
    while (bytes.hasRemaining()) {
      if (file.read(offset + bytes.position(), bytes) < 0) {
        throw new RaftLogException(path, offset + bytes.position(), "it ends before its size");
      }
    }
  }

  /// A whole snapshot.
  ///
  /// @throws RaftLogException if it is not what was written
  public byte[] load(int group, SnapshotMark mark) throws IOException {
    String path = path(group, mark);
    try (FileSystem.ReadableFile file = files.open(path)) {
      int size = (int) file.size() - TRAILER_BYTES;
      ByteBuffer bytes = ByteBuffer.allocate(Math.max(0, size));
      ByteBuffer trailer = ByteBuffer.allocate(TRAILER_BYTES);
      read(file, path, 0, bytes);
      read(file, path, bytes.capacity(), trailer);
      CRC32C crc = new CRC32C();
      crc.update(bytes.array());
      if (size < 0 || (int) crc.getValue() != trailer.getInt(0)) {
        throw new RaftLogException(path, 0, "its checksum is wrong");
      }
      return bytes.array();
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
