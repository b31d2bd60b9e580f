package dev.tern.lsm.table;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import dev.tern.env.DecodeException;
import dev.tern.lsm.file.CorruptionException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;

/// Turns blocks into what is stored and back; see [Table] for the form. One thread an instance.
final class Compressor {
  /// Blocks that shrink by less than an eighth are stored as they are.
  private static final int LEAST_GAIN = 8;

  private static final int LEAST_BYTES = 128;
  private static final int ZSTD_LEVEL = 1;
  private static final int RAW_LENGTH_BYTES = 4;

  /// The block is stored as it is.
  static final int NONE = 0;

  /// LZ4.
  static final int LZ4 = 1;

  /// Zstandard, level 1.
  static final int ZSTD = 2;

  private static final int KINDS = 3;

  /// No byte of LZ4's stands for more of them.
  private static final int LZ4_MOST_RATIO = 255;

  private final int compression;
  private final LZ4Compressor lz4 = LZ4Factory.fastestInstance().fastCompressor();
  private byte[] out = {};

  Compressor(int compression) {
    this.compression = compression;
  }

  /// A compression that a file names.
  ///
  /// @throws DecodeException if it is not known here
  static int known(int compression) {
    if (compression >= KINDS) {
      throw new DecodeException("a choice numbered " + compression + ", which is not known here");
    }
    return compression;
  }

  /// The compressed payload's length in [#out], 0 if it is not worth it.
  int compress(byte[] raw, int length) {
    if (compression == NONE || length < LEAST_BYTES) {
      return 0;
    }
    int bound =
        compression == LZ4 ? lz4.maxCompressedLength(length) : (int) Zstd.compressBound(length);
    if (out.length < bound + RAW_LENGTH_BYTES) {
      out = new byte[bound + RAW_LENGTH_BYTES];
    }
    for (int i = 0; i < RAW_LENGTH_BYTES; i++) {
      out[i] = (byte) (length >>> (24 - 8 * i));
    }
    int room = out.length - RAW_LENGTH_BYTES;
    int packed =
        compression == LZ4
            ? lz4.compress(raw, 0, length, out, RAW_LENGTH_BYTES, room)
            : zstd(raw, length, room);
    return packed + RAW_LENGTH_BYTES < length - length / LEAST_GAIN ? packed + RAW_LENGTH_BYTES : 0;
  }

  private int zstd(byte[] raw, int length, int room) {
    long packed = Zstd.compressByteArray(out, RAW_LENGTH_BYTES, room, raw, 0, length, ZSTD_LEVEL);
    return Zstd.isError(packed) ? room : (int) packed;
  }

  byte[] out() {
    return out;
  }

  int kind() {
    return compression;
  }

  /// What its buffer takes of the heap.
  int heldBytes() {
    return out.length;
  }

  /// How long a stored block is once uncompressed.
  ///
  /// @param most that a block of the table can take
  static int rawLength(ByteBuffer stored, long most, String path, long at)
      throws CorruptionException {
    int payload = stored.limit() - Table.TRAILER_BYTES;
    int kind = stored.get(payload);
    if (kind == NONE) {
      return payload;
    }
    int raw = payload < RAW_LENGTH_BYTES ? -1 : stored.getInt(0);
    if (kind < 0 || kind >= KINDS || raw < 0) {
      throw new CorruptionException(path, at, "a block compressed in a way not known here");
    }
    boolean isLz4 = kind == LZ4;
    if (raw > most || isLz4 && raw > (long) LZ4_MOST_RATIO * payload) {
      throw new CorruptionException(
          path, at, "%d bytes that say they were %d".formatted(payload, raw));
    }
    return raw;
  }

  static void decompress(ByteBuffer stored, MemorySegment into, String path, long at)
      throws CorruptionException {
    int payload = stored.limit() - Table.TRAILER_BYTES;
    int raw = (int) into.byteSize();
    int kind = stored.get(payload);
    if (kind == NONE) {
      MemorySegment.copy(MemorySegment.ofBuffer(stored), 0, into, 0, payload);
      return;
    }
    int packed = payload - RAW_LENGTH_BYTES;
    ByteBuffer target = into.asByteBuffer();
    long made;
    try {
      made =
          kind == LZ4
              ? LZ4Factory.fastestInstance()
                  .safeDecompressor()
                  .decompress(stored, RAW_LENGTH_BYTES, packed, target, 0, raw)
              : Zstd.decompressDirectByteBuffer(target, 0, raw, stored, RAW_LENGTH_BYTES, packed);
    } catch (LZ4Exception | ZstdException e) {
      throw new CorruptionException(path, at, "a block that cannot be uncompressed");
    }
    if (made != raw) {
      throw new CorruptionException(path, at, "a block that uncompresses to another length");
    }
  }
}
