package dev.tern.core.replica;

import dev.tern.core.store.RecordKey;
import dev.tern.core.version.Siblings;
import dev.tern.env.DecodeException;
import dev.tern.env.Events;
import dev.tern.env.NodeEvent;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Decodes what the store holds, counts what cannot be, and tells of it and of files that cannot be
/// read. Nothing that clients or nodes send makes such bytes; a disk, a backup or a mistake of an
/// earlier version can. They never end the node.
///
/// Threads: any.
public final class RecordDecoder {
  /// Bytes of a key that a message shows.
  private static final int SHOWN_BYTES = 64;

  private final AtomicLong unreadable = new AtomicLong();
  private volatile @Nullable String last;
  private volatile @Nullable String lastRotten;

  private final int shard;
  private final Events events;

  /// @param events told of each record that cannot be decoded, but not twice in a row of the same
  RecordDecoder(int shard, Events events) {
    this.shard = shard;
    this.events = events;
  }

  /// How often a record could not be decoded.
  public long unreadable() {
    return unreadable.get();
  }

  /// What was said of the last one, null if there was none.
  public @Nullable String last() {
    return last;
  }

  /// Tells of a file that holds what cannot have been written, but not twice in a row of the same
  /// place. Whoever meets it goes on as if the records there were missing.
  void rotten(CorruptionException met) {
    String message = String.valueOf(met.getMessage());
    if (!message.equals(lastRotten)) {
      events.happened(
          new NodeEvent.Corruption(shard, message + "; repair takes it from another node"));
    }
    lastRotten = message;
  }

  /// The record of a key in the store, null for none. Blocks.
  ///
  /// @param sequence what was written later is not seen
  /// @throws UnreadableRecordException if its bytes are none
  /// @throws CorruptionException if its block cannot be read
  @Nullable Siblings readOrNull(Lsm lsm, ColumnFamily family, byte[] storageKey, long sequence)
      throws IOException {
    try {
      return decodeOrNull(storageKey, lsm.get(family, storageKey, sequence));
    } catch (CorruptionException e) {
      rotten(e);
      throw e;
    }
  }

  /// The record that a key's bytes are, null for none. A record that is stored has a version.
  ///
  /// @throws UnreadableRecordException if they are none
  @Nullable Siblings decodeOrNull(byte[] storageKey, byte @Nullable [] bytes)
      throws UnreadableRecordException {
    return bytes == null ? null : decode(storageKey, bytes);
  }

  /// The record that a key's bytes are.
  ///
  /// @throws UnreadableRecordException if they are none
  Siblings decode(byte[] storageKey, byte[] bytes) throws UnreadableRecordException {
    if (!RecordKey.isOne(storageKey)) {
      throw met(storageKey, "its key has no end");
    }
    try {
      Siblings record = Siblings.decode(bytes);
      if (record != null && !record.isEmpty()) {
        return record;
      }
      throw met(storageKey, "it has no version");
    } catch (DecodeException e) {
      throw met(storageKey, String.valueOf(e.getMessage()));
    }
  }

  private UnreadableRecordException met(byte[] storageKey, String why) {
    boolean whole = RecordKey.isOne(storageKey);
    String key = shown(whole ? RecordKey.userKey(storageKey) : storageKey);
    String message =
        "the stored record of key \"%s\" (keyspace %d, slot %d) cannot be decoded: %s"
            .formatted(
                key,
                whole ? RecordKey.keyspace(storageKey) : -1,
                whole ? RecordKey.slot(storageKey) : -1,
                why);
    unreadable.incrementAndGet();
    if (!message.equals(last)) {
      events.happened(
          new NodeEvent.Corruption(shard, message + "; repair takes it from another node"));
    }
    last = message;
    return new UnreadableRecordException(message);
  }

  private static String shown(byte[] key) {
    int length = Math.min(key.length, SHOWN_BYTES);
    String text = new String(key, 0, length, StandardCharsets.ISO_8859_1);
    String plain = text.replaceAll("[^ -~]", "?");
    return length < key.length ? plain + "..." : plain;
  }
}
