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
import dev.tern.lsm.table.TableProperties;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Which files make up the store: a file of edits, the first of which says everything; `CURRENT`
/// names it and is switched by an atomic rename.
///
/// ```
///   MANIFEST-n: header (FileHeader, 32 bytes), then records:
///               u32 bytes   u32 crc32c of length and payload   payload
///   mark:       u8 2, u64 offset of the record before it
///   edit:       u8 1
///               varint next file number   varint first log to replay   varint flushed sequence
///               varint logs: varint number, 16 bytes life, varint bytes forced
///               varint new families:   varint id, string name, u8 style, u8 compression,
///                                      varint ttl millis, varint max bytes
///               varint changed levels: varint family, u8 level, varint tables: varint number,
///                                      varint bytes, 0 if an earlier record of this file says
///                                      what the table is; else:
///                                      16 bytes life, u32 crc32c of the file up to its footer,
///                                      varint sequence of all entries, 0 if each has its own,
///                                      blob properties (TableProperties)
///               u8 1: the staged tables change, 0: they do not
///               varint staged tables:  string label, varint family, table in full
///   CURRENT:    MANIFEST-n, a space, the manifest's life as 32 hexadecimal digits, a newline
/// ```
///
/// This is format 8. The logs are all that may hold something, each named before an entry is
/// written to it; see `LogNames`.
///
/// The life, with bytes and checksum, says which file is meant: another file under the right name,
/// of this store or of another one, is refused. The properties are those of the table: a store is
/// opened by them alone, and reads a table when somebody looks into it.
///
/// An edit is durable before anything relies on it. A mark follows it: it is written when the edit
/// has been forced, and before anybody is told of the edit. So a broken edit before a mark was
/// whole once, which is corruption, and a broken one at the end was being written in a crash: what
/// is before it is the state. A mark is not forced by itself, so an edit costs one fsync: until the
/// system or the next edit has brought it to the disk, a power cut can take the mark of the last
/// edit, never the edit. A power cut in the fsync of the next edit can take the mark and leave that
/// edit whole: a broken mark right before a whole edit counts as nothing. `CURRENT` vouches for the
/// first record.
public final class Manifest {
  private static final int HEADER_BYTES = FileHeader.BYTES;

  /// How a payload begins.
  private static final int EDIT = 1;

  private static final int MARK = 2;

  /// Of a mark: length, checksum, kind and offset.
  private static final int MARK_BYTES = 8 + 1 + 8;

  /// The least that a table takes.
  private static final int NAMED_BYTES = 4 + FileLife.BYTES + Integer.BYTES;

  /// How manifests of formats 2 to 4 began, but for the digit of the format behind it.
  private static final long EARLIER_MAGIC = 0x7465726e_6d616eL;

  /// A manifest beyond it is begun anew.
  private static final long ROLL_BYTES = 1 << 20;

  /// No manifest is longer: a state of four million tables, and what follows it.
  private static final int MOST_BYTES = 256 << 20;

  /// The part of the longest manifest that new families and staged tables leave to flushes and
  /// compactions, which a store cannot do without.
  private static final int RESERVED_PART = 8;

  /// `CURRENT` is never longer.
  private static final int MOST_CURRENT_BYTES = 64;

