package dev.tern.core.replica;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.store.RecordKey;
import dev.tern.core.store.RecordStore;
import dev.tern.core.topology.Slots;
import dev.tern.core.version.Siblings;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads the records of one keyspace in a store, for people who look into a directory. Writes
/// nothing and needs no [Store], which would. A record or row that cannot be decoded is told of and
/// passed over. Other keyspaces are passed by with one seek a slot. Blocks; one thread.
public final class RecordListing {
  private final Lsm lsm;
  private final int set;
  private final int keyspace;
  private final KeyHash hash;
  private final Reader reader;

  /// Is told what is found, in order of storage.
  public interface Reader {
    /// A record that could be decoded.
    ///
    /// @param bytes of the stored record
    void record(int slot, byte[] key, int bytes, Siblings record);

    /// Something that could not be read, in words.
    void problem(String what);
  }

  /// Of a store that is open, for reading at least.
  ///
  /// @param set number of the keyspace's replica groups
  /// @param hash of the keyspace
  public RecordListing(Lsm lsm, int set, int keyspace, KeyHash hash, Reader reader) {
    this.lsm = lsm;
    this.set = set;
    this.keyspace = keyspace;
    this.hash = hash;
    this.reader = reader;
  }

  /// When the store's last group of writes was committed, hybrid time; 0 if there was none or the
  /// journal cannot be read.
  public long lastCommit() {
    long last = 0;
    try {
      ColumnFamily meta = family(RecordStore.META);
      byte[] round = meta == null ? null : lsm.get(meta, Rows.ROUND, Long.MAX_VALUE);
      if (meta != null && round != null) {
        JournalRows.Head head = JournalRows.round(round);
        last = head.time();
        try (LsmIterator entries = lsm.iterator(meta, IteratorOptions.all())) {
          entries.seek(Rows.journal(0));
          while (entries.valid() && Rows.isJournal(entries.key())) {
            JournalRows.Head entry = JournalRows.entry(new ByteReader(entries.value()));
            if (entry.round() != head.round()) {
              break;
            }
            last = entry.time();
            entries.next();
          }
        }
      }
    } catch (IOException | DecodeException e) {
      reader.problem("the journal: " + e.getMessage());
    }
    return last;
  }

  /// Tells of the record of a key, with one seek; of none if there is none.
  public void record(byte[] key) {
    byte[] recordKey = RecordKey.of(set, Slots.of(key), keyspace, hash.of(key), key);
    for (ColumnFamily family : families()) {
      try {
        byte[] bytes = lsm.get(family, recordKey, Long.MAX_VALUE);
        if (bytes != null) {
          found(recordKey, bytes);
        }
      } catch (IOException e) {
        reader.problem("family %s cannot be read: %s".formatted(family.name(), e.getMessage()));
      }
    }
  }

  /// Tells of all records of the keyspace.
  public void records() {
    for (ColumnFamily family : families()) {
      records(family);
    }
  }

  private List<ColumnFamily> families() {
    return lsm.columnFamilies().stream()
        .filter(family -> RecordStore.DATA_FAMILIES.contains(family.name()))
        .toList();
  }

  private @Nullable ColumnFamily family(String name) {
    return lsm.columnFamilies().stream()
        .filter(family -> family.name().equals(name))
        .findFirst()
        .orElse(null);
  }

  private void records(ColumnFamily family) {
    IteratorOptions ofSet =
        IteratorOptions.all()
            .range(RecordKey.first(set, 0), RecordKey.first(set, Slots.COUNT))
            .withoutFillingCache();
    try (LsmIterator all = lsm.iterator(family, ofSet)) {
      all.seek(RecordKey.first(set, 0, keyspace));
      while (all.valid()) {
        byte[] recordKey = all.key();
        if (!RecordKey.isOne(recordKey)) {
          reader.problem("a key of %d bytes that is no record key".formatted(recordKey.length));
          all.next();
          continue;
        }
        int slot = RecordKey.slot(recordKey);
        int order = Integer.compareUnsigned(RecordKey.keyspace(recordKey), keyspace);
        if (order == 0) {
          found(recordKey, all.value());
          all.next();
        } else {
          all.seek(RecordKey.first(set, order < 0 ? slot : slot + 1, keyspace));
        }
      }
    } catch (IOException e) {
      reader.problem(
          "family %s, the rest cannot be read: %s".formatted(family.name(), e.getMessage()));
    }
  }

  private void found(byte[] recordKey, byte[] bytes) {
    byte[] key = RecordKey.userKey(recordKey);
    int slot = RecordKey.slot(recordKey);
    try {
      ByteReader in = new ByteReader(bytes);
      Siblings record = Siblings.decode(in);
      in.expectEnd();
      reader.record(slot, key, bytes.length, record);
    } catch (DecodeException e) {
      reader.problem(
          "the record in slot %d of the key 0x%s cannot be decoded: %s"
              .formatted(slot, HexFormat.of().formatHex(key), e.getMessage()));
    }
  }
}
