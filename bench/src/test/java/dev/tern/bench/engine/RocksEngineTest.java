package dev.tern.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.bench.engine.Engine.Session;
import dev.tern.bench.engine.Engine.Written;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.Options;
import org.rocksdb.Statistics;
import org.rocksdb.TickerType;

class RocksEngineTest {
  private static final int PUTS = 30_000;

  /// Of a log record, left out by the ticker.
  private static final int HEADER_BYTES = 7;

  @TempDir private Path directory;

  @Test
  void bytesWrittenAreThoseOfItsTickers() throws Exception {
    EngineOptions wanted = new EngineOptions(directory, 1 << 20, 1 << 20, 4096, 2);
    Records records = new Records(PUTS, 100, 1);
    byte[] key = new byte[Records.KEY_BYTES];
    byte[] value = new byte[100];
    try (Statistics statistics = new Statistics();
        Options options = new Options().setStatistics(statistics)) {
      try (RocksEngine engine = RocksEngine.open(wanted, options)) {
        try (Session session = engine.session()) {
          for (int i = 0; i < PUTS; i++) {
            records.key(i * 7919L % PUTS, key);
            records.value(i, 1, value);
            session.put(key, value, false);
          }
        }
        engine.flush();
        engine.awaitIdle();
        Written written = engine.written();
        long log = statistics.getTickerCount(TickerType.WAL_FILE_BYTES);
        assertEquals(log + PUTS * HEADER_BYTES, written.logBytes());
        near(statistics.getTickerCount(TickerType.FLUSH_WRITE_BYTES), written.flushBytes());
        near(statistics.getTickerCount(TickerType.COMPACT_WRITE_BYTES), written.compactionBytes());
        assertTrue(written.flushBytes() > PUTS * 50, written.toString());
      }
    }
  }

  private static void near(long expected, long found) {
    long tolerance = Math.max(8192, expected / 100);
    assertTrue(Math.abs(expected - found) <= tolerance, expected + " but " + found);
  }
}
