package dev.tern.core.replica;

import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.Version;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/// Puts the records of a store in words, for people who look into a directory. Writes nothing and
/// needs no [Store], which would. A record or row that cannot be decoded is told of and passed
/// over. Blocks; one thread.
public final class RecordListing {
  /// Bytes of a key or value that are shown.
  private static final int SHOWN_BYTES = 64;

  private static final String PROBLEM = "PROBLEM: ";

  private final Lsm lsm;
  private final LongFunction<String> date;
  private final Consumer<String> out;
  private long problems;
  private long shown;

  /// Of a store that is open, for reading at least.
  ///
  /// @param date puts milliseconds of wall-clock time in words
  /// @param out takes the lines
  public RecordListing(Lsm lsm, LongFunction<String> date, Consumer<String> out) {
    this.lsm = lsm;
    this.date = date;
    this.out = out;
  }

  /// What could not be read, so far.
  public long problems() {
    return problems;
  }

  /// Records that were shown, so far.
  public long shown() {
    return shown;
  }

  /// When the store's last group of writes was committed.
  public void lastCommit() {
    try {
      long last = 0;
      ColumnFamily meta = family("meta");
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
      out.accept("last commit: " + (last == 0 ? "none" : time(last)));
    } catch (IOException | DecodeException e) {
      problem("the journal: " + e.getMessage());
    }
  }

  /// All records of a keyspace, or the one of a key.
  ///
  /// @param key null for all
  public void records(int keyspace, byte @Nullable [] key) {
    for (String name : Store.DATA_FAMILIES) {
      ColumnFamily family = family(name);
      if (family != null) {
        records(family, keyspace, key);
      }
    }
  }

  private @Nullable ColumnFamily family(String name) {
    return lsm.columnFamilies().stream()
        .filter(family -> family.name().equals(name))
        .findFirst()
        .orElse(null);
  }

  private void records(ColumnFamily family, int keyspace, byte @Nullable [] key) {
    try (LsmIterator all = lsm.iterator(family, IteratorOptions.all().withoutFillingCache())) {
      for (all.seekToFirst(); all.valid(); all.next()) {
        byte[] recordKey = all.key();
        if (!RecordKey.isOne(recordKey)) {
          problem("a key of %d bytes that is no record key".formatted(recordKey.length));
        } else if (RecordKey.keyspace(recordKey) == keyspace) {
          byte[] userKey = RecordKey.userKey(recordKey);
          if (key == null || Arrays.equals(key, userKey)) {
            record(RecordKey.slot(recordKey), userKey, all.value());
          }
        }
      }
    } catch (IOException e) {
      problem("family %s, the rest cannot be read: %s".formatted(family.name(), e.getMessage()));
    }
  }

  private void record(int slot, byte[] key, byte[] bytes) {
    shown++;
    String head = "key %s, slot %d, %d bytes".formatted(text(key), slot, bytes.length);
    try {
      ByteReader in = new ByteReader(bytes);
      Siblings record = Siblings.decode(in);
      in.expectEnd();
      out.accept(head + ", versions: " + record.count());
      for (int i = 0; i < record.count(); i++) {
        out.accept("  " + version(record.get(i)));
      }
      if (!record.context().isEmpty()) {
        out.accept("  context " + record.context());
      }
    } catch (DecodeException e) {
      out.accept(head);
      problem("the record of " + text(key) + " cannot be decoded: " + e.getMessage());
    }
  }

  private String version(Version version) {
    Stamp stamp = version.stamp();
    StringBuilder text = new StringBuilder();
    byte[] value = version.value();
    text.append(value == null ? "delete" : version.type().toString());
    text.append(", dot %08x:%d".formatted(version.replica(), version.counter()));
    text.append(", stamp ").append(time(stamp.time()));
    text.append(" origin %08x".formatted(stamp.origin()));
    if (stamp.count() > 0) {
      text.append(" term %d count %d".formatted(stamp.term(), stamp.count()));
    }
    text.append(stamp.expired() ? " of an expiry" : "");
    if (version.expiryMillis() != 0) {
      text.append(", expires ").append(date.apply(version.expiryMillis()));
    }
    byte[] extension = version.extension();
    if (extension != null) {
      text.append(", extension of %d bytes".formatted(extension.length));
    }
    if (value != null) {
      text.append(", %d bytes %s".formatted(value.length, text(value)));
    }
    return text.toString();
  }

  private String time(long hybrid) {
    return "%s+%d".formatted(date.apply(HybridClock.millis(hybrid)), hybrid & 0xffff);
  }

  /// Printable bytes as they are, others as `\xNN`.
  private static String text(byte[] bytes) {
    StringBuilder text = new StringBuilder("\"");
    for (int i = 0; i < Math.min(bytes.length, SHOWN_BYTES); i++) {
      char c = (char) (bytes[i] & 0xff);
      boolean plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
      text.append(plain ? String.valueOf(c) : "\\x%02x".formatted((int) c));
    }
    return text.append(bytes.length > SHOWN_BYTES ? "\"..." : "\"").toString();
  }

  private void problem(String what) {
    problems++;
    out.accept(PROBLEM + what);
  }
}
