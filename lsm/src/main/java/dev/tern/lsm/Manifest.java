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
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Which files make up the store: a file of edits, the first of which says everything; `CURRENT`
/// names it and is switched by an atomic rename.
///
/// ```
///   MANIFEST-n: u64 magic, then records: u32 bytes   u32 crc32c of length and payload   payload
///   payload:    varint next file number   varint first log to replay   varint flushed sequence
///               u64 life   varint logs: varint number, varint bytes forced
///               varint new families:   varint id, string name, u8 style, u8 compression,
///                                      varint ttl millis, varint max bytes
///               varint changed levels: varint family, u8 level, varint tables: varint number,
///                                      varint bytes, u32 crc32c of the file up to its footer
///   CURRENT:    MANIFEST-n and a newline
/// ```
///
/// The logs are all that may hold something, each named before it is written to; see [LogNames].
///
/// Number, bytes and checksum together say which file is meant: another table under the right name,
/// of this store or of another one, is refused.
///
/// An edit is durable before anything relies on it. So a broken record at the end is one that was
/// being written in a crash, and what is before it is the state; if it was not, the files that
/// state names are gone, and the opening fails.
final class Manifest {
  private static final long MAGIC = 0x7465726e_6d616e34L;
  private static final int HEADER_BYTES = 8;

  /// A manifest beyond it is begun anew.
  private static final long ROLL_BYTES = 1 << 20;

  /// A table's file.
  ///
  /// @param bytes all of them
  /// @param crc of those up to the footer
  record Named(long number, long bytes, int crc) {}

  /// A log.
  ///
  /// @param forcedBytes it is at least so long
  record NamedLog(long number, long forcedBytes) {}

  /// A level of a family and the tables it has from now on.
  record LevelChange(int family, int level, List<Named> tables) {}

  /// A change.
  ///
  /// @param nextFile numbers from here on are free
  /// @param firstLog logs below it are not needed any more
  /// @param flushedSequence everything up to it lies in tables
  /// @param life of those who wrote the logs
  /// @param logs all from the first on
  record Edit(
      long nextFile,
      long firstLog,
      long flushedSequence,
      long life,
      List<NamedLog> logs,
      List<ColumnFamily> families,
      List<LevelChange> levels) {

    /// With some of its logs only.
    Edit withLogs(List<NamedLog> some) {
      return new Edit(nextFile, firstLog, flushedSequence, life, some, families, levels);
    }
  }

  /// What the edits add up to.
  static final class State {
    long nextFile = 1;
    long firstLog;
    long flushedSequence;
    long life;
    List<NamedLog> logs = List.of();
    final List<ColumnFamily> families = new ArrayList<>();

    /// By family and level.
    final TreeMap<Integer, List<Named>> tables = new TreeMap<>();

    static int key(int family, int level) {
      return family * Levels.COUNT + level;
    }

    void apply(Edit edit) {
      nextFile = edit.nextFile;
      firstLog = edit.firstLog;
      flushedSequence = edit.flushedSequence;
      life = edit.life;
      logs = edit.logs;
      for (ColumnFamily family : edit.families) {
        if (family.id() != families.size()) {
          throw new DecodeException("column family " + family.id() + " out of order");
        }
        families.add(family);
      }
      for (LevelChange change : edit.levels) {
        if (change.family >= families.size() || change.level >= Levels.COUNT) {
          throw new DecodeException("a level of a column family that is not there");
        }
        tables.put(key(change.family, change.level), change.tables);
      }
    }

    List<Named> level(int family, int level) {
      return tables.getOrDefault(key(family, level), List.of());
    }
  }

  private final FileSystem files;
  private final String directory;
  private FileSystem.@Nullable WritableFile file;
  private long number;
  private boolean isDoubtful;

  Manifest(FileSystem files, String directory) {
    this.files = files;
    this.directory = directory;
  }

  static String path(String directory, long number) {
    return "%s/MANIFEST-%06d".formatted(directory, number);
  }

  /// Whether the next edit should be a whole state in a new file: the file is long, or an append
  /// failed and nobody knows what it holds.
  boolean wantsRoll() {
    return file == null || file.position() >= ROLL_BYTES;
  }

  long number() {
    return number;
  }

  /// Whether the making of one has failed: nobody knows which is the current one.
  boolean isDoubtful() {
    return isDoubtful;
  }

