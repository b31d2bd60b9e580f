package dev.tern.core.keyspace;

/// How many replicas are asked, how many must answer, and by when. Zero means: as the keyspace
/// says.
///
/// With `r + w > n` strict reads meet every write that was acknowledged before, or one that stands
/// above it; where also `2w > n` no write loses to one that was acknowledged before it. The table
/// of docs/consistency.md says what else is promised, and what is not. Where nothing is said of
/// primaries, a strict request only counts replicas of the key's own list; a sloppy one also counts
/// nodes that hold the write for a replica that does not answer.
///
/// A read of one replica where the keyspace's own `1 + w <= n` may be answered from what a replica
/// said up to 100 ms before it, if its key is hot: who writes at a higher `w` to read at one makes
/// that the keyspace's.
///
/// Updates that read before they write ask all replicas whatever `n` is, and raise `r` until it
/// meets every write of their own `w`.
///
/// @param n replicas that are asked, the first of the key's list; the others learn it later
/// @param r replicas whose answers a read needs; [#LOCAL_ONE] and [#LOCAL_QUORUM] count those in
///   the datacenter of the node that coordinates, and ask no others
/// @param w replicas on which a write must be durable before it is acknowledged; local ones count
///   those in the datacenter of the node that coordinates, all are sent the write
/// @param pr of `r`, how many must be replicas of the key's own list
/// @param pw of `w`, likewise
/// @param dw replicas on which a write must be durable: as every acknowledgement says so, a higher
///   `dw` raises `w`
/// @param sloppy whether other nodes may hold a write for replicas that do not answer
/// @param timeoutMillis the request is answered by then
public record Level(
    int n, int r, int w, int pr, int pw, int dw, boolean sloppy, int timeoutMillis) {
  public static final Level DEFAULT = new Level(0, 0, 0);

  /// For r and w: one replica of the datacenter.
  public static final int LOCAL_ONE = -1;

  /// For r and w: more than half of the replicas that the key has in the datacenter.
  public static final int LOCAL_QUORUM = -2;

  /// For r: a read that writes back what it answers, so that no later one sees less. For w: a blind
  /// put that asks for the key's stamp first and is minted above it. Both of more than half of all
  /// replicas, and of so many more that they meet the keyspace's own levels; never sloppy.
  public static final int ATOMIC = -3;

  /// Gets and puts of a key behave as if there were one copy: each takes effect at one moment
  /// between its request and its answer. Where the last write wins; see docs/consistency.md for
  /// what it says of updates beside them.
  public static final Level LINEARIZABLE = new Level(ATOMIC, ATOMIC, 0);

  private static final int MOST = 255;

  public Level {
    if (r < ATOMIC || w < ATOMIC) {
      throw new IllegalArgumentException("no level of that name");
    }
    for (int count : new int[] {n, Math.max(r, 0), Math.max(w, 0), pr, pw, dw}) {
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

  /// The same of all replicas of a key.
  public Level ofAll() {
    return n == 0 ? this : new Level(0, r, w, pr, pw, dw, sloppy, timeoutMillis);
  }

  /// Whether only replicas of the datacenter are asked by reads.
  public boolean readsLocally() {
    return isLocal(r);
  }

  /// Whether only replicas of the datacenter count for writes.
  public boolean writesLocally() {
    return isLocal(w);
  }

  private static boolean isLocal(int count) {
    return count == LOCAL_ONE || count == LOCAL_QUORUM;
  }

  /// The same with another time.
  ///
  /// @param millis above 0
  public Level within(int millis) {
    return new Level(n, r, w, pr, pw, dw, sloppy, millis);
  }

  /// The same of all replicas of a key and without nodes that stand in for them.
  public Level strict() {
    return new Level(0, r, w, 0, 0, 0, /* sloppy= */ false, timeoutMillis);
  }

  /// Whether reads or writes of this level are linearizable.
  public boolean atomic() {
    return r == ATOMIC || w == ATOMIC;
  }

  /// Answers that a read of `replicas` replicas needs.
  ///
  /// @param usual the keyspace's
  /// @param replicas of the datacenter, for a local level
  public int reads(int usual, int replicas) {
    return Math.max(count(r, usual, replicas), pr);
  }

  /// Acknowledgements that a write needs.
  public int writes(int usual, int replicas) {
    return Math.max(count(w, usual, replicas), Math.max(pw, dw));
  }

  private static int count(int wanted, int usual, int replicas) {
    return switch (wanted) {
      case 0 -> Math.min(usual, replicas);
      case LOCAL_ONE -> 1;
      case LOCAL_QUORUM, ATOMIC -> replicas / 2 + 1;
      default -> wanted;
    };
  }
}
