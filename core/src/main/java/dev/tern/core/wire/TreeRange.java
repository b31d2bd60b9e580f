package dev.tern.core.wire;

import java.util.Arrays;

/// Some of the records of a segment of a hash tree.
///
/// @param family 0 for those of leveled keyspaces, 1 for those of size-tiered ones
/// @param from the record key where they begin
/// @param to the record key where they end, exclusive
public record TreeRange(int family, byte[] from, byte[] to) {
  /// The part of this from a storage key on.
  public TreeRange from(byte[] later) {
    return new TreeRange(family, later, to);
  }

  /// The part of this before a storage key.
  public TreeRange to(byte[] earlier) {
    return new TreeRange(family, from, earlier);
  }

  public boolean isEmpty() {
    return Arrays.compareUnsigned(from, to) >= 0;
  }

  /// Whether it goes on after a storage key that lies behind its beginning: a place to go on at.
  public boolean reaches(byte[] later) {
    return Arrays.compareUnsigned(from, later) < 0 && Arrays.compareUnsigned(later, to) <= 0;
  }
}
