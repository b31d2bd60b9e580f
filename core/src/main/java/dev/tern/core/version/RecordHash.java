package dev.tern.core.version;

import dev.tern.env.ByteWriter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Hashes of 64 bits of what the replicas of a key must agree on: where it lies, and of each
/// version dot, stamp, expiry and value. The context is left out: each replica strips it in its own
/// time. An expired value counts until its delete has come, which has a dot of its own.
///
/// Eight bytes at a time, mixed as in MurmurHash3's finalizer (Appleby, 2011). Against accidents,
/// not against somebody who looks for two records with one hash. Travels between nodes and lies on
/// disk: part of both formats. One thread each.
public final class RecordHash {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final ByteWriter bytes = new ByteWriter();

  /// A hash of a record without its deletes, which each replica strips in its own time; 0 where
  /// nothing is left, as where there is no record.
  public long withoutDeletes(byte[] storageKey, Siblings record) {
    return record.hasValue() ? of(storageKey, record, /* deletes= */ false) : 0;
  }

  /// A hash of all versions of a record.
  public long whole(byte[] storageKey, Siblings record) {
    return of(storageKey, record, /* deletes= */ true);
  }

  private long of(byte[] storageKey, Siblings record, boolean deletes) {
    bytes.clear();
    bytes.writeBlob(storageKey);
    for (int i = 0; i < record.count(); i++) {
      Version version = record.get(i);
      if (deletes || version.value() != null) {
        version.encode(bytes);
      }
    }
    return of(bytes.array(), bytes.length());
  }

  private static long of(byte[] array, int length) {
    long hash = 0x9e3779b97f4a7c15L ^ length;
    int at = 0;
    for (; at <= length - Long.BYTES; at += Long.BYTES) {
      hash = mix(hash ^ (long) LONG.get(array, at));
    }
    long rest = 0;
    for (; at < length; at++) {
      rest = rest << 8 | array[at] & 0xff;
    }
    return mix(hash ^ rest);
  }

  /// A hash of hashes in an order.
  public static long of(long[] hashes) {
    long hash = hashes.length;
    for (long each : hashes) {
      hash = mix(hash * 31 ^ each);
    }
    return hash;
  }

  private static long mix(long bits) {
    long mixed = (bits ^ (bits >>> 33)) * 0xff51afd7ed558ccdL;
    mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return mixed ^ (mixed >>> 33);
  }
}
