package dev.tern.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.Version;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// A stored record in words and as JSON.
///
/// In text, keys and values show their first 64 bytes. In JSON they are whole. Bytes that are not
/// printable ASCII are `\xNN`.
final class RecordText {
  /// Bytes of a key or value that a line shows.
  private static final int SHOWN_BYTES = 64;

  private RecordText() {}

  /// A line of the record and one of each version, and one of its context if it has one.
  ///
  /// @param bytes of the stored record
  static List<String> lines(int slot, byte[] key, int bytes, Siblings record) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "key %s, slot %d, %d bytes, versions: %d"
            .formatted(shown(key), slot, bytes, record.count()));
    for (int i = 0; i < record.count(); i++) {
      lines.add("  " + line(record.get(i)));
    }
    if (!record.context().isEmpty()) {
      lines.add("  context " + record.context());
    }
    return lines;
  }

  private static String line(Version version) {
    Stamp stamp = version.stamp();
    StringBuilder text = new StringBuilder();
    byte[] value = version.value();
    text.append(value == null ? "delete" : version.type().toString());
    text.append(", dot ").append(dot(version));
    text.append(", stamp ").append(time(stamp.time()));
    text.append(" origin %08x".formatted(stamp.origin()));
    if (stamp.count() > 0) {
      text.append(" term %d count %d".formatted(stamp.term(), stamp.count()));
    }
    text.append(stamp.expired() ? " of an expiry" : "");
    if (version.expiryMillis() != 0) {
      text.append(", expires ").append(Instant.ofEpochMilli(version.expiryMillis()));
    }
    byte[] extension = version.extension();
    if (extension != null) {
      text.append(", extension of %d bytes".formatted(extension.length));
    }
    if (value != null) {
      text.append(", %d bytes %s".formatted(value.length, shown(value)));
    }
    return text.toString();
  }

  private static String dot(Version version) {
    return "%08x:%d".formatted(version.replica(), version.counter());
  }

  /// The same as [#lines], whole.
  static void json(int slot, byte[] key, int bytes, Siblings record, ObjectNode to) {
    to.put("key", escaped(key, key.length));
    to.put("slot", slot).put("bytes", bytes);
    ArrayNode versions = to.putArray("versions");
    for (int i = 0; i < record.count(); i++) {
      json(record.get(i), versions.addObject());
    }
    to.put("context", record.context().isEmpty() ? null : record.context().toString());
  }

  private static void json(Version version, ObjectNode to) {
    Stamp stamp = version.stamp();
    byte[] value = version.value();
    byte[] extension = version.extension();
    to.put("type", value == null ? "delete" : version.type().toString());
    to.put("dot", dot(version));
    ObjectNode order = to.putObject("stamp");
    order.put("time", time(stamp.time())).put("origin", "%08x".formatted(stamp.origin()));
    order.put("term", stamp.term()).put("count", stamp.count()).put("expired", stamp.expired());
    long expiry = version.expiryMillis();
    to.put("expires", expiry == 0 ? null : Instant.ofEpochMilli(expiry).toString());
    to.put("extension", extension == null ? null : escaped(extension, extension.length));
    to.put("value", value == null ? null : escaped(value, value.length));
  }

  /// A hybrid time: wall-clock time and the count within its millisecond.
  static String time(long hybrid) {
    return "%s+%d".formatted(Instant.ofEpochMilli(HybridClock.millis(hybrid)), hybrid & 0xffff);
  }

  private static String shown(byte[] bytes) {
    String text = escaped(bytes, Math.min(bytes.length, SHOWN_BYTES));
    return "\"" + text + (bytes.length > SHOWN_BYTES ? "\"..." : "\"");
  }

  private static String escaped(byte[] bytes, int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      char c = (char) (bytes[i] & 0xff);
      boolean plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
      text.append(plain ? String.valueOf(c) : "\\x%02x".formatted((int) c));
    }
    return text.toString();
  }
}
