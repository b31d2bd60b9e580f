package dev.tern.lsm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/// A sorted map that remembers what each key was at each step: the model of a column family.
final class Versions {
  /// @param value null for a deletion
  /// @param expiresMillis 0 for never
  private record Version(long step, byte[] value, long expiresMillis) {}

  private final TreeMap<byte[], List<Version>> keys = new TreeMap<>(Arrays::compareUnsigned);

  void put(long step, byte[] key, byte[] value, long expiresMillis) {
    keys.computeIfAbsent(key, k -> new ArrayList<>()).add(new Version(step, value, expiresMillis));
  }

  void delete(long step, byte[] key) {
    put(step, key, null, 0);
  }

  void deleteRange(long step, byte[] from, byte[] to) {
    if (Arrays.compareUnsigned(from, to) < 0) {
      for (List<Version> versions : keys.subMap(from, to).values()) {
        versions.add(new Version(step, null, 0));
      }
    }
  }

  /// What a reader of a step sees now.
  byte[] get(byte[] key, long step, long wallMillis) {
    byte[] value = null;
    for (Version version : keys.getOrDefault(key, List.of())) {
      if (version.step <= step) {
        boolean lives = version.expiresMillis == 0 || version.expiresMillis > wallMillis;
        value = lives ? version.value : null;
      }
    }
    return value;
  }

  /// Whether a key ever had a value.
  boolean ever(byte[] key, byte[] value) {
    return keys.getOrDefault(key, List.of()).stream()
        .anyMatch(version -> Arrays.equals(version.value, value));
  }

  NavigableMap<byte[], byte[]> at(long step, long wallMillis) {
    TreeMap<byte[], byte[]> seen = new TreeMap<>(Arrays::compareUnsigned);
    for (byte[] key : keys.keySet()) {
      byte[] value = get(key, step, wallMillis);
      if (value != null) {
        seen.put(key, value);
      }
    }
    return seen;
  }
}
