package dev.tern.core.replica;

import dev.tern.core.store.RecordKey;
import dev.tern.core.store.RecordScan;
import dev.tern.core.version.Siblings;
import dev.tern.core.wire.ScanCursor;
import dev.tern.core.wire.ScanPage;
import dev.tern.core.wire.ScannedKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One step of a scan over this store; runs on a worker.
///
/// Keys are taken in the order in which their records lie ([RecordScan]). Keys of one hash are
/// never parted: a page that has one of them has all, however many it was to have.
final class Scan implements RecordScan.Visitor {
  /// Bytes of keys on a page, about: pages of several replicas and the answer of a door stay small.
  static final int MAX_BYTES = 4 << 20;

  private final RecordDecoder decoder;
  private final RecordScan records;
  private final long nowMillis;
  private final List<ScannedKey> keys = new ArrayList<>();

  /// Keys from which on the page is full.
  private int limit;

  /// Of [#keys].
  private long bytes;

  /// On the store's loop; the keyspace was in an adopted view.
  ///
  /// @param but partitions where it ends, null for none
  Scan(Store store, int keyspace, long sequence, long nowMillis, @Nullable BitSet but) {
    this.decoder = store.decoder();
    this.records = new RecordScan(store.records(), keyspace, sequence, but);
    this.nowMillis = nowMillis;
  }

  ScanPage run(long cursor, int limit) throws IOException {
    this.limit = limit;
    int next = records.run(ScanCursor.slot(cursor), ScanCursor.hash(cursor), this);
    return new ScanPage(keys, next == RecordScan.ENDED ? behindLast() : ScanCursor.of(next, 0));
  }

  @Override
  public boolean endsBefore(int slot, long hash) {
    boolean full = keys.size() >= limit || bytes >= MAX_BYTES;
    return full && !keys.isEmpty() && !keys.getLast().isAt(slot, hash);
  }

  @Override
  public void record(byte[] recordKey, byte[] stored) throws IOException {
    Siblings record = decoder.decode(recordKey, stored);
    byte[] key = RecordKey.userKey(recordKey);
    long hash = Integer.toUnsignedLong(RecordKey.hash(recordKey));
    bytes += key.length;
    keys.add(
        new ScannedKey(
            RecordKey.slot(recordKey),
            hash,
            key,
            record.newest().rank(),
            record.liveAt(nowMillis)));
  }

  private long behindLast() {
    ScannedKey last = keys.getLast();
    return ScanCursor.after(last.slot(), last.hash());
  }
}
