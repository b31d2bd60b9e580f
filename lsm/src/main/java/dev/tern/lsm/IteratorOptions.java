package dev.tern.lsm;

/// What an iterator sees.
///
/// @param maxSequence versions with a larger sequence are not there
public record IteratorOptions(long maxSequence) {
  /// Everything.
  public static IteratorOptions all() {
    return new IteratorOptions(Long.MAX_VALUE);
  }

  /// As seen at a sequence.
  public IteratorOptions maxSequence(long sequence) {
    return new IteratorOptions(sequence);
  }
}
