package dev.tern.client;

/// How many replicas take part in a request, and for how long it is waited. Zero: as the bucket
/// says. Of the names [#ONE], [#QUORUM] and [#ALL] the store knows how many that is.
///
/// @param n replicas asked
/// @param r answers a read needs
/// @param w replicas that must have a write before it is acknowledged
/// @param pr of `r`, how many must be replicas of the key's own list
/// @param pw of `w`, likewise
/// @param dw replicas that must have it as durable as the bucket demands
/// @param sloppy whether other nodes may hold a write for replicas that are away
/// @param timeoutMillis until the request is answered, 0 for the client's
public record Level(
    int n, int r, int w, int pr, int pw, int dw, boolean sloppy, int timeoutMillis) {
  private static final int ONE_NAME = -2;
  private static final int QUORUM_NAME = -3;
  private static final int ALL_NAME = -4;
  private static final int LOCAL_ONE_NAME = -11;
  private static final int LOCAL_QUORUM_NAME = -12;
  private static final int LINEARIZABLE_NAME = -13;

  /// As the bucket says.
  public static final Level DEFAULT = of(0, 0);

  /// One replica.
  public static final Level ONE = of(ONE_NAME, ONE_NAME);

  /// Two replicas.
  public static final Level TWO = of(2, 2);

  /// Three replicas.
  public static final Level THREE = of(3, 3);

  /// More than half of them: reads see every acknowledged write.
  public static final Level QUORUM = of(QUORUM_NAME, QUORUM_NAME);

  /// All of them.
  public static final Level ALL = of(ALL_NAME, ALL_NAME);

  /// One replica in the datacenter of the node that is asked, see [TernClient.Builder#datacenter].
  public static final Level LOCAL_ONE = of(LOCAL_ONE_NAME, LOCAL_ONE_NAME);

  /// More than half of the replicas there: what was acknowledged there is seen there.
  public static final Level LOCAL_QUORUM = of(LOCAL_QUORUM_NAME, LOCAL_QUORUM_NAME);

  /// Gets and puts behave as if there were one copy of each key. For buckets where the last write
  /// wins; refused where siblings are kept. A put costs a round more, for the stamps that it must
  /// stand above.
  public static final Level LINEARIZABLE = of(LINEARIZABLE_NAME, LINEARIZABLE_NAME);

  /// A strict level.
  public static Level of(int r, int w) {
    return new Level(0, r, w, 0, 0, 0, /* sloppy= */ false, 0);
  }

  /// The same, answered within another time.
  public Level within(int millis) {
    return new Level(n, r, w, pr, pw, dw, sloppy, millis);
  }

  /// The same, with other nodes holding writes for replicas that are away.
  public Level thatIsSloppy() {
    return new Level(n, r, w, pr, pw, dw, true, timeoutMillis);
  }
}