  /// Appends an edit, durably.
  void append(Edit edit) throws IOException {
    FileSystem.WritableFile to = java.util.Objects.requireNonNull(file);
    try {
      to.append(ByteBuffer.wrap(record(edit)));
      to.force();
    } catch (IOException | RuntimeException | Error e) {
      file = null;
      closeQuietly(to);
      throw e;
    }
  }

  private static void closeQuietly(FileSystem.WritableFile gone) {
    try {
      gone.close();
    } catch (IOException e) {
      // It is not written to any more; the failure that matters is on its way.
      return;
    }
  }

  /// Begins `MANIFEST-newNumber` with a whole state and makes it the current one, durably.
  void roll(Edit whole, long newNumber) throws IOException {
    String path = path(directory, newNumber);
    isDoubtful = true;
    FileSystem.WritableFile to = files.create(path);
    try {
      byte[] record = record(whole);
      ByteWriter out = new ByteWriter(record.length + HEADER_BYTES);
      out.writeLong(MAGIC).writeBytes(record);
      to.append(ByteBuffer.wrap(out.array(), 0, out.length()));
      to.force();
      switchTo(files, directory, newNumber);
    } catch (IOException | RuntimeException | Error e) {
      closeQuietly(to);
      deleteUnused(newNumber);
      throw e;
    }
    if (file != null) {
      closeQuietly(file);
    }
    file = to;
    number = newNumber;
    isDoubtful = false;
  }

  /// A file that `CURRENT` does not name holds nothing: on a full disk one more would be left by
  /// each try.
  private void deleteUnused(long unused) {
    try {
      String path = path(directory, unused);
      if (!path.equals(directory + "/" + current(files, directory))) {
        files.delete(path);
      }
    } catch (IOException e) {
      // The next opening deletes it.
      return;
    }
  }

  private static void switchTo(FileSystem files, String directory, long number) throws IOException {
    String temporary = directory + "/CURRENT.tmp";
    if (files.exists(temporary)) {
      files.delete(temporary);
    }
    byte[] name = "MANIFEST-%06d\n".formatted(number).getBytes(StandardCharsets.US_ASCII);
    try (FileSystem.WritableFile current = files.create(temporary)) {
      current.append(ByteBuffer.wrap(name));
      current.force();
    }
    files.forceDirectory(directory);
    files.rename(temporary, directory + "/CURRENT");
    files.forceDirectory(directory);
  }

  void close() throws IOException {
    if (file != null) {
      file.close();
      file = null;
    }
  }

  private static byte[] record(Edit edit) {
    ByteWriter out = new ByteWriter();
    out.writeInt(0).writeInt(0);
    out.writeVarLong(edit.nextFile).writeVarLong(edit.firstLog).writeVarLong(edit.flushedSequence);
    out.writeLong(edit.life).writeVarInt(edit.logs.size());
    edit.logs.forEach(log -> out.writeVarLong(log.number).writeVarLong(log.forcedBytes));
    out.writeVarInt(edit.families.size());
    for (ColumnFamily family : edit.families) {
      FamilyOptions options = family.options();
      out.writeVarInt(family.id()).writeString(family.name());
      out.writeByte(options.style().ordinal()).writeByte(options.compression().ordinal());
      out.writeVarLong(options.ttlMillis()).writeVarLong(options.maxBytes());
    }
    out.writeVarInt(edit.levels.size());
    for (LevelChange change : edit.levels) {
      out.writeVarInt(change.family).writeByte(change.level).writeVarInt(change.tables.size());
      for (Named table : change.tables) {
        out.writeVarLong(table.number).writeVarLong(table.bytes).writeInt(table.crc);
      }
    }
    byte[] bytes = out.toByteArray();
    int payload = bytes.length - 8;
    number(bytes, 0, payload);
    number(bytes, 4, crc(bytes, 0, payload));
    return bytes;
  }

  private static void number(byte[] bytes, int at, int value) {
    for (int i = 0; i < 4; i++) {
      bytes[at + i] = (byte) (value >>> (24 - 8 * i));
    }
  }

