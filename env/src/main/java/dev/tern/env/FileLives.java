package dev.tern.env;

/// Draws the lives of new files; see [FileLife]. Any thread.
public final class FileLives {
  private final Randomness random;

  private FileLives(Randomness random) {
    this.random = random;
  }

  /// For the files that one opening writes in one place. An embedder may give the same seed each
  /// time, so the time and the place count too.
  ///
  /// @param place the directory of the files
  public static FileLives of(Randomness randomness, Clock clock, String place) {
    long seed = randomness.child("life").nextLong() ^ clock.wallMillis() ^ place.hashCode();
    return of(Randomness.of(seed ^ Long.reverse(clock.monotonicNanos())));
  }

  /// Of a generator that nobody else draws from.
  public static FileLives of(Randomness random) {
    return new FileLives(random);
  }

  /// A life that no other file has.
  public synchronized FileLife next() {
    return new FileLife(random.nextLong(), random.nextLong());
  }
}
