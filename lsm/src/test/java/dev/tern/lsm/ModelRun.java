package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/// One seed's operations on a store and on its model.
///
/// A FIFO family promises less: its oldest entries may be gone, but what it answers is the newest
/// or nothing, it is not larger than its bound, and what is older than its time to live goes.
final class ModelRun {
  private static final long FIFO_BYTES = 6000;
  private static final int MOST_FAMILIES = 8;

  /// A file of somebody else in the store's directory.
  private static final String FOREIGN = Bed.STORE + "/MANIFEST.MF";

  /// A snapshot and the step it saw.
  private record Moment(Snapshot snapshot, long step) {}

  /// An iterator that stays open, and what it walks.
  private record Walk(
      LsmIterator iterator, ModelWalk model, ColumnFamily family, IteratorOptions options) {}

  private final Bed bed;

  /// The options of a store that shares nothing.
  private LsmOptions alone;

  private final Randomness random;
  private final int keys;
  private final List<FamilyOptions> choices = new ArrayList<>();
  private final List<Versions> models = new ArrayList<>();
  private final List<Moment> moments = new ArrayList<>();
  private final List<Walk> walks = new ArrayList<>();
  private final List<ColumnFamily> families = new ArrayList<>();
  private int checkpoints;
  private int opened;
  private Lsm lsm;

  /// Of what happened, how often.
  final Map<String, Integer> done = new TreeMap<>();

  int step;

  /// Nothing is written meanwhile.
  private boolean still;

  /// The store has called its owner.
  private boolean calling;

  private boolean closing;

  /// Logs beside the newest that the store may have kept when it was last closed.
  private int waiting;

  ModelRun(long seed) {
    this(seed, LsmBug.NONE);
  }

  ModelRun(long seed, LsmBug planted) {
    bed = new Bed(seed);
    random = Randomness.of(seed).child("model");
    keys = random.nextInt(2) == 0 ? 25 : 300;
    bed.options =
        Bed.options(
                1024L << random.nextInt(4),
                random.nextInt(2) * (4096L << random.nextInt(6)),
                128 << random.nextInt(5),
                512L << random.nextInt(5),
                planted)
            .withThreads(1 + random.nextInt(3));
    bed.options =
        bed.options.withTuning(bed.options.tuning().withOpenTables(1 + random.nextInt(6)));
    bed.options = random.nextInt(2) == 0 ? bed.options.withLogKeptAtClose() : bed.options;
    if (bed.options.flushesAtClose() && random.nextInt(4) == 0) {
      bed.options = bed.options.withoutLog();
    }
    if (bed.options.hasLog() && random.nextInt(2) == 0) {
      bed.options = bed.options.withArchive((path, number) -> calledBack());
    }
    alone = bed.options;
    bed.interruptJobs(this::meanwhile);
    for (CompactionStyle style : CompactionStyle.values()) {
      choose(style);
    }
  }

  private void choose(CompactionStyle style) {
    Compression compression = Compression.values()[random.nextInt(3)];
    choices.add(
        style == CompactionStyle.FIFO
            ? new FamilyOptions(style, compression, random.nextInt(2) * 5000L, FIFO_BYTES)
            : new FamilyOptions(style, compression, 0, 0));
    models.add(new Versions());
  }

  /// One more column family, in the middle of everything.
  private void create() throws IOException {
    if (choices.size() < MOST_FAMILIES) {
      choose(CompactionStyle.values()[random.nextInt(3)]);
      int at = families.size();
      families.add(lsm.columnFamily("family-" + at, choices.get(at)));
    }
  }

  /// From the first opening on, the store is one of a group.
  void join(LsmGroup group) {
    alone = bed.options;
    bed.options = bed.options.in(group);
  }

  @Override
  public String toString() {
    return bed.options.tuning() + " " + choices;
  }

  private static boolean isFifo(ColumnFamily family) {
    return family.options().style() == CompactionStyle.FIFO;
  }

  private void open() throws IOException {
    if (!bed.disk.exists(FOREIGN)) {
      assertEquals(0, opened, "an opening deleted a file that is not the store's");
      bed.disk.create(FOREIGN).close();
    }
    opened++;
    families.clear();
    lsm = bed.open();
    lsm.afterFlush(flushed -> calledBack());
    lsm.beforeGroupEnds(this::groupEnds);
    for (int i = 0; i < choices.size(); i++) {
      families.add(lsm.columnFamily("family-" + i, choices.get(i)));
    }
  }

