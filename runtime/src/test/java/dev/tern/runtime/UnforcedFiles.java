package dev.tern.runtime;

import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/// Real files, of which nothing is forced to the disk, so that a thousand of them are written in a
/// moment. Tells a subclass of each read and each append.
class UnforcedFiles implements FileSystem {
  private final FileSystem files;

  UnforcedFiles(FileSystem files) {
    this.files = files;
  }

  /// Called before each read and each append.
  void touched() {
    // Nobody wants to know.
  }

  private WritableFile unforced(WritableFile file) {
    return new WritableFile() {
      @Override
      public void append(ByteBuffer bytes) throws IOException {
        touched();
        file.append(bytes);
      }

      @Override
      public void reserve(long bytes) throws IOException {
        file.reserve(bytes);
      }

      @Override
      public long position() {
        return file.position();
      }

      @Override
      public void trim() throws IOException {
        file.trim();
      }

      @Override
      public void force() {
        // Nobody cuts the power.
      }

      @Override
      public void close() throws IOException {
        file.close();
      }
    };
  }

  @Override
  public WritableFile create(String path) throws IOException {
    return unforced(files.create(path));
  }

  @Override
  public WritableFile createLog(String path) throws IOException {
    return unforced(files.createLog(path));
  }

  @Override
  public WritableFile overwrite(String path) throws IOException {
    return unforced(files.overwrite(path));
  }

  @Override
  public ReadableFile open(String path) throws IOException {
    ReadableFile file = files.open(path);
    return new ReadableFile() {
      @Override
      public int read(long position, ByteBuffer target) throws IOException {
        touched();
        return file.read(position, target);
      }

      @Override
      public long size() throws IOException {
        return file.size();
      }

      @Override
      public void close() throws IOException {
        file.close();
      }
    };
  }

  @Override
  public boolean exists(String path) throws IOException {
    return files.exists(path);
  }

  @Override
  public long size(String path) throws IOException {
    return files.size(path);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    files.rename(from, to);
  }

  @Override
  public void delete(String path) throws IOException {
    files.delete(path);
  }

  @Override
  public void link(String existing, String link) throws IOException {
    files.link(existing, link);
  }

  @Override
  public void createDirectories(String path) throws IOException {
    files.createDirectories(path);
  }

  @Override
  public List<String> list(String directory) throws IOException {
    return files.list(directory);
  }

  @Override
  public void force(String path) {
    // Nobody cuts the power.
  }

  @Override
  public void forceDirectory(String directory) {
    // Nobody cuts the power.
  }

  @Override
  public long usableBytes() throws IOException {
    return files.usableBytes();
  }

  @Override
  public AutoCloseable lock(String path) throws IOException {
    return files.lock(path);
  }
}
