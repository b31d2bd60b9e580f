package dev.tern.core.keyspace;

/// How many replicas must answer, and by when. Zero means: as the keyspace says.
///
/// With `r + w > n` strict requests read their own and all earlier acknowledged writes.
///
/// @param r replicas whose answers a read needs, 0 for the keyspace's default
/// @param w replicas on which a write must be durable before it is acknowledged, 0 for the default
/// @param timeoutMillis the request is answered by then, 0 for the default
public record Level(int r, int w, int timeoutMillis) {
  public static final Level DEFAULT = new Level(0, 0, 0);

  public Level {
    if (r < 0 || r > 255 || w < 0 || w > 255 || timeoutMillis < 0) {
      throw new IllegalArgumentException("r and w are 0 to 255, the timeout is not negative");
    }
  }
}