  private byte[] key() {
    int number = random.nextInt(keys);
    return switch (number % 11) {
      case 0 -> Bed.bytes("k" + number);
      case 1 -> Bed.bytes("key-with-a-long-common-prefix-" + number);
      case 2 -> new byte[] {(byte) number, (byte) 0xff, (byte) 0xff};
      case 3 -> new byte[number % 7];
      default -> Bed.bytes("key-" + number);
    };
  }

  private byte[] value() {
    int length = random.nextInt(20) == 0 ? random.nextInt(1500) : random.nextInt(60);
    byte[] value = new byte[length];
    for (int i = 0; i < length; i++) {
      value[i] = (byte) (i < length / 2 ? random.nextInt(256) : 'v');
    }
    return value;
  }

  private void count(String what, long times) {
    done.merge(what, (int) times, Integer::sum);
  }

  void run(int steps) throws IOException {
    begin();
    while (step < steps) {
      next();
    }
    end();
  }

  void begin() throws IOException {
    open();
  }

  /// One operation.
  void next() throws IOException {
    step++;
    int dice = random.nextInt(100);
    if (dice < 50) {
      write();
    } else if (dice < 68) {
      read();
    } else if (dice < 84) {
      walk();
    } else if (dice < 88) {
      moment();
    } else if (dice < 93) {
      bed.world.runUntil(bed.world.nanos() + random.nextInt(1_500_000_000));
    } else if (dice < 96) {
      compareAll();
    } else if (dice < 97) {
      reopen();
    } else if (dice < 98) {
      still = true;
      elsewhere();
      still = false;
    } else if (dice < 99) {
      create();
    } else {
      switch (random.nextInt(5)) {
        case 0, 1 -> ingest();
        case 2 -> {
          still = true;
          lsm.append(new WriteBatch().delete(families.getFirst(), new byte[] {'x'}));
          failAgainAndAgain(lsm::flush);
          failAgainAndAgain(() -> lsm.checkpoint("data/full"));
          assertEquals(List.of(), bed.disk.list("data/full"));
          still = false;
        }
        default -> {}
      }
    }
  }

  void end() throws IOException {
    still = true;
    bed.settle();
    bed.settle();
    compareAll();
    assertFifoBounds();
    assertAccount();
    assertExpiredSpaceIsGivenBack();
    reopen();
    lsm.close();
  }

  /// What other threads do while a job of the store is held up.
  private void meanwhile() {
    if (still) {
      return;
    }
    step++;
    try {
      switch (random.nextInt(8)) {
        case 0 -> moment();
        case 1 -> read();
        case 2 -> walk();
        case 3 -> {
          if (random.nextInt(20) == 0) {
            create();
          }
        }
        default -> write();
      }
    } catch (IOException e) {
      throw new AssertionError("in the middle of a job", e);
    }
  }

  /// The store has called its owner, who uses it: it looks, takes snapshots, writes, and makes
  /// column families.
  private void calledBack() {
    boolean quiet =
        still || closing || calling || families.size() < choices.size() || random.nextInt(12) > 0;
    if (quiet) {
      return;
    }
    calling = true;
    try {
      bed.undisturbed(this::meanwhile);
      count("called back", 1);
      assertThrows(IllegalStateException.class, lsm::flush);
      assertThrows(IllegalStateException.class, () -> lsm.checkpoint("data/never"));
    } finally {
      calling = false;
    }
  }

  /// What is appended at the end of a group is in the store.
  private void groupEnds() {
    bed.undisturbed(this::appendLast);
  }

  private void appendLast() {
    if (still || calling || families.size() < choices.size() || random.nextInt(12) > 0) {
      return;
    }
    calling = true;
    step++;
    try {
      int at = random.nextInt(families.size());
      byte[] key = key();
      byte[] value = value();
      lsm.append(new WriteBatch().put(families.get(at), key, value));
      models.get(at).put(step, key, value, 0);
      assertAnswer(families.get(at), value, lsm.get(families.get(at), key), key);
      assertThrows(IllegalStateException.class, lsm::columnFamilies);
    } catch (IOException e) {
      throw new AssertionError("at the end of a group", e);
    } finally {
      calling = false;
    }
  }

