package dev.tern.bench.engine;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.CompressionType;
import org.rocksdb.FlushOptions;
import org.rocksdb.HyperClockCache;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/// RocksDB through its Java binding, set up as its tuning guide advises: HyperClockCache with
/// indexes and filters in it (those of level 0 pinned), full filters of 10 bits, LZ4 on all levels,
/// leveled compaction with dynamic level sizes, memory as Tern has it.
///
/// Its Statistics stay off: Java cannot open them without timers, which cost 5 to 10 % of a get.
/// Bytes flushed and compacted come from `rocksdb.cfstats`, exact to a KiB. Log bytes are counted
/// here by the documented format; a test holds both against the tickers.
final class RocksEngine implements Engine {
  private static final double GIB = 1L << 30;

  /// Of a log record: CRC, length, type; then sequence and count of the batch.
  private static final int BATCH_OVERHEAD_BYTES = 7 + 12;

  private final Options options;
  private final HyperClockCache cache;
  private final BloomFilter filter;
  private final RocksDB db;
  private final ReadOptions reading = new ReadOptions();
  private final LongAdder logBytes = new LongAdder();

  private RocksEngine(Options options, HyperClockCache cache, BloomFilter filter, String path)
      throws RocksDBException {
    this.options = options;
    this.cache = cache;
    this.filter = filter;
    this.db = RocksDB.open(options, path);
  }

  static RocksEngine open(EngineOptions wanted) throws RocksDBException {
    Options options = new Options();
    return open(wanted, options);
  }

  /// With options that hold something already.
  static RocksEngine open(EngineOptions wanted, Options options) throws RocksDBException {
    RocksDB.loadLibrary();
    HyperClockCache cache = new HyperClockCache(wanted.cacheBytes(), 0, -1, false);
    BloomFilter filter = new BloomFilter(10, false);
    BlockBasedTableConfig tables =
        new BlockBasedTableConfig()
            .setBlockCache(cache)
            .setBlockSize(wanted.blockBytes())
            .setFilterPolicy(filter)
            .setWholeKeyFiltering(true)
            .setCacheIndexAndFilterBlocks(true)
            .setPinL0FilterAndIndexBlocksInCache(true);
    options
        .setCreateIfMissing(true)
        .setWriteBufferSize(wanted.memtableBytes())
        .setMaxWriteBufferNumber(EngineOptions.MEMTABLES)
        .setMaxBackgroundJobs(wanted.threads())
        .setLevelCompactionDynamicLevelBytes(true)
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setBytesPerSync(1 << 20)
        .setTableFormatConfig(tables);
    return new RocksEngine(options, cache, filter, wanted.directory().toString());
  }

  @Override
  public Session session() {
    return new RocksSession(this);
  }

  @Override
  public void flush() throws RocksDBException {
    try (FlushOptions wait = new FlushOptions().setWaitForFlush(true)) {
      db.flush(wait);
    }
  }

  /// Takes files of an SstFileWriter in.
  void ingest(List<String> paths, IngestExternalFileOptions how) throws RocksDBException {
    db.ingestExternalFile(paths, how);
  }

  @Override
  public void awaitIdle() throws RocksDBException, InterruptedException {
    int idle = 0;
    while (idle < 3) {
      boolean busy =
          db.getLongProperty("rocksdb.mem-table-flush-pending") != 0
              || db.getLongProperty("rocksdb.num-running-flushes") != 0
              || db.getLongProperty("rocksdb.compaction-pending") != 0
              || db.getLongProperty("rocksdb.num-running-compactions") != 0;
      idle = busy ? 0 : idle + 1;
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  @Override
  public Written written() throws RocksDBException {
    // Flushes are booked as writes to level 0.
    var levels = db.getMapProperty("rocksdb.cfstats");
    double all = Double.parseDouble(levels.getOrDefault("compaction.Sum.WriteGB", "0"));
    double flushed = Double.parseDouble(levels.getOrDefault("compaction.L0.WriteGB", "0"));
    return new Written(logBytes.sum(), (long) (flushed * GIB), (long) ((all - flushed) * GIB));
  }

  @Override
  public long tableBytes() throws RocksDBException {
    return db.getLongProperty("rocksdb.live-sst-files-size");
  }

  @Override
  public void close() {
    reading.close();
    db.close();
    options.close();
    cache.close();
    filter.close();
  }

  private static int varintBytes(int value) {
    return (38 - Integer.numberOfLeadingZeros(value | 1)) / 7;
  }

  private static int putBytes(byte[] key, byte[] value) {
    return 1 + varintBytes(key.length) + key.length + varintBytes(value.length) + value.length;
  }

  private static final class RocksSession implements Session {
    private final RocksEngine engine;
    private final RocksDB db;
    private final WriteOptions buffered = new WriteOptions();
    private final WriteOptions synced = new WriteOptions().setSync(true);

    RocksSession(RocksEngine engine) {
      this.engine = engine;
      this.db = engine.db;
    }

    @Override
    public void put(byte[] key, byte[] value, boolean sync) throws RocksDBException {
      db.put(sync ? synced : buffered, key, value);
      engine.logBytes.add(BATCH_OVERHEAD_BYTES + putBytes(key, value));
    }

    @Override
    public void delete(byte[] key) throws RocksDBException {
      db.delete(buffered, key);
      engine.logBytes.add(BATCH_OVERHEAD_BYTES + 1 + varintBytes(key.length) + key.length);
    }

    @Override
    public void putAll(byte[][] keys, byte[][] values) throws RocksDBException {
      long bytes = BATCH_OVERHEAD_BYTES;
      try (WriteBatch batch = new WriteBatch()) {
        for (int i = 0; i < keys.length; i++) {
          batch.put(keys[i], values[i]);
          bytes += putBytes(keys[i], values[i]);
        }
        db.write(buffered, batch);
      }
      engine.logBytes.add(bytes);
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws RocksDBException {
      return db.get(engine.reading, key);
    }

    @Override
    public List<byte[]> multiGet(byte[][] keys) throws RocksDBException {
      return db.multiGetAsList(engine.reading, Arrays.asList(keys));
    }

    @Override
    public Cursor cursor() {
      return new RocksCursor(db.newIterator(engine.reading));
    }

    @Override
    public void close() {
      buffered.close();
      synced.close();
    }
  }

  private record RocksCursor(RocksIterator at) implements Cursor {
    @Override
    public void seek(byte[] key) {
      at.seek(key);
    }

    @Override
    public void seekForPrev(byte[] key) {
      at.seekForPrev(key);
    }

    @Override
    public boolean valid() throws RocksDBException {
      boolean valid = at.isValid();
      if (!valid) {
        at.status();
      }
      return valid;
    }

    @Override
    public void next() {
      at.next();
    }

    @Override
    public void prev() {
      at.prev();
    }

    @Override
    public byte[] key() {
      return at.key();
    }

    @Override
    public byte[] value() {
      return at.value();
    }

    @Override
    public void refresh() throws RocksDBException {
      at.refresh();
    }

    @Override
    public void close() {
      at.close();
    }
  }
}
