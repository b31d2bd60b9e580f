package dev.tern.lsm;

import dev.tern.lsm.entry.Keys;
import org.jspecify.annotations.Nullable;

/// What an iterator sees. An iterator copies the bounds when it is made.
///
/// @param maxSequence newer versions are not there; what tables hold is always seen
/// @param snapshot sees exactly this, if it is not null, whatever `maxSequence` says
/// @param lower no key before it; null for no bound
/// @param upper no key at or after it; null for no bound
/// @param fillCache whether blocks that are read may go to the cache
public record IteratorOptions(
    long maxSequence,
    @Nullable Snapshot snapshot,
    byte @Nullable [] lower,
    byte @Nullable [] upper,
    boolean fillCache) {

  /// Everything.
  public static IteratorOptions all() {
    return new IteratorOptions(Long.MAX_VALUE, null, null, null, true);
  }

  /// As seen at a sequence.
  public IteratorOptions maxSequence(long sequence) {
    return new IteratorOptions(sequence, snapshot, lower, upper, fillCache);
  }

  /// As it was when the snapshot was taken.
  public IteratorOptions at(Snapshot taken) {
    return new IteratorOptions(maxSequence, taken, lower, upper, fillCache);
  }

  /// Keys from `from` up to `to`, exclusive; null for no bound.
  public IteratorOptions range(byte @Nullable [] from, byte @Nullable [] to) {
    return new IteratorOptions(maxSequence, snapshot, from, to, fillCache);
  }

  /// Keys that begin with `prefix`.
  public IteratorOptions prefix(byte[] prefix) {
    return range(prefix, Keys.afterPrefix(prefix));
  }

  /// For a scan that shall leave the cache as it is.
  public IteratorOptions withoutFillingCache() {
    return new IteratorOptions(maxSequence, snapshot, lower, upper, false);
  }
}