  private static int crc(byte[] bytes, int record, int payload) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, record, 4);
    crc.update(bytes, record + 8, payload);
    return (int) crc.getValue();
  }

  /// The name of the current manifest, null if there is no store yet.
  static @Nullable String current(FileSystem files, String directory) throws IOException {
    String current = directory + "/CURRENT";
    if (!files.exists(current)) {
      return null;
    }
    String name = new String(Table.readAll(files, current), StandardCharsets.US_ASCII);
    if (!name.matches("MANIFEST-\\d{6,}\n")) {
      throw new CorruptionException(current, 0, "it names no manifest");
    }
    return name.strip();
  }

  /// Takes edits, for [Inspection].
  interface Visitor {
    void edit(long offset, Edit edit);
  }

  static State load(FileSystem files, String path, Visitor visitor) throws IOException {
    if (!files.exists(path)) {
      throw new CorruptionException(path, 0, "CURRENT names this manifest and it is missing");
    }
    return decode(path, Table.readAll(files, path), visitor);
  }

  static State decode(String path, byte[] bytes, Visitor visitor) throws CorruptionException {
    long magic = bytes.length < HEADER_BYTES ? 0 : new ByteReader(bytes, 0, 8).readLong();
    if (magic != MAGIC) {
      boolean old = magic >>> 8 == MAGIC >>> 8 && (magic & 0xff) < (MAGIC & 0xff);
      throw new CorruptionException(
          path,
          0,
          old
              ? "a store of format %c; this version of Tern reads %c"
                  .formatted((char) (magic & 0xff), (char) (MAGIC & 0xff))
              : "no manifest of a format known here");
    }
    State state = new State();
    int at = HEADER_BYTES;
    while (at + 8 <= bytes.length) {
      int payload = new ByteReader(bytes, at, 4).readInt();
      boolean whole =
          payload >= 0
              && payload <= bytes.length - at - 8
              && new ByteReader(bytes, at + 4, 4).readInt() == crc(bytes, at, payload);
      if (!whole) {
        break;
      }
      try {
        Edit edit = edit(new ByteReader(bytes, at + 8, payload));
        state.apply(edit);
        visitor.edit(at, edit);
      } catch (DecodeException e) {
        throw new CorruptionException(path, at, String.valueOf(e.getMessage()));
      }
      at += 8 + payload;
    }
    if (at == HEADER_BYTES) {
      throw new CorruptionException(path, at, "its first record is broken");
    }
    checkTorn(path, bytes, at);
    return state;
  }

  /// A whole record behind a broken one: it was no torn tail.
  private static void checkTorn(String path, byte[] bytes, int broken) throws CorruptionException {
    for (int at = broken + 1; at + 8 < bytes.length; at++) {
      int payload = new ByteReader(bytes, at, 4).readInt();
      if (payload > 0
          && payload <= bytes.length - at - 8
          && new ByteReader(bytes, at + 4, 4).readInt() == crc(bytes, at, payload)) {
        throw new CorruptionException(path, broken, "a broken record before a whole one");
      }
    }
  }

  static <T> T ordinal(ByteReader in, T[] values) {
    int ordinal = in.readUnsignedByte();
    if (ordinal >= values.length) {
      throw new DecodeException("a choice numbered " + ordinal + ", which is not known here");
    }
    return values[ordinal];
  }

  private static Edit edit(ByteReader in) {
    long nextFile = in.readVarLong();
    long firstLog = in.readVarLong();
    long flushed = in.readVarLong();
    long life = in.readLong();
    List<NamedLog> logs = new ArrayList<>();
    int named = in.readLength();
    for (int i = 0; i < named; i++) {
      logs.add(new NamedLog(in.readVarLong(), in.readVarLong()));
    }
    List<ColumnFamily> families = new ArrayList<>();
    int count = in.readLength();
    for (int i = 0; i < count; i++) {
      int id = in.readVarInt();
      String name = in.readString();
      CompactionStyle style = ordinal(in, CompactionStyle.values());
      Compression compression = ordinal(in, Compression.values());
      FamilyOptions options =
          new FamilyOptions(style, compression, in.readVarLong(), in.readVarLong());
      families.add(new ColumnFamily(null, id, name, options));
    }
    List<LevelChange> levels = new ArrayList<>();
    int changes = in.readLength();
    for (int i = 0; i < changes; i++) {
      int family = in.readVarInt();
      int level = in.readUnsignedByte();
      List<Named> tables = new ArrayList<>();
      int length = in.readLength();
      for (int t = 0; t < length; t++) {
        tables.add(new Named(in.readVarLong(), in.readVarLong(), in.readInt()));
      }
      levels.add(new LevelChange(family, level, List.copyOf(tables)));
    }
    in.expectEnd();
    return new Edit(nextFile, firstLog, flushed, life, List.copyOf(logs), families, levels);
  }
}
