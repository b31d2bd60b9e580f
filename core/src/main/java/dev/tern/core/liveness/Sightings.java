package dev.tern.core.liveness;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;

/// What a node's first shard has seen of the members, for all its shards: who is believed alive,
/// and when something last came from whom. And what shards want to know: they doubt members that do
/// not answer.
///
/// Threads: written on the first shard's loop, but for doubts; read on any.
public final class Sightings {
  /// Never heard of.
  private static final long NEVER = Long.MIN_VALUE / 2;

  /// By member number; replaced when there are more.
  private record Arrays(
      AtomicIntegerArray alive, AtomicIntegerArray doubted, AtomicLongArray heardNanos) {
    static Arrays of(int size) {
      Arrays arrays =
          new Arrays(
              new AtomicIntegerArray(size),
              new AtomicIntegerArray(size),
              new AtomicLongArray(size));
      for (int i = 0; i < size; i++) {
        arrays.heardNanos.set(i, NEVER);
      }
      return arrays;
    }

    boolean has(int member) {
      return member > 0 && member < alive.length();
    }
  }

  private volatile Arrays all;

  /// @param largest number of a member
  public Sightings(int largest) {
    this.all = Arrays.of(largest + 1);
  }

  /// There may be members up to that number now.
  public void members(int largest) {
    Arrays before = all;
    if (largest >= before.alive.length()) {
      Arrays after = Arrays.of(largest + 1);
      for (int i = 0; i < before.alive.length(); i++) {
        after.alive.set(i, before.alive.get(i));
        after.heardNanos.set(i, before.heardNanos.get(i));
      }
      all = after;
    }
  }

  /// Something came from a member.
  public void heard(int member, long nowNanos) {
    Arrays now = all;
    if (now.has(member)) {
      now.heardNanos.set(member, nowNanos);
      now.doubted.set(member, 0);
    }
  }

  /// Whether a member is believed alive from now on.
  public void believe(int member, boolean alive) {
    Arrays now = all;
    if (now.has(member)) {
      now.alive.set(member, alive ? 1 : 0);
    }
  }

  /// Whether a member is believed alive; any thread.
  public boolean alive(int member) {
    Arrays now = all;
    return now.has(member) && now.alive.get(member) == 1;
  }

  /// When something last came, on this node's monotonic clock; long ago if nothing did.
  public long heardNanos(int member) {
    Arrays now = all;
    return now.has(member) ? now.heardNanos.get(member) : NEVER;
  }

  /// A shard waits for a member longer than usual: ask whether it is there.
  public void doubt(int member) {
    Arrays now = all;
    if (now.has(member)) {
      now.doubted.set(member, 1);
    }
  }

  /// Whether a shard doubts a member of which nothing was heard since.
  public boolean doubted(int member) {
    Arrays now = all;
    return now.has(member) && now.doubted.get(member) == 1;
  }
}
