package dev.tern.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Compression;
import dev.tern.lsm.Durability;
import dev.tern.lsm.FamilyOptions;
import dev.tern.lsm.KeyRange;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.StagedTable;
import dev.tern.lsm.Staging;
import dev.tern.lsm.TableFileWriter;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Another process, that is killed: several threads write, each its own keys, synced, and say each
/// write that was acknowledged in one line before they begin the next. What a write does follows
/// from its thread and number, so the state after any number of writes is known.
///
/// The last thread writes tables beside the store, which takes them in: an odd number replaces what
/// the odd number before it brought, an even one goes to a range of its own. It has a turn with one
/// other thread, as an ingest waits for flushes and gives way to what is written meanwhile.
final class KilledWriter {
  static final int THREADS = 5;
  static final int INGESTING = THREADS - 1;
  private static final int KEYS = 50;
  private static final int INGESTED_KEYS = 20;

  /// Only acknowledgements go there; what libraries print goes elsewhere.
  private static final PrintStream OUT = System.out;

  private KilledWriter() {}

  /// A store and its two families.
  record Store(
      DirectoryFileSystem files,
      Lsm lsm,
      ColumnFamily leveled,
      ColumnFamily tiered,
      Workers workers)
      implements AutoCloseable {

    static Store open(Path directory) throws IOException {
      Workers workers = new Workers(3);
      LsmOptions options =
          LsmOptions.DEFAULT.withTuning(
              new LsmOptions.Tuning(32 << 10, 64 << 10, 1024, 32 << 10, LsmBug.NONE));
      DirectoryFileSystem files = new DirectoryFileSystem(directory);
      Lsm lsm = Lsm.open(files, workers, new SystemClock(), Randomness.of(1), "store", options);
      FamilyOptions tiered = new FamilyOptions(CompactionStyle.SIZE_TIERED, Compression.ZSTD, 0, 0);
      return new Store(
          files,
          lsm,
          lsm.columnFamily("leveled", FamilyOptions.DEFAULT),
          lsm.columnFamily("tiered", tiered),
          workers);
    }

    /// The number of the last write of a thread.
    int last(int thread) throws IOException {
      byte[] value = lsm.get(leveled, marker(thread));
      int marked = value == null ? 0 : Integer.parseInt(new String(value, US_ASCII));
      boolean isFollowed =
          thread == INGESTING
              && lsm.get(leveled, ingestedKey(marked + 1, 0).getBytes(US_ASCII)) != null;
      return isFollowed ? marked + 1 : marked;
    }

    private ColumnFamily[] families() {
      return new ColumnFamily[] {leveled, tiered};
    }

    @Override
    public void close() throws IOException {
      lsm.close();
      workers.close();
    }
  }

  static byte[] marker(int thread) {
    return ("thread-" + thread).getBytes(US_ASCII);
  }

  private static String key(int thread, int number) {
    return "key-%d-%02d".formatted(thread, number);
  }

  private static boolean isRangeDelete(int number) {
    return number % 37 == 0;
  }

  private static String value(int thread, int number) {
    return thread + ":" + number + ":" + "=".repeat(number * 31 % 500);
  }

  private static void write(Store store, int thread, int number) throws IOException {
    WriteBatch batch = new WriteBatch();
    for (ColumnFamily family : store.families()) {
      if (isRangeDelete(number)) {
        batch.deleteRange(
            family, key(thread, 10).getBytes(US_ASCII), key(thread, 30).getBytes(US_ASCII));
      }
      batch.put(
          family,
          key(thread, number % KEYS).getBytes(US_ASCII),
          value(thread, number).getBytes(US_ASCII));
      batch.put(family, marker(thread), Integer.toString(number).getBytes(US_ASCII));
    }
    store.lsm.write(batch, Durability.SYNC);
  }

  private static boolean isReplacing(int number) {
    return number % 2 == 1;
  }

  /// Those of an odd number come behind the marker of the thread, which its tables have too.
  private static String ingestedKey(int number, int i) {
    return isReplacing(number)
        ? "thread-%d+%02d".formatted(INGESTING, i)
        : "own-%06d-%02d".formatted(number, i);
  }

  @SuppressWarnings("NonApiType") // Its order is the store's.
  private static TreeMap<String, String> ingested(int number) {
    TreeMap<String, String> rows = new TreeMap<>();
    for (int i = 0; i < INGESTED_KEYS; i++) {
      rows.put(ingestedKey(number, i), value(i, number));
    }
    if (isReplacing(number)) {
      rows.put("thread-" + INGESTING, Integer.toString(number));
    }
    return rows;
  }

  /// Both families get the rows by one edit of the manifest. A life that was killed may have left
  /// files, and staged them or not.
  private static void ingest(Store store, int number) throws IOException {
    String label = "ingest-" + number;
    TreeMap<String, String> rows = ingested(number);
    List<KeyRange> ranges = new ArrayList<>();
    for (ColumnFamily family : store.families()) {
      String path = "incoming-" + family.name();
      if (store.files.exists(path)) {
        store.files.delete(path);
      }
      try (TableFileWriter writer =
          TableFileWriter.create(
              store.files, new SystemClock(), Randomness.of(number), path, family.options())) {
        for (Map.Entry<String, String> row : rows.entrySet()) {
          writer.put(row.getKey().getBytes(US_ASCII), row.getValue().getBytes(US_ASCII));
        }
        writer.finish();
      }
      store.lsm.stage(label, family, List.of(path), number % 4 < 2 ? Staging.LINK : Staging.COPY);
      byte[] from = rows.firstKey().getBytes(US_ASCII);
      byte[] to = (rows.lastKey() + "~").getBytes(US_ASCII);
      ranges.add(new KeyRange(family, from, to));
    }
    if (isReplacing(number)) {
      store.lsm.replace(label, ranges);
    } else {
      store.lsm.ingest(label, ranges);
    }
  }

  /// What a thread's keys are after so many writes.
  @SuppressWarnings("NonApiType") // Its order is the store's.
  static TreeMap<String, String> expected(int thread, int count) {
    TreeMap<String, String> state = new TreeMap<>();
    for (int number = 1; number <= count; number++) {
      if (thread == INGESTING) {
        state.putAll(ingested(number));
        continue;
      }
      if (isRangeDelete(number)) {
        state.subMap(key(thread, 10), key(thread, 30)).clear();
      }
      state.put(key(thread, number % KEYS), value(thread, number));
      state.put("thread-" + thread, Integer.toString(number));
    }
    return state;
  }

  public static void main(String[] arguments) throws Exception {
    System.setOut(System.err);
    Store store = Store.open(Path.of(arguments[0]));
    for (StagedTable left : store.lsm.staged()) {
      store.lsm.abandonStaged(left.label());
    }
    boolean ingests = Boolean.parseBoolean(arguments[1]);
    for (int thread : ingests ? new int[] {0, INGESTING} : new int[] {0, 1, 2, 3}) {
      new Thread(
              () -> {
                try {
                  for (int number = store.last(thread) + 1; ; number++) {
                    if (thread == INGESTING) {
                      ingest(store, number);
                    } else {
                      write(store, thread, number);
                    }
                    say(thread + " " + number + "\n");
                  }
                } catch (IOException e) {
                  say("failed " + e + "\n");
                }
              })
          .start();
    }
  }

  private static void say(String line) {
    byte[] bytes = line.getBytes(US_ASCII);
    synchronized (OUT) {
      OUT.write(bytes, 0, bytes.length);
      OUT.flush();
    }
  }
}
