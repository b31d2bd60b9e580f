package dev.tern.bench.engine;

import dev.tern.env.Clock;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.FamilyOptions;
import dev.tern.lsm.KeyRange;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.Staging;
import dev.tern.lsm.TableFileWriter;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.runtime.SystemClock;
import dev.tern.runtime.Workers;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.rocksdb.CompressionType;
import org.rocksdb.EnvOptions;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileWriter;

/// Tables that are written outside a store and brought in: Tern's `stage` and `ingest` beside
/// RocksDB's `SstFileWriter` and `IngestExternalFile`, in turns. Both write LZ4 tables with filters
/// and take the files over by another name. Tern reads each byte once when a file comes, for its
/// checksum; RocksDB reads the ends, as is its default.
public final class IngestBench {
  private static final int TURNS = 5;
  private static final int FILES = 4;
  private static final int VALUE_BYTES = 100;

  private final int mebibytes;
  private final Path directory;
  private final Records records;
  private final List<double[]> tern = new ArrayList<>();
  private final List<double[]> rocks = new ArrayList<>();

  private IngestBench(int mebibytes, Path directory) {
    this.mebibytes = mebibytes;
    this.directory = directory;
    int count = (int) (((long) mebibytes << 20) / (Records.KEY_BYTES + VALUE_BYTES));
    this.records = new Records(count, VALUE_BYTES, 5);
  }

  /// Runs it, printing as it goes.
  ///
  /// @param mebibytes of keys and values, in four tables
  /// @param directory for the stores; what is made there is deleted
  /// @throws IllegalStateException if a record was not found
  public static void run(int mebibytes, Path directory, PrintStream out) throws Exception {
    IngestBench bench = new IngestBench(mebibytes, directory);
    for (int turn = 0; turn <= TURNS; turn++) {
      double[] ours;
      double[] theirs;
      if (turn % 2 == 0) {
        ours = bench.tern(turn);
        theirs = bench.rocks(turn);
      } else {
        theirs = bench.rocks(turn);
        ours = bench.tern(turn);
      }
      if (turn > 0) {
        bench.tern.add(ours);
        bench.rocks.add(theirs);
      }
    }
    out.println("MiB/s of keys and values        write      ingest");
    bench.print("tern", bench.tern, out);
    bench.print("rocksdb", bench.rocks, out);
  }

  private void print(String name, List<double[]> turns, PrintStream out) {
    double[] medians = new double[2];
    for (int i = 0; i < 2; i++) {
      int which = i;
      double[] sorted = turns.stream().mapToDouble(turn -> turn[which]).sorted().toArray();
      medians[i] = mebibytes / sorted[sorted.length / 2];
    }
    out.printf(Locale.ROOT, "%-24s  %10.1f  %10.1f%n", name, medians[0], medians[1]);
  }

  private int first(int file) {
    return (int) ((long) records.count() * file / FILES);
  }

  /// Seconds of writing, seconds of ingest.
  private double[] tern(int turn) throws Exception {
    Path here = Files.createDirectory(directory.resolve("tern-" + turn));
    DirectoryFileSystem files = new DirectoryFileSystem(here);
    Clock clock = new SystemClock();
    try (Workers workers = new Workers(2);
        Lsm lsm =
            Lsm.open(
                files,
                workers,
                clock,
                Randomness.of(turn),
                "store",
                LsmOptions.ofMemory(64 << 20))) {
      ColumnFamily data = lsm.columnFamily("data", CompactionStyle.LEVELED);
      long began = System.nanoTime();
      List<String> paths = new ArrayList<>();
      for (int file = 0; file < FILES; file++) {
        paths.add("file-" + file);
        write(files, clock, paths.getLast(), first(file), first(file + 1));
      }
      long written = System.nanoTime();
      byte[] last = new byte[] {(byte) 0xff};
      lsm.stage("all", data, paths, Staging.LINK);
      lsm.ingest("all", List.of(new KeyRange(data, new byte[0], last)));
      long ended = System.nanoTime();
      check(key -> lsm.get(data, key));
      return new double[] {(written - began) / 1e9, (ended - written) / 1e9};
    } finally {
      delete(here);
    }
  }

  private void write(DirectoryFileSystem files, Clock clock, String path, int from, int to)
      throws IOException {
    byte[] key = new byte[Records.KEY_BYTES];
    byte[] value = new byte[VALUE_BYTES];
    Randomness random = Randomness.of(from);
    try (TableFileWriter writer =
        TableFileWriter.create(files, clock, random, path, FamilyOptions.DEFAULT)) {
      for (int i = from; i < to; i++) {
        records.key(i, key);
        records.value(i, 1, value);
        writer.put(key, value);
      }
      writer.finish();
    }
  }

  private double[] rocks(int turn) throws Exception {
    RocksDB.loadLibrary();
    Path here = Files.createDirectory(directory.resolve("rocksdb-" + turn));
    Path store = Files.createDirectory(here.resolve("store"));
    EngineOptions wanted = new EngineOptions(store, 32 << 20, 16 << 20, 4096, 2);
    try (Options options = new Options();
        RocksEngine engine = RocksEngine.open(wanted, options)) {
      long began = System.nanoTime();
      List<String> paths = new ArrayList<>();
      for (int file = 0; file < FILES; file++) {
        paths.add(here.resolve("file-" + file).toString());
        write(options, paths.getLast(), first(file), first(file + 1));
      }
      long written = System.nanoTime();
      try (IngestExternalFileOptions move = new IngestExternalFileOptions()) {
        move.setMoveFiles(true);
        engine.ingest(paths, move);
      }
      long ended = System.nanoTime();
      try (Engine.Session session = engine.session()) {
        check(session::get);
      }
      return new double[] {(written - began) / 1e9, (ended - written) / 1e9};
    } finally {
      delete(here);
    }
  }

  private void write(Options options, String path, int from, int to) throws RocksDBException {
    byte[] key = new byte[Records.KEY_BYTES];
    byte[] value = new byte[VALUE_BYTES];
    options.setCompressionType(CompressionType.LZ4_COMPRESSION);
    try (EnvOptions env = new EnvOptions();
        SstFileWriter writer = new SstFileWriter(env, options)) {
      writer.open(path);
      for (int i = from; i < to; i++) {
        records.key(i, key);
        records.value(i, 1, value);
        writer.put(key, value);
      }
      writer.finish();
    }
  }

  private interface Get {
    byte @org.jspecify.annotations.Nullable [] of(byte[] key) throws Exception;
  }

  private void check(Get get) throws Exception {
    byte[] key = new byte[Records.KEY_BYTES];
    byte[] value = new byte[VALUE_BYTES];
    for (int i = 0; i < records.count(); i += 9_973) {
      records.key(i, key);
      records.value(i, 1, value);
      if (!Arrays.equals(value, get.of(key))) {
        throw new IllegalStateException("record " + i + " is not what was written");
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
