package dev.tern.core.replica;

import dev.tern.env.ByteReader;

/// A delete that is not stripped yet.
///
/// @param replica of its dot
/// @param counter of its dot
/// @param storageKey of its record
public record Grave(int replica, long counter, byte[] storageKey) {
  static Grave of(byte[] dot, byte[] storageKey) {
    ByteReader in = new ByteReader(dot, 4, 12);
    return new Grave(in.readInt(), in.readLong(), storageKey);
  }
}
