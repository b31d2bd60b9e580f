package dev.tern.client;

import java.nio.charset.StandardCharsets;

/// Turns values into bytes and back. Both directions may be called on any thread and must not
/// block.
public interface Codec<V> {
  /// MIME type that is stored with the value.
  String contentType();

  byte[] encode(V value);

  /// @throws IllegalArgumentException if the bytes are no value
  V decode(byte[] bytes);

  /// Strings as UTF-8.
  static Codec<String> text() {
    return new Codec<>() {
      @Override
      public String contentType() {
        return "text/plain; charset=utf-8";
      }

      @Override
      public byte[] encode(String value) {
        return value.getBytes(StandardCharsets.UTF_8);
      }

      @Override
      public String decode(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
      }
    };
  }

  /// Bytes as they are, not copied.
  static Codec<byte[]> bytes() {
    return new Codec<>() {
      @Override
      public String contentType() {
        return "application/octet-stream";
      }

      @Override
      public byte[] encode(byte[] value) {
        return value;
      }

      @Override
      public byte[] decode(byte[] bytes) {
        return bytes;
      }
    };
  }
}
