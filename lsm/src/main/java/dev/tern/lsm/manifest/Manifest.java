package dev.tern.lsm.manifest;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.log.NamedLog;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.Table;
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
///   MANIFEST-n: header (FileHeader, 32 bytes), then records:
///               u32 bytes   u32 crc32c of length and payload   payload
///   payload:    varint next file number   varint first log to replay   varint flushed sequence
///               varint logs: varint number, 16 bytes life, varint bytes forced
///               varint new families:   varint id, string name, u8 style, u8 compression,
///                                      varint ttl millis, varint max bytes
///               varint changed levels: varint family, u8 level, varint tables: varint number,
///                                      16 bytes life, varint bytes,
///                                      u32 crc32c of the file up to its footer
///   CURRENT:    MANIFEST-n, a space, the manifest's life as 32 hexadecimal digits, a newline
/// ```
///
/// This is format 5. The logs are all that may hold something, each named before an entry is
/// written to it; see `LogNames`.
///
/// The life, with bytes and checksum, says which file is meant: another file under the right name,
/// of this store or of another one, is refused.
///
/// An edit is durable before anything relies on it. So a broken record at the end is one that was
/// being written in a crash, and what is before it is the state; if it was not, the files that
/// state names are gone, and the opening fails.
public final class Manifest {
  private static final int HEADER_BYTES = FileHeader.BYTES;

  /// How manifests of formats 2 to 4 began, but for the digit of the format behind it.
  private static final long EARLIER_MAGIC = 0x7465726e_6d616eL;

  /// A manifest beyond it is begun anew.
  private static final long ROLL_BYTES = 1 << 20;

  /// No manifest is longer: a state of four million tables, and what follows it.
  private static final int MOST_BYTES = 256 << 20;

  /// `CURRENT` is never longer.
  private static final int MOST_CURRENT_BYTES = 64;

  /// A table's file.
  ///
  /// @param bytes all of them
  /// @param crc of those up to the footer
  public record Named(long number, FileLife life, long bytes, int crc) {
    public static Named of(Table table) {
      return new Named(table.number, table.life, table.sizeBytes, table.crc);
    }

    /// Why a table is not the one that is meant, null if it is.
    public @Nullable String problem(Table table) {
      if (!life.equals(table.life)) {
        return FileHeader.foreign(table.life, life, "the manifest");
      }
      return table.sizeBytes == bytes && table.crc == crc
          ? null
          : "%d bytes, checksum %08x; the manifest has %d, %08x: it was changed since it was written"
              .formatted(table.sizeBytes, table.crc, bytes, crc);
    }
  }

  /// A column family and its options, as numbers: what they mean is the store's to know.
  public record Family(
      int id, String name, int style, int compression, long ttlMillis, long maxBytes) {}

  /// What `CURRENT` says.
  ///
  /// @param name of the manifest
  /// @param life of the manifest, null if it was written by an earlier version of Tern
  public record Current(String name, @Nullable FileLife life) {}

  /// A level of a family and the tables it has from now on.
  public record LevelChange(int family, int level, List<Named> tables) {}

  /// A change.
  ///
  /// @param nextFile numbers from here on are free
  /// @param firstLog logs below it are not needed any more
  /// @param flushedSequence everything up to it lies in tables
  /// @param logs all from the first on
  public record Edit(
      long nextFile,
      long firstLog,
      long flushedSequence,
      List<NamedLog> logs,
      List<Family> families,
      List<LevelChange> levels) {

    /// With some of its logs only.
    public Edit withLogs(List<NamedLog> some) {
      return new Edit(nextFile, firstLog, flushedSequence, some, families, levels);
    }
  }

  /// What the edits add up to.
  public static final class State {
    public long nextFile = 1;
    public long firstLog;
    public long flushedSequence;
    public List<NamedLog> logs = List.of();
    public final List<Family> families = new ArrayList<>();

    /// By family and level.
    final TreeMap<Integer, List<Named>> tables = new TreeMap<>();

    static int key(int family, int level) {
      return family * Levels.COUNT + level;
    }

