package dev.tern.bench.engine;

import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.LsmStatistics;
import dev.tern.lsm.WriteBatch;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.runtime.SystemClock;
import dev.tern.runtime.Workers;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Tern's own storage engine: leveled compaction and LZ4, which are its defaults.
final class LsmEngine implements Engine {
  private static final long TABLE_BYTES = 64 << 20;
  private static final long SEED = 1;

  private final Workers workers;
  private final Lsm lsm;
  private final ColumnFamily data;

  private LsmEngine(Workers workers, Lsm lsm) throws IOException {
    this.workers = workers;
    this.lsm = lsm;
    this.data = lsm.columnFamily("data", CompactionStyle.LEVELED);
  }

  static LsmEngine open(EngineOptions wanted) throws IOException {
    LsmOptions options =
        LsmOptions.DEFAULT
            .withThreads(wanted.threads())
            .withDurability(Durability.OS)
            .withTuning(
                new LsmOptions.Tuning(
                    wanted.memtableBytes(),
                    wanted.cacheBytes(),
                    wanted.blockBytes(),
                    TABLE_BYTES,
                    LsmBug.NONE));
    Workers workers = new Workers(wanted.threads());
    try {
      Lsm lsm =
          Lsm.open(
              new DirectoryFileSystem(wanted.directory()),
              workers,
              new SystemClock(),
              Randomness.of(SEED),
              "lsm",
              options);
      return new LsmEngine(workers, lsm);
    } catch (IOException | RuntimeException e) {
      workers.close();
      throw e;
    }
  }

  @Override
  public Session session() {
    return new LsmSession();
  }

  @Override
  public void flush() throws IOException {
    lsm.flush();
  }

  @Override
  public void awaitIdle() throws InterruptedException {
    while (lsm.busy()) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  @Override
  public Written written() {
    LsmStatistics statistics = lsm.statistics();
    return new Written(
        statistics.logBytes(), statistics.flushBytes(), statistics.compactionBytesWritten());
  }

  @Override
  public long tableBytes() {
    return lsm.statistics().tableBytes();
  }

  @Override
  public void close() throws IOException {
    try {
      lsm.close();
    } finally {
      workers.close();
    }
  }

  private final class LsmSession implements Session {
    private final WriteBatch batch = new WriteBatch();

    @Override
    public void put(byte[] key, byte[] value, boolean sync) throws IOException {
      batch.clear();
      batch.put(data, key, value);
      lsm.write(batch, sync ? Durability.SYNC : Durability.OS);
    }

    @Override
    public void delete(byte[] key) throws IOException {
      batch.clear();
      batch.delete(data, key);
      lsm.write(batch, Durability.OS);
    }

    @Override
    public void putAll(byte[][] keys, byte[][] values) throws IOException {
      batch.clear();
      for (int i = 0; i < keys.length; i++) {
        batch.put(data, keys[i], values[i]);
      }
      lsm.write(batch, Durability.OS);
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
      return lsm.get(data, key);
    }

    @Override
    public List<byte[]> multiGet(byte[][] keys) throws IOException {
      return Arrays.asList(lsm.multiGet(data, keys));
    }

    @Override
    public Cursor cursor() throws IOException {
      return new LsmCursor(lsm.iterator(data, IteratorOptions.all()));
    }

    @Override
    public void close() {
      batch.clear();
    }
  }

  private record LsmCursor(LsmIterator at) implements Cursor {
    @Override
    public void seek(byte[] key) throws IOException {
      at.seek(key);
    }

    @Override
    public void seekForPrev(byte[] key) throws IOException {
      at.seekForPrev(key);
    }

    @Override
    public boolean valid() {
      return at.valid();
    }

    @Override
    public void next() throws IOException {
      at.next();
    }

    @Override
    public void prev() throws IOException {
      at.prev();
    }

    @Override
    public byte[] key() {
      return at.key();
    }

    @Override
    public byte[] value() throws IOException {
      return at.value();
    }

    @Override
    public void refresh() throws IOException {
      at.refresh();
    }

    @Override
    public void close() throws IOException {
      at.close();
    }
  }
}
