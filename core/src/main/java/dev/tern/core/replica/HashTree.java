package dev.tern.core.replica;

/// What is known of the hashes of one partition's segments. On the shard's loop.
///
/// A segment is a run of the partition's slots, so that its records lie together and are read in
/// one go; its hash is the XOR of those of its records ([dev.tern.core.version.RecordHash]). Nobody
/// hashes in a write: a write makes the hash of its segment unknown, in its own batch, and who
/// needs the hash reads the segment.
///
/// Invariant: a hash that is known here, and its row in `meta`, is that of the segment's records as
/// they were written. Only what happens to a file behind the store's back makes it wrong.
///
/// Why not old hash ^ new hash with each write: that would hash every value twice, would have to be
/// as durable as the write, and would say what was written, while what a disk has lost is seen only
/// by who reads it.
final class HashTree {
  /// Segments of a partition that has as many slots.
  static final int SEGMENTS = 64;

  private static final long[] NOTHING = {};

  /// By segment, meaningless where it is not known.
  private long[] hashes = NOTHING;

  private long known;

  /// Segments that are being read, and were not written to since that began.
  private long reading;

  boolean isKnown(int segment) {
    return (known >>> segment & 1) != 0;
  }

  /// Segments whose hashes are known, a bit each.
  long known() {
    return known;
  }

  /// Call only if it is known.
  long hash(int segment) {
    assert isKnown(segment) : "the hash of segment " + segment + " is not known";
    return hashes[segment];
  }

  /// A segment is written to.
  ///
  /// @return whether its hash was known: its row must go with the write
  boolean touch(int segment) {
    long bit = 1L << segment;
    boolean was = (known & bit) != 0;
    known &= ~bit;
    reading &= ~bit;
    return was;
  }

  /// All is written to.
  void forget() {
    known = 0;
    reading = 0;
  }

  /// Segments are going to be read from their beginnings.
  ///
  /// @param segment whose reading goes on
  void reads(long segments, int segment) {
    reading = reading & 1L << segment | segments;
  }

  /// Whether a segment was not written to since its reading began.
  boolean isUntouched(int segment) {
    return (reading >>> segment & 1) != 0;
  }

  void learn(int segment, long hash) {
    if (hashes.length == 0) {
      hashes = new long[SEGMENTS];
    }
    hashes[segment] = hash;
    known |= 1L << segment;
  }
}