    void apply(Edit edit) {
      nextFile = edit.nextFile;
      firstLog = edit.firstLog;
      flushedSequence = edit.flushedSequence;
      logs = edit.logs;
      for (Family family : edit.families) {
        if (family.id != families.size()) {
          throw new DecodeException("column family " + family.id + " out of order");
        }
        families.add(family);
      }
      for (LevelChange change : edit.levels) {
        boolean isKnown = change.family >= 0 && change.family < families.size();
        if (!isKnown || change.level >= Levels.COUNT) {
          throw new DecodeException("a level of a column family that is not there");
        }
        tables.put(key(change.family, change.level), change.tables);
      }
    }

    public List<Named> level(int family, int level) {
      return tables.getOrDefault(key(family, level), List.of());
    }
  }

  private final FileSystem files;
  private final String directory;
  private final FileLives lives;
  private FileSystem.@Nullable WritableFile file;
  private long number;
  private boolean isDoubtful;

  public Manifest(FileSystem files, String directory, FileLives lives) {
    this.files = files;
    this.directory = directory;
    this.lives = lives;
  }

  public static String path(String directory, long number) {
    return "%s/MANIFEST-%06d".formatted(directory, number);
  }

  /// Whether the next edit should be a whole state in a new file: the file is long, or an append
  /// failed and nobody knows what it holds.
  public boolean wantsRoll() {
    return file == null || file.position() >= ROLL_BYTES;
  }

  public long number() {
    return number;
  }

  /// Whether the making of one has failed: nobody knows which is the current one.
  public boolean isDoubtful() {
    return isDoubtful;
  }

