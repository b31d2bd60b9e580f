package dev.tern.core.keyspace;

/// How many replicas are asked, how many must answer, and by when. Zero means: as the keyspace
/// says.
///
/// With `r + w > n` strict requests read their own and all earlier acknowledged writes. Where
/// nothing is said of primaries, a strict request only counts replicas of the key's own list; a
/// sloppy one also counts nodes that hold the write for a replica that does not answer.
///
/// A read of one replica where the keyspace's own `1 + w <= n` may be answered from what a replica
/// said up to 100 ms before it, if its key is hot: who writes at a higher `w` to read at one makes
/// that the keyspace's.
///
/// @param n replicas that are asked, the first of the key's list; the others learn it later
/// @param r replicas whose answers a read needs
/// @param w replicas on which a write must be durable before it is acknowledged
/// @param pr of `r`, how many must be replicas of the key's own list
/// @param pw of `w`, likewise
/// @param dw replicas on which a write must be durable: as every acknowledgement says so, a higher
///   `dw` raises `w`
/// @param sloppy whether other nodes may hold a write for replicas that do not answer
/// @param timeoutMillis the request is answered by then
public record Level(
    int n, int r, int w, int pr, int pw, int dw, boolean sloppy, int timeoutMillis) {
  public static final Level DEFAULT = new Level(0, 0, 0);

  private static final int MOST = 255;

  public Level {
    for (int count : new int[] {n, r, w, pr, pw, dw}) {
      if (count < 0 || count > MOST) {
        throw new IllegalArgumentException("n, r, w, pr, pw and dw are 0 to 255, not " + count);
      }
    }
    if (timeoutMillis < 0) {
      throw new IllegalArgumentException("a timeout is not negative");
    }
  }

  /// A strict level of all replicas.
  public Level(int r, int w, int timeoutMillis) {
    this(0, r, w, 0, 0, 0, /* sloppy= */ false, timeoutMillis);
  }

  /// Answers that a read of `replicas` replicas needs.
  ///
  /// @param usual the keyspace's
  public int reads(int usual, int replicas) {
    return Math.max(r == 0 ? Math.min(usual, replicas) : r, pr);
  }

  /// Acknowledgements that a write needs.
  public int writes(int usual, int replicas) {
    return Math.max(w == 0 ? Math.min(usual, replicas) : w, Math.max(pw, dw));
  }
}
