package dev.tern.lsm;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Which files make up the store. Each change writes a whole new file and switches `CURRENT` to it
/// by an atomic rename; the tables are few, and a whole state needs no replay.
///
/// ```
///   MANIFEST-n: u64 magic   u64 next file number   u64 first log to replay
///               u64 last flushed sequence
///               varint families: varint id, string name, u8 style, varint tables: varint number
///               u32 crc32c of all before
///   CURRENT:    MANIFEST-n and a newline
/// ```
///
/// @param nextFile numbers from here on are free
/// @param firstLog logs below it are not needed any more
/// @param flushedSequence everything up to it lies in tables
/// @param families with their tables, newest first
record Manifest(long nextFile, long firstLog, long flushedSequence, List<Family> families) {
  private static final long MAGIC = 0x7465726e_6d616e31L;

  record Family(ColumnFamily family, List<Long> tables) {}

  static String path(String directory, long number) {
    return "%s/MANIFEST-%06d".formatted(directory, number);
  }

  /// Writes this state as `MANIFEST-number` and makes it the current one, durably.
  void install(FileSystem files, String directory, long number) throws IOException {
    ByteWriter out = new ByteWriter();
    out.writeLong(MAGIC).writeLong(nextFile).writeLong(firstLog).writeLong(flushedSequence);
    out.writeVarInt(families.size());
    for (Family family : families) {
      out.writeVarInt(family.family().id()).writeString(family.family().name());
      out.writeByte(family.family().style().ordinal()).writeVarInt(family.tables().size());
      for (long table : family.tables()) {
        out.writeVarLong(table);
      }
    }
    CRC32C crc = new CRC32C();
    crc.update(out.array(), 0, out.length());
    out.writeInt((int) crc.getValue());
    write(files, path(directory, number), out.toByteArray());
    String temporary = directory + "/CURRENT.tmp";
    if (files.exists(temporary)) {
      files.delete(temporary);
    }
    String name = "MANIFEST-%06d\n".formatted(number);
    write(files, temporary, name.getBytes(StandardCharsets.US_ASCII));
    files.forceDirectory(directory);
    files.rename(temporary, directory + "/CURRENT");
    files.forceDirectory(directory);
  }

  private static void write(FileSystem files, String path, byte[] bytes) throws IOException {
    if (files.exists(path)) {
      files.delete(path);
    }
    try (FileSystem.WritableFile file = files.create(path)) {
      file.append(ByteBuffer.wrap(bytes));
      file.force();
    }
  }

  /// The current state, null if there is no store yet.
  static @Nullable Manifest load(FileSystem files, String directory) throws IOException {
    String current = directory + "/CURRENT";
    if (!files.exists(current)) {
      return null;
    }
    String name = new String(Table.readAll(files, current), StandardCharsets.US_ASCII).strip();
    if (!name.startsWith("MANIFEST-") || name.contains("/")) {
      throw new CorruptionException(current, 0, "it names no manifest");
    }
    String path = directory + "/" + name;
    return decode(path, Table.readAll(files, path));
  }

  static Manifest decode(String path, byte[] bytes) throws CorruptionException {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, Math.max(0, bytes.length - 4));
    if (bytes.length < 36
        || new ByteReader(bytes, bytes.length - 4, 4).readInt() != (int) crc.getValue()) {
      throw new CorruptionException(path, bytes.length, "the checksum does not match");
    }
    ByteReader in = new ByteReader(bytes, 0, bytes.length - 4);
    try {
      if (in.readLong() != MAGIC) {
        throw new CorruptionException(path, 0, "no manifest of a format known here");
      }
      long nextFile = in.readLong();
      long firstLog = in.readLong();
      long flushed = in.readLong();
      List<Family> families = new ArrayList<>();
      int count = in.readLength();
      for (int i = 0; i < count; i++) {
        int id = in.readVarInt();
        String name = in.readString();
        CompactionStyle style = CompactionStyle.values()[in.readUnsignedByte()];
        List<Long> tables = new ArrayList<>();
        int tableCount = in.readLength();
        for (int t = 0; t < tableCount; t++) {
          tables.add(in.readVarLong());
        }
        families.add(new Family(new ColumnFamily(id, name, style), tables));
      }
      in.expectEnd();
      return new Manifest(nextFile, firstLog, flushed, families);
    } catch (DecodeException e) {
      throw new CorruptionException(path, in.position(), String.valueOf(e.getMessage()));
    }
  }
}