  /// Appends an edit, durably.
  public void append(Edit edit) throws IOException {
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
  public void roll(Edit whole, long newNumber) throws IOException {
    String path = path(directory, newNumber);
    isDoubtful = true;
    FileSystem.WritableFile to = files.create(path);
    FileLife life = lives.next();
    try {
      byte[] record = record(whole);
      ByteWriter out = new ByteWriter(record.length + HEADER_BYTES);
      FileHeader.of(FileKind.MANIFEST, life).encode(out);
      out.writeBytes(record);
      to.append(ByteBuffer.wrap(out.array(), 0, out.length()));
      to.force();
      switchTo(files, directory, newNumber, life);
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
      Current current = current(files, directory);
      if (current == null || !path.equals(directory + "/" + current.name)) {
        files.delete(path);
      }
    } catch (IOException e) {
      // The next opening deletes it.
      return;
    }
  }

  private static void switchTo(FileSystem files, String directory, long number, FileLife life)
      throws IOException {
    String temporary = directory + "/CURRENT.tmp";
    if (files.exists(temporary)) {
      files.delete(temporary);
    }
    String says = "MANIFEST-%06d %s\n".formatted(number, life);
    byte[] name = says.getBytes(StandardCharsets.US_ASCII);
    try (FileSystem.WritableFile current = files.create(temporary)) {
      current.append(ByteBuffer.wrap(name));
      current.force();
    }
    files.forceDirectory(directory);
    files.rename(temporary, directory + "/CURRENT");
    files.forceDirectory(directory);
  }

  public void close() throws IOException {
    if (file != null) {
      file.close();
      file = null;
    }
  }

  private static byte[] record(Edit edit) {
    ByteWriter out = new ByteWriter();
    out.writeInt(0).writeInt(0);
    out.writeVarLong(edit.nextFile).writeVarLong(edit.firstLog).writeVarLong(edit.flushedSequence);
    out.writeVarInt(edit.logs.size());
    for (NamedLog log : edit.logs) {
      log.life().encode(out.writeVarLong(log.number()));
      out.writeVarLong(log.forcedBytes());
    }
    out.writeVarInt(edit.families.size());
    for (Family family : edit.families) {
      out.writeVarInt(family.id).writeString(family.name);
      out.writeByte(family.style).writeByte(family.compression);
      out.writeVarLong(family.ttlMillis).writeVarLong(family.maxBytes);
    }
    out.writeVarInt(edit.levels.size());
    for (LevelChange change : edit.levels) {
      out.writeVarInt(change.family).writeByte(change.level).writeVarInt(change.tables.size());
      for (Named table : change.tables) {
        table.life.encode(out.writeVarLong(table.number));
        out.writeVarLong(table.bytes).writeInt(table.crc);
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

  /// The current manifest, null if there is no store yet.
  public static @Nullable Current current(FileSystem files, String directory) throws IOException {
    String current = directory + "/CURRENT";
    return files.exists(current) ? decodeCurrent(current, readCurrent(files, current)) : null;
  }

  public static byte[] readCurrent(FileSystem files, String path) throws IOException {
    return StoreFiles.readAll(files, path, MOST_CURRENT_BYTES);
  }

  public static byte[] read(FileSystem files, String path) throws IOException {
    return StoreFiles.readAll(files, path, MOST_BYTES);
  }

  public static Current decodeCurrent(String path, byte[] bytes) throws CorruptionException {
    String says = new String(bytes, StandardCharsets.US_ASCII);
    if (!says.matches("MANIFEST-\\d{6,12}( [0-9a-f]{32})?\n")) {
      throw new CorruptionException(path, 0, "it names no manifest");
    }
    String[] words = says.strip().split(" ", -1);
    return new Current(words[0], words.length < 2 ? null : FileLife.parse(words[1]));
  }

  /// Takes edits, for `Inspection`.
  public interface Visitor {
    void edit(long offset, Edit edit);
  }

  public static State load(FileSystem files, String directory, Current current, Visitor visitor)
      throws IOException {
    String path = directory + "/" + current.name;
    if (!files.exists(path)) {
      throw new CorruptionException(path, 0, "CURRENT names this manifest and it is missing");
    }
    byte[] bytes = read(files, path);
    FileLife found = life(path, bytes);
    if (!found.equals(current.life)) {
      String problem =
          current.life == null
              ? "CURRENT does not say of which life it is"
              : FileHeader.foreign(found, current.life, "CURRENT");
      throw new CorruptionException(path, 0, problem);
    }
    return decode(path, bytes, visitor);
  }

  /// The life of a manifest.
  private static FileLife life(String path, byte[] bytes) throws CorruptionException {
    long magic = bytes.length < 8 ? 0 : new ByteReader(bytes, 0, 8).readLong();
    if (magic >>> 8 == EARLIER_MAGIC && (magic & 0xff) >= '1' && (magic & 0xff) <= '4') {
      int format = (int) (magic & 0xff) - '0';
      throw new CorruptionException(path, 0, FileHeader.refusal(FileKind.MANIFEST, format));
    }
    try {
      return FileHeader.decode(FileKind.MANIFEST, bytes, bytes.length).life();
    } catch (DecodeException e) {
      throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
    }
  }

  public static State decode(String path, byte[] bytes, Visitor visitor)
      throws CorruptionException {
    life(path, bytes);
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

  private static Edit edit(ByteReader in) {
    long nextFile = in.readPositiveVarLong();
    long firstLog = in.readPositiveVarLong();
    long flushed = in.readPositiveVarLong();
    List<NamedLog> logs = new ArrayList<>();
    int named = in.readCount(2 + FileLife.BYTES);
    for (int i = 0; i < named; i++) {
      logs.add(
          new NamedLog(in.readPositiveVarLong(), FileLife.decode(in), in.readPositiveVarLong()));
    }
    List<Family> families = new ArrayList<>();
    int count = in.readLength();
    for (int i = 0; i < count; i++) {
      families.add(
          new Family(
              in.readVarInt(),
              in.readString(),
              in.readUnsignedByte(),
              in.readUnsignedByte(),
              in.readVarLong(),
              in.readVarLong()));
    }
    List<LevelChange> levels = new ArrayList<>();
    int changes = in.readLength();
    for (int i = 0; i < changes; i++) {
      int family = in.readVarInt();
      int level = in.readUnsignedByte();
      List<Named> tables = new ArrayList<>();
      int length = in.readCount(2 + FileLife.BYTES + Integer.BYTES);
      for (int t = 0; t < length; t++) {
        long number = in.readPositiveVarLong();
        FileLife life = FileLife.decode(in);
        tables.add(new Named(number, life, in.readPositiveVarLong(), in.readInt()));
      }
      levels.add(new LevelChange(family, level, List.copyOf(tables)));
    }
    in.expectEnd();
    return new Edit(nextFile, firstLog, flushed, List.copyOf(logs), families, levels);
  }
}
