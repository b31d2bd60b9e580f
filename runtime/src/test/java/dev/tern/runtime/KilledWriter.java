package dev.tern.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Compression;
import dev.tern.lsm.Durability;
import dev.tern.lsm.FamilyOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.TreeMap;

/// Another process, that is killed: several threads write, each its own keys, synced, and say each
/// write that was acknowledged in one line before they begin the next. What a write does follows
/// from its thread and number, so the state after any number of writes is known.
final class KilledWriter {
  static final int THREADS = 4;
  private static final int KEYS = 50;

  /// Only acknowledgements go there; what libraries print goes elsewhere.
  private static final PrintStream OUT = System.out;

  private KilledWriter() {}

  /// A store and its two families.
  record Store(Lsm lsm, ColumnFamily leveled, ColumnFamily tiered, Workers workers)
      implements AutoCloseable {

    static Store open(Path directory) throws IOException {
      Workers workers = new Workers(3);
      LsmOptions options =
          LsmOptions.DEFAULT.withTuning(
              new LsmOptions.Tuning(32 << 10, 64 << 10, 1024, 32 << 10, LsmBug.NONE));
      Lsm lsm =
          Lsm.open(
              new DirectoryFileSystem(directory),
              workers,
              new SystemClock(),
              Randomness.of(1),
              "store",
              options);
      FamilyOptions tiered = new FamilyOptions(CompactionStyle.SIZE_TIERED, Compression.ZSTD, 0, 0);
      return new Store(
          lsm,
          lsm.columnFamily("leveled", FamilyOptions.DEFAULT),
          lsm.columnFamily("tiered", tiered),
          workers);
    }

    /// The number of the last write of a thread.
    int last(int thread) throws IOException {
      byte[] value = lsm.get(leveled, marker(thread));
      return value == null ? 0 : Integer.parseInt(new String(value, US_ASCII));
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
    for (ColumnFamily family : new ColumnFamily[] {store.leveled, store.tiered}) {
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

  /// What a thread's keys are after so many writes.
  @SuppressWarnings("NonApiType") // Its order is the store's.
  static TreeMap<String, String> expected(int thread, int count) {
    TreeMap<String, String> state = new TreeMap<>();
    for (int number = 1; number <= count; number++) {
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
    for (int i = 0; i < THREADS; i++) {
      int thread = i;
      new Thread(
              () -> {
                try {
                  for (int number = store.last(thread) + 1; ; number++) {
                    write(store, thread, number);
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
