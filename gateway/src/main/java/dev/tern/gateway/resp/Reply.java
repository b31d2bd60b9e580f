package dev.tern.gateway.resp;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a client is told, before it has become bytes.
public sealed interface Reply {

  /// `+text`
  record Simple(String text) implements Reply {}

  /// `-text`: a prefix in capitals, then words.
  record Error(String text) implements Reply {}

  /// `:n`
  record Number(long value) implements Reply {}

  /// A bulk string, or nil.
  record Bulk(byte @Nullable [] value) implements Reply {}

  /// A bulk string of text; in RESP3 marked as text if `verbatim`.
  record Text(String text, boolean verbatim) implements Reply {}

  record Array(List<? extends Reply> elements) implements Reply {}

  /// A map in RESP3, a flat array of keys and values in RESP2.
  record Pairs(Map<String, ? extends Reply> entries) implements Reply {}

  Reply OK = new Simple("OK");
  Reply NIL = new Bulk(null);
  Reply ZERO = new Number(0);
  Reply ONE = new Number(1);
  Reply EMPTY = new Array(List.of());

  /// Of the values in a reply, which are what takes memory. Static: an interface with a default
  /// method is initialized with its records, whose constants it holds.
  static long valueBytes(Reply reply) {
    return switch (reply) {
      case Bulk bulk -> {
        byte[] value = bulk.value();
        yield value == null ? 0 : value.length;
      }
      case Array array -> {
        long bytes = 0;
        for (Reply element : array.elements()) {
          bytes += valueBytes(element);
        }
        yield bytes;
      }
      case Text text -> text.text().length();
      case Simple _, Error _, Number _, Pairs _ -> 0;
    };
  }

  static Reply text(String text) {
    return new Text(text, false);
  }

  static Reply number(long value) {
    return value == 0 ? ZERO : value == 1 ? ONE : new Number(value);
  }
}