  private void write() throws IOException {
    WriteBatch batch = new WriteBatch();
    for (int i = random.nextInt(3) == 0 ? random.nextInt(8) : 0; i >= 0; i--) {
      int at = random.nextInt(families.size());
      ColumnFamily family = families.get(at);
      Versions model = models.get(at);
      byte[] key = key();
      byte[] value = value();
      switch (random.nextInt(12)) {
        case 0, 1, 2 -> {
          batch.delete(family, key);
          model.delete(step, key);
        }
        case 3 -> {
          // Now and then very many, which overlap in every way.
          for (int many = random.nextInt(12) == 0 ? random.nextInt(40) : 0; many >= 0; many--) {
            byte[] to = key();
            batch.deleteRange(family, key, to);
            model.deleteRange(step, key, to);
            key = key();
          }
        }
        case 4, 5 -> {
          long expires = bed.clock.wallMillis() + random.nextInt(8000) - 500;
          batch.put(family, key, value, expires);
          model.put(step, key, value, expires);
        }
        default -> {
          batch.put(family, key, value);
          model.put(step, key, value, 0);
        }
      }
    }
    lsm.append(batch);
    if (random.nextInt(4) == 0) {
      lsm.flushLog();
    }
    if (random.nextInt(100) == 0) {
      lsm.requestFlush();
      count("requested flush", 1);
    }
  }

  private void assertAnswer(ColumnFamily family, byte[] wanted, byte[] found, byte[] key) {
    if (isFifo(family) && found == null) {
      return;
    }
    assertArrayEquals(wanted, found, () -> family.name() + " " + Arrays.toString(key));
  }