  /// A table's file.
  ///
  /// @param bytes all of them
  /// @param crc of those up to the footer
  /// @param sequence that all its entries have, 0 if each has the one it was written with
  /// @param properties with that sequence
  public record Named(
      long number, FileLife life, long bytes, int crc, long sequence, TableProperties properties) {
    public static Named of(Table table) {
      return new Named(
          table.number, table.life, table.sizeBytes, table.crc, table.sequence, table.properties);
    }

    /// With all its entries at one sequence.
    public Named at(long newSequence) {
      return new Named(number, life, bytes, crc, newSequence, properties.at(newSequence));
    }

    /// Why a table is not the one that is meant, null if it is.
    public @Nullable String problem(Table table) {
      return Table.problem(life, bytes, crc, table.life, table.sizeBytes, table.crc);
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

  /// A table that is in the directory and not read yet.
  ///
  /// @param label of those that are to become visible together
  /// @param family it is for
  public record Staged(String label, int family, Named table) {}

  /// A change.
  ///
  /// @param nextFile numbers from here on are free
  /// @param firstLog logs below it are not needed any more
  /// @param flushedSequence everything up to it lies in tables
  /// @param logs all from the first on
  /// @param staged all there are from now on, null if that does not change
  public record Edit(
      long nextFile,
      long firstLog,
      long flushedSequence,
      List<NamedLog> logs,
      List<Family> families,
      List<LevelChange> levels,
      @Nullable List<Staged> staged) {

    /// With other logs and staged tables.
    public Edit with(List<NamedLog> otherLogs, @Nullable List<Staged> otherStaged) {
      return new Edit(
          nextFile, firstLog, flushedSequence, otherLogs, families, levels, otherStaged);
    }
  }

  /// What the edits add up to.
  public static final class State {
    public long nextFile = 1;
    public long firstLog;
    public long flushedSequence;
    public List<NamedLog> logs = List.of();
    public List<Staged> staged = List.of();
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
      if (edit.staged != null) {
        staged = edit.staged;
      }
      if (staged.stream().anyMatch(each -> each.family < 0 || each.family >= families.size())) {
        throw new DecodeException("a staged table of a column family that is not there");
      }
    }

    public List<Named> level(int family, int level) {
      return tables.getOrDefault(key(family, level), List.of());
    }
  }

  private final FileSystem files;
  private final String directory;
  private final FileLives lives;
  private final int mostBytes;
  private FileSystem.@Nullable WritableFile file;
  private long number;
  private boolean isDoubtful;

  /// Whether what failed last may all the same be in the file that `CURRENT` names.
  private boolean mayHaveLast;

  /// The numbers of the tables that the file says all of.
  private TreeSet<Long> described = new TreeSet<>();

  public Manifest(FileSystem files, String directory, FileLives lives) {
    this(files, directory, lives, MOST_BYTES);
  }

  /// @param mostBytes that a manifest may have
  Manifest(FileSystem files, String directory, FileLives lives, int mostBytes) {
    this.files = files;
    this.directory = directory;
    this.lives = lives;
    this.mostBytes = mostBytes;
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

  /// Whether the edit or the state whose writing failed last may be what the next opening finds; to
  /// be asked before anything else is written.
  public boolean mayHaveLast() {
    return mayHaveLast;
  }

  /// As [#append(Edit, boolean)], of an edit that the store cannot go on without.
  public boolean append(Edit edit) throws IOException {
    return append(edit, /* optional= */ false);
  }

  /// The bytes that a manifest may have behind an edit.
  ///
  /// @param optional whether the store can go on without the edit
  private long limit(boolean optional) {
    return optional ? mostBytes - mostBytes / RESERVED_PART : mostBytes;
  }

  /// Appends an edit, durably, and its mark. False if the file would be too long with it: then
  /// nothing was written, and a whole state in a new file may be shorter.
  ///
  /// @param optional whether the store can go on without the edit
  public boolean append(Edit edit, boolean optional) throws IOException {
    mayHaveLast = false;
    FileSystem.WritableFile to = java.util.Objects.requireNonNull(file);
    long most = limit(optional) - to.position() - MARK_BYTES;
    byte[] record = record(edit, described, most);
    if (record == null) {
      return false;
    }
    try {
      long offset = to.position();
      mayHaveLast = true;
      to.append(ByteBuffer.wrap(record));
      to.force();
      to.append(ByteBuffer.wrap(mark(offset)));
      describe(edit, described);
      return true;
    } catch (IOException | RuntimeException | Error e) {
      file = null;
      closeQuietly(to);
      throw e;
    }
  }

  private static void describe(Edit edit, Set<Long> described) {
    edit.levels.forEach(level -> level.tables.forEach(table -> described.add(table.number)));
  }

  private static void closeQuietly(FileSystem.WritableFile gone) {
    try {
      gone.close();
    } catch (IOException e) {
      // It is not written to any more; the failure that matters is on its way.
      return;
    }
  }

  /// As [#roll(Edit, long, boolean)], of a state that the store cannot go on without.
  public void roll(Edit whole, long newNumber) throws IOException {
    roll(whole, newNumber, /* optional= */ false);
  }

  /// Begins `MANIFEST-newNumber` with a whole state and makes it the current one, durably.
  ///
  /// @param optional whether the store can go on without what is new in the state
  /// @throws IOException if that fails; nothing was written if the state is too large
  public void roll(Edit whole, long newNumber, boolean optional) throws IOException {
    mayHaveLast = false;
    String path = path(directory, newNumber);
    byte[] record = record(whole, Set.of(), limit(optional) - HEADER_BYTES - MARK_BYTES);
    if (record == null) {
      throw new IOException(
          "%s would be longer than %d bytes: too many tables, or their first and last keys or the"
                  .formatted(path, limit(optional))
              + " names of families and labels are too long");
    }
    TreeSet<Long> describedThere = new TreeSet<>();
    describe(whole, describedThere);
    isDoubtful = true;
    FileSystem.WritableFile to = files.create(path);
    FileLife life = lives.next();
    try {
      ByteWriter out = new ByteWriter(record.length + HEADER_BYTES);
      FileHeader.of(FileKind.MANIFEST, life).encode(out);
      out.writeBytes(record);
      to.append(ByteBuffer.wrap(out.array(), 0, out.length()));
      to.force();
      switchTo(newNumber, life);
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
    described = describedThere;
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

  private void switchTo(long newNumber, FileLife life) throws IOException {
    String temporary = directory + "/CURRENT.tmp";
    if (files.exists(temporary)) {
      files.delete(temporary);
    }
    String says = "MANIFEST-%06d %s\n".formatted(newNumber, life);
    byte[] name = says.getBytes(StandardCharsets.US_ASCII);
    try (FileSystem.WritableFile current = files.create(temporary)) {
      current.append(ByteBuffer.wrap(name));
      current.force();
    }
    files.forceDirectory(directory);
    mayHaveLast = true;
    files.rename(temporary, directory + "/CURRENT");
    files.forceDirectory(directory);
  }

  public void close() throws IOException {
    if (file != null) {
      file.close();
      file = null;
    }
  }

  /// The record of an edit, null if it is longer than `most` bytes.
  ///
  /// @param described tables of which an earlier record of the file says all
  private static byte @Nullable [] record(Edit edit, Set<Long> described, long most) {
    ByteWriter out = begun(EDIT);
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
        out.writeVarLong(table.number);
        if (described.contains(table.number)) {
          out.writeVarLong(0);
        } else {
          encode(table, out);
        }
        if (out.length() > most) {
          return null;
        }
      }
    }
    List<Staged> staged = edit.staged;
    out.writeByte(staged == null ? 0 : 1);
    if (staged != null) {
      out.writeVarInt(staged.size());
      for (Staged each : staged) {
        out.writeString(each.label).writeVarInt(each.family).writeVarLong(each.table.number);
        encode(each.table, out);
        if (out.length() > most) {
          return null;
        }
      }
    }
    return out.length() > most ? null : ended(out);
  }

  /// Says that the record at an offset was forced.
  private static byte[] mark(long offset) {
    return ended(begun(MARK).writeLong(offset));
  }

  private static ByteWriter begun(int kind) {
    return new ByteWriter().writeInt(0).writeInt(0).writeByte(kind);
  }

  private static byte[] ended(ByteWriter record) {
    byte[] bytes = record.toByteArray();
    int payload = bytes.length - 8;
    number(bytes, 0, payload);
    number(bytes, 4, crc(bytes, 0, payload));
    return bytes;
  }

  /// All that is said of a table, behind its number.
  private static void encode(Named table, ByteWriter out) {
    table.life.encode(out.writeVarLong(table.bytes));
    ByteWriter properties = new ByteWriter();
    table.properties.encode(properties);
    out.writeInt(table.crc).writeVarLong(table.sequence).writeBlob(properties.toByteArray());
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
    Map<Long, Named> known = new TreeMap<>();
    int at = HEADER_BYTES;
    int before = -1;
    while (at < bytes.length) {
      if (!isWhole(bytes, at)) {
        if (before <= HEADER_BYTES
            || !isWholeEdit(bytes, before)
            || !isWholeEdit(bytes, at + MARK_BYTES)) {
          break;
        }
        before = at;
        at += MARK_BYTES;
      }
      int payload = new ByteReader(bytes, at, 4).readInt();
      try {
        ByteReader in = new ByteReader(bytes, at + 8, payload);
        if (isEdit(in, before)) {
          Edit edit = edit(in, known);
          state.apply(edit);
          visitor.edit(at, edit);
        }
      } catch (DecodeException e) {
        throw new CorruptionException(path, at, String.valueOf(e.getMessage()));
      }
      before = at;
      at += 8 + payload;
    }
    if (at == HEADER_BYTES) {
      throw new CorruptionException(path, at, "its first record is broken");
    }
    checkTorn(path, bytes, at);
    return state;
  }

  /// Whether a whole record lies at an offset.
  private static boolean isWhole(byte[] bytes, int at) {
    if (at + 8 > bytes.length) {
      return false;
    }
    int payload = new ByteReader(bytes, at, 4).readInt();
    return payload >= 0
        && payload <= bytes.length - at - 8
        && new ByteReader(bytes, at + 4, 4).readInt() == crc(bytes, at, payload);
  }

  /// Whether a whole edit lies at an offset.
  private static boolean isWholeEdit(byte[] bytes, int at) {
    return isWhole(bytes, at) && at + 8 < bytes.length && bytes[at + 8] == EDIT;
  }

  /// Whether a payload is an edit; else it is a mark, which is read.
  ///
  /// @param before where the record before this one lies
  private static boolean isEdit(ByteReader in, int before) {
    int kind = in.readUnsignedByte();
    if (kind == MARK) {
      long offset = in.readLong();
      in.expectEnd();
      if (offset != before) {
        throw new DecodeException(
            "the mark of a record at %d, behind %d".formatted(offset, before));
      }
    } else if (kind != EDIT) {
      throw new DecodeException("a record of kind " + kind);
    }
    return kind == EDIT;
  }

  /// A whole record behind a broken one: it was no torn tail.
  private static void checkTorn(String path, byte[] bytes, int broken) throws CorruptionException {
    PartChecksums checksums = new PartChecksums(bytes, broken);
    for (int at = broken + 1; at + 8 < bytes.length; at++) {
      int payload = new ByteReader(bytes, at, 4).readInt();
      boolean fits = payload >= 0 && payload <= bytes.length - at - 8;
      if (fits
          && new ByteReader(bytes, at + 4, 4).readInt()
              == checksums.of(at, 4, at + 8, at + 8 + payload)) {
        throw new CorruptionException(path, broken, "a broken record before a whole one");
      }
    }
  }

  /// @param known tables that earlier records describe; takes those that this one does
  private static Edit edit(ByteReader in, Map<Long, Named> known) {
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
      int length = in.readCount(2);
      for (int t = 0; t < length; t++) {
        tables.add(table(in, known));
      }
      levels.add(new LevelChange(family, level, List.copyOf(tables)));
    }
    List<Staged> staged = staged(in);
    in.expectEnd();
    return new Edit(nextFile, firstLog, flushed, List.copyOf(logs), families, levels, staged);
  }

  /// A table in full, behind its number and size.
  private static Named table(long number, long bytes, ByteReader in) {
    FileLife life = FileLife.decode(in);
    int crc = in.readInt();
    long sequence = in.readPositiveVarLong();
    ByteReader properties = new ByteReader(in.readBlob());
    return new Named(number, life, bytes, crc, sequence, TableProperties.decode(properties));
  }

  private static @Nullable List<Staged> staged(ByteReader in) {
    int changes = in.readUnsignedByte();
    if (changes > 1) {
      throw new DecodeException("staged tables that change in the manner " + changes);
    }
    if (changes == 0) {
      return null;
    }
    List<Staged> staged = new ArrayList<>();
    int count = in.readCount(2 + NAMED_BYTES);
    for (int i = 0; i < count; i++) {
      String label = in.readString();
      int family = in.readVarInt();
      long number = in.readPositiveVarLong();
      staged.add(new Staged(label, family, table(number, in.readPositiveVarLong(), in)));
    }
    return List.copyOf(staged);
  }

  private static Named table(ByteReader in, Map<Long, Named> known) {
    long number = in.readPositiveVarLong();
    long bytes = in.readPositiveVarLong();
    Named named = known.get(number);
    if (bytes > 0) {
      named = table(number, bytes, in);
      known.put(number, named);
    }
    if (named == null) {
      throw new DecodeException("table " + number + ", which no earlier record describes");
    }
    return named;
  }
}
