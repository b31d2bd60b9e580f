package dev.tern.env;

/// Random numbers that replay. One thread each; [#child] makes another for somebody else.
public interface Randomness {
  long nextLong();

  /// Uniform in `[0, bound)`; `bound` is positive.
  default int nextInt(int bound) {
    if (bound <= 0) {
      throw new IllegalArgumentException("bound must be positive, not " + bound);
    }
    return (int) Long.remainderUnsigned(nextLong(), bound);
  }

  /// Uniform in `[0, 1)`.
  default double nextDouble() {
    return (nextLong() >>> 11) * 0x1.0p-53;
  }

  /// A generator of its own whose numbers depend on this generator's seed and `name` only, not on
  /// how many numbers were drawn: adding a user does not shift the others.
  Randomness child(String name);

  /// The SplitMix64 generator (Steele, Lea, Flood: "Fast splittable pseudorandom number
  /// generators", 2014), from a seed.
  static Randomness of(long seed) {
    return new SplitMix(seed);
  }
}