  private void read() throws IOException {
    int at = random.nextInt(families.size());
    ColumnFamily family = families.get(at);
    Versions model = models.get(at);
    long wall = bed.clock.wallMillis();
    byte[] key = key();
    byte[] wanted = model.get(key, Long.MAX_VALUE, wall);
    switch (random.nextInt(5)) {
      case 0 -> assertAnswer(family, wanted, lsm.get(family, key), key);
      case 1 -> {
        byte[] lent =
            lsm.read(
                family,
                key,
                (memory, offset, length) ->
                    memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
        assertAnswer(family, wanted, lent, key);
      }
      case 2 -> {
        byte[][] asked = {key, key(), key(), key};
        byte[][] found = lsm.multiGet(family, asked);
        for (int i = 0; i < asked.length; i++) {
          assertAnswer(family, model.get(asked[i], Long.MAX_VALUE, wall), found[i], asked[i]);
        }
      }
      case 3 -> {
        byte[] found = lsm.getCached(family, key, Long.MAX_VALUE);
        if (found != Lsm.NOT_CACHED) {
          assertAnswer(family, wanted, found, key);
        }
      }
      default -> {
        if (!moments.isEmpty()) {
          Moment moment = moments.get(random.nextInt(moments.size()));
          byte[] found = lsm.get(family, key, moment.snapshot);
          assertAnswer(family, model.get(key, moment.step, wall), found, key);
        }
      }
    }
  }

  /// Takes a snapshot, or looks whether one is what it was, whole, and drops it.
  private void moment() throws IOException {
    if (moments.size() < 4 && random.nextInt(2) == 0) {
      moments.add(new Moment(lsm.snapshot(), step));
    } else if (!moments.isEmpty()) {
      Moment moment = moments.remove(random.nextInt(moments.size()));
      IteratorOptions then = IteratorOptions.all().at(moment.snapshot);
      for (int at = 0; at < families.size(); at++) {
        NavigableMap<byte[], byte[]> wanted =
            models.get(at).at(moment.step, bed.clock.wallMillis());
        if (!isFifo(families.get(at))) {
          Bed.assertHolds(lsm, families.get(at), then, wanted, "at a snapshot");
        }
      }
      moment.snapshot.close();
    }
  }

  private IteratorOptions options(Moment moment) {
    IteratorOptions options = IteratorOptions.all();
    options =
        switch (random.nextInt(5)) {
          case 0 -> options.range(key(), null);
          case 1 -> options.range(null, key());
          case 2 -> options.range(key(), key());
          case 3 -> options.prefix(Arrays.copyOf(key(), 1 + random.nextInt(3)));
          default -> options;
        };
    options = random.nextInt(3) == 0 ? options.withoutFillingCache() : options;
    return moment == null ? options : options.at(moment.snapshot);
  }

  private Walk newWalk() {
    int at = random.nextInt(families.size());
    ColumnFamily family = families.get(at);
    Moment moment =
        moments.isEmpty() || random.nextInt(2) == 0
            ? null
            : moments.get(random.nextInt(moments.size()));
    IteratorOptions options = options(moment);
    ModelWalk model =
        new ModelWalk(models.get(at), moment == null ? step : moment.step, options, bed.clock);
    return new Walk(lsm.iterator(family, options), model, family, options);
  }

  /// Moves an iterator, one that was begun long ago perhaps.
  private void walk() throws IOException {
    if (walks.size() < 3 && random.nextInt(3) == 0) {
      walks.add(newWalk());
    }
    Walk walk = walks.isEmpty() ? newWalk() : walks.get(random.nextInt(walks.size()));
    if (!isFifo(walk.family)) {
      walk.model.move(walk.iterator, random, key());
    } else {
      Versions model = models.get(families.indexOf(walk.family));
      for (walk.iterator.seekToFirst(); walk.iterator.valid(); walk.iterator.next()) {
        assertTrue(model.ever(walk.iterator.key(), walk.iterator.value()));
      }
    }
    if (random.nextInt(4) == 0) {
      refresh(walk);
    }
    if (!walks.contains(walk) || random.nextInt(6) == 0) {
      walk.iterator.close();
      walk.iterator.close();
      walks.remove(walk);
    }
  }

  private void refresh(Walk walk) {
    Snapshot snapshot = walk.options.snapshot();
    if (snapshot == null) {
      walk.iterator.refresh();
      walk.model.refresh(step);
    } else if (moments.stream().anyMatch(moment -> moment.snapshot == snapshot)) {
      walk.iterator.refresh();
    } else {
      assertThrows(IllegalStateException.class, walk.iterator::refresh);
    }
    assertFalse(walk.iterator.valid());
  }

  /// Brings tables of one or two families in, perhaps with a restart in between, or after calls
  /// that failed.
  private void ingest() throws IOException {
    still = true;
    bed.settle();
    bed.settle();
    boolean replace = random.nextInt(3) == 0;
    boolean delete = !replace && random.nextInt(4) > 0;
    String label = "fill-" + step;
    List<ComingRows> coming = new ArrayList<>();
    for (int at = 0; at < families.size() && coming.size() < 2; at++) {
      NavigableMap<byte[], ComingRows.Row> rows = new TreeMap<>(Arrays::compareUnsigned);
      for (int i = 1 + random.nextInt(20); i >= 0; i--) {
        long expires = bed.clock.wallMillis() + 8_000 + random.nextInt(20_000);
        rows.put(key(), new ComingRows.Row(value(), random.nextInt(3) == 0 ? expires : 0));
      }
      if (rows.size() > 1 && random.nextInt(2) == 0) {
        coming.add(new ComingRows(at, rows, 1 + random.nextInt(2)));
      }
    }
    stage(label, coming, delete);
    if (random.nextInt(4) == 0) {
      reopen();
    }
    int files = coming.stream().mapToInt(ComingRows::files).sum();
    assertEquals(files, lsm.staged().size(), "staged tables");
    if (random.nextInt(8) > 0 && !coming.isEmpty()) {
      take(label, coming, replace);
    }
    bed.settle();
    lsm.abandonStaged(label);
    assertEquals(List.of(), lsm.staged());
    still = false;
  }

  private void stage(String label, List<ComingRows> all, boolean delete) throws IOException {
    bed.disk.createDirectories("outside");
    for (ComingRows coming : all) {
      ColumnFamily family = families.get(coming.family());
      if (delete) {
        lsm.append(new WriteBatch().deleteRange(family, coming.from(), coming.to()));
        models.get(coming.family()).deleteRange(step, coming.from(), coming.to());
      }
      for (int file = 0; file < coming.files(); file++) {
        String path = "outside/" + label + "-" + coming.family() + "-" + file;
        coming.write(bed, random, path, family.options(), file);
        lsm.stage(label, family, List.of(path), Staging.values()[random.nextInt(2)]);
        bed.disk.delete(path);
      }
    }
  }

  private void take(String label, List<ComingRows> all, boolean replace) throws IOException {
    boolean empty = true;
    boolean unsure = false;
    List<KeyRange> ranges = new ArrayList<>();
    for (ComingRows coming : all) {
      ColumnFamily family = families.get(coming.family());
      ranges.add(new KeyRange(family, coming.from(), coming.to()));
      NavigableMap<byte[], byte[]> there =
          models.get(coming.family()).at(step, bed.clock.wallMillis());
      boolean here = !there.subMap(coming.from(), true, coming.to(), false).isEmpty();
      empty &= !here;
      unsure |= here && isFifo(family);
    }
    bed.settle();
    if (random.nextInt(3) == 0) {
      failAgainAndAgain(() -> lsm.replace(label, ranges));
    }
    step++;
    boolean done = false;
    try {
      long sequence = replace ? lsm.replace(label, ranges) : lsm.ingest(label, ranges);
      assertTrue(sequence <= lsm.writtenSequence());
      done = true;
    } catch (IngestRefusedException e) {
      count("refused ingest", 1);
    }
    if (!unsure) {
      assertEquals(replace || empty, done, "an ingest into a range that is empty: " + empty);
    }
    for (int i = 0; done && i < all.size(); i++) {
      takenIn(all.get(i), replace);
    }
  }

  private void takenIn(ComingRows coming, boolean replace) throws IOException {
    Versions model = models.get(coming.family());
    ColumnFamily family = families.get(coming.family());
    if (replace || isFifo(family)) {
      model.deleteRange(step, coming.from(), coming.to());
    }
    coming.rows().forEach((key, row) -> model.put(step, key, row.value(), row.expiresMillis()));
    count(replace ? "replace" : "ingest", 1);
    count("ingested files", coming.files());
    // Nothing had the time to drop what a FIFO family was given.
    long wall = bed.clock.wallMillis();
    for (byte[] key : coming.rows().keySet()) {
      byte[] wanted = model.get(key, Long.MAX_VALUE, wall);
      assertArrayEquals(wanted, lsm.get(family, key), () -> "ingested into " + family.name());
    }
  }

  /// A call that takes a table or a log to be written.
  private interface Call {
    void run() throws IOException;
  }

  /// The disk is full, and the same call is made again and again: it adds nothing each time.
  private void failAgainAndAgain(Call call) throws IOException {
    bed.settle();
    bed.disk.full = true;
    int files = 0;
    for (int i = 0; i < 8; i++) {
      assertThrows(IOException.class, call::run);
      bed.settle();
      LsmStatistics now = lsm.statistics();
      assertTrue(now.immutableMemtables() < 4, () -> "memtables wait: " + now.immutableMemtables());
      int there = bed.disk.list(Bed.STORE).size();
      files = i == 3 ? there : files;
      assertTrue(i < 4 || there <= files, "files of failed calls stay");
    }
    bed.disk.full = false;
    lsm.retry();
    bed.settle();
    count("failed again and again", 1);
  }

  private void compareAll() throws IOException {
    for (int at = 0; at < families.size(); at++) {
      compare(lsm, families.get(at), models.get(at).at(step, bed.clock.wallMillis()));
    }
  }

  private void compare(Lsm store, ColumnFamily family, NavigableMap<byte[], byte[]> wanted)
      throws IOException {
    if (!isFifo(family)) {
      Bed.assertHolds(store, family, wanted, family.name());
      return;
    }
    try (LsmIterator iterator = store.iterator(family, IteratorOptions.all())) {
      for (iterator.seekToLast(); iterator.valid(); iterator.prev()) {
        assertArrayEquals(wanted.get(iterator.key()), iterator.value(), family.name());
      }
    }
  }

  private void assertFifoBounds() throws IOException {
    LsmStatistics statistics = lsm.statistics();
    assertTrue(statistics.tables() < 400, "tables pile up: " + statistics.levels());
    lsm.verify();
  }

  /// What the store says that it holds is what it holds: looked at while it is open, as a close
  /// gives everything back.
  private void assertAccount() throws IOException {
    closeReaders();
    lsm.flushLog();
    bed.settle();
    lsm.retry();
    bed.settle();
    assertFalse(lsm.busy());
    MemoryAccount account = lsm.tools.memory();
    assertEquals(0, account.held(MemoryPart.JOBS), "of jobs");
    assertTrue(account.held(MemoryPart.LOG) <= 64 << 10, "of the log");
    long memtables = 0;
    for (ReadState.Family family : lsm.readers.state.families) {
      memtables += family.active().heldBytes();
    }
    assertEquals(memtables, account.held(MemoryPart.MEMTABLES), "of memtables");
    int open = lsm.tools.openTables().openFiles();
    long files = account.held(MemoryPart.FILES);
    assertEquals(open == 0 ? 0 : files / open * open, files, "of files");
    long tables = account.held(MemoryPart.TABLES);
    LsmOptions options = bed.options;
    bed.options = alone;
    try (Lsm other = bed.openReadOnly(Bed.STORE)) {
      assertEquals(other.tools.memory().held(MemoryPart.TABLES), tables, "of tables");
    }
    bed.options = options;
    count("account", 1);
  }

  /// Time passes, and nothing is written: no table keeps values that have expired.
  private void assertExpiredSpaceIsGivenBack() throws IOException {
    closeReaders();
    for (int i = 0; i < 20; i++) {
      bed.world.runUntil(bed.world.nanos() + 2_000_000_000L);
      lsm.retry();
    }
    bed.settle();
    long wall = bed.clock.wallMillis();
    for (int at = 0; at < families.size(); at++) {
      ColumnFamily family = families.get(at);
      for (Table table : lsm.tables.levels(family.id()).all()) {
        long last = table.properties.lastExpiry();
        assertTrue(
            last == 0 || last > wall,
            () -> "%s keeps what expired at %d of %d".formatted(family.options(), last, wall));
      }
    }
    compareAll();
    lsm.verify();
  }

  private void closeReaders() {
    walks.forEach(walk -> walk.iterator.close());
    walks.clear();
    moments.forEach(moment -> moment.snapshot.close());
    moments.clear();
  }

  private void closeAll() throws IOException {
    closeReaders();
    count("flush", lsm.statistics().flushes());
    count("compaction", lsm.statistics().compactions());
    count("drop", lsm.statistics().tablesDropped());
    LsmStatistics now = lsm.statistics();
    // A flush that found no room leaves the log that it rotated, too.
    waiting = now.immutableMemtables() + (now.backgroundFailures() > 0 ? 2 : 0);
    closing = true;
    lsm.close();
    closing = false;
    bed.settle();
    assertEquals(List.of(), bed.disk.open, "handles stay open");
  }

  private void reopen() throws IOException {
    closeAll();
    count("reopen", 1);
    open();
    bed.assertNoOrphans(lsm, "opened again");
    compareAll();
  }

  /// A copy of the closed store whose log is cut somewhere is refused, or holds everything.
  private void cut() throws IOException {
    Map<String, byte[]> files = bed.copy(Bed.STORE);
    List<String> logs = files.keySet().stream().filter(n -> n.endsWith(".log")).toList();
    // A memtable whose flush has failed, or was still to begin, keeps its log.
    int most = bed.options.flushesAtClose() ? 0 : 1 + waiting;
    int least = Math.min(most, 1);
    int kept = logs.size();
    assertTrue(kept >= least && kept <= most, () -> logs + " of a closed store");
    if (logs.isEmpty()) {
      return;
    }
    String log = logs.getLast();
    int length = files.get(log).length;
    files.put(log, Arrays.copyOf(files.get(log), random.nextInt(length + 1)));
    String directory = "data/cut-" + step;
    bed.restore(directory, files);
    try (Lsm other = bed.openReadOnly(directory)) {
      for (int at = 0; at < families.size(); at++) {
        ColumnFamily family = other.columnFamily("family-" + at, choices.get(at));
        compare(other, family, models.get(at).at(step, bed.clock.wallMillis()));
      }
    } catch (CorruptionException e) {
      count("cut log refused", 1);
    }
    for (String name : files.keySet()) {
      bed.disk.delete(directory + "/" + name);
    }
  }

  /// A checkpoint, or a look at the closed store, shows the same.
  private void elsewhere() throws IOException {
    String directory = Bed.STORE;
    if (random.nextInt(2) == 0) {
      directory = "data/checkpoint-" + checkpoints++;
      if (!bed.options.hasLog()) {
        bed.settle(); // The flush that a checkpoint needs waits for jobs that are under way.
      }
      lsm.checkpoint(directory);
      count("checkpoint", 1);
    } else {
      closeAll();
      cut();
    }
    Map<String, byte[]> before = bed.copy(directory);
    try (Lsm other = bed.openReadOnly(directory)) {
      for (int at = 0; at < families.size(); at++) {
        ColumnFamily family = other.columnFamily("family-" + at, choices.get(at));
        compare(other, family, models.get(at).at(step, bed.clock.wallMillis()));
      }
      bed.settle();
    }
    assertEquals(before.keySet(), bed.copy(directory).keySet(), "a read-only store wrote");
    if (directory.equals(Bed.STORE)) {
      open();
      return;
    }
    try (Lsm other = bed.open(directory)) {
      for (int at = 0; at < families.size(); at++) {
        ColumnFamily family = other.columnFamily("family-" + at, choices.get(at));
        compare(other, family, models.get(at).at(step, bed.clock.wallMillis()));
      }
    }
    bed.settle();
    long here = bed.disk.open.stream().filter(path -> path.contains("checkpoint")).count();
    assertEquals(0, here, "handles stay open");
    compareAll();
  }
}
