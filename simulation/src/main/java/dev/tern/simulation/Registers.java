package dev.tern.simulation;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.raft.Entry;
import dev.tern.raft.SnapshotMark;
import dev.tern.raft.group.RaftGroup;

/// The state machine of a simulated Raft member: registers, each holding the index of the command
/// that last wrote it and a sum over all of them. Every state says at which index it is.
final class Registers implements RaftGroup.StateMachine {
  static final int COUNT = 16;

  /// Told after each change.
  interface Watcher {
    void applied(Registers state, Entry entry);

    void installed(Registers state);
  }

  private final Watcher watcher;
  private final long[] lastWrite = new long[COUNT];
  private final long[] sum = new long[COUNT];
  private long applied;

  Registers(Watcher watcher) {
    this.watcher = watcher;
  }

  /// The index of the last entry in it.
  long index() {
    return applied;
  }

  /// Two states are the same if this is.
  long fingerprint() {
    long hash = applied;
    for (int i = 0; i < COUNT; i++) {
      hash = (hash * 31 + lastWrite[i]) * 31 + sum[i];
    }
    return hash;
  }

  /// A command: `u64 id`, and padding.
  @Override
  public void apply(Entry entry) {
    if (entry.index() != applied + 1) {
      throw new History.Violation("index %d applied after %d".formatted(entry.index(), applied));
    }
    applied = entry.index();
    if (entry.kind() == Entry.Kind.COMMAND) {
      long id = new ByteReader(entry.payload()).readLong();
      int register = (int) (id % COUNT);
      lastWrite[register] = entry.index();
      sum[register] = sum[register] * 31 + id;
    }
    watcher.applied(this, entry);
  }

  @Override
  public byte[] snapshot() {
    ByteWriter out = new ByteWriter();
    out.writeLong(applied);
    for (int i = 0; i < COUNT; i++) {
      out.writeLong(lastWrite[i]).writeLong(sum[i]);
    }
    return out.toByteArray();
  }

  @Override
  public void install(SnapshotMark mark, byte[] snapshot) {
    ByteReader in = new ByteReader(snapshot);
    try {
      applied = mark.index();
      in.readLong();
      for (int i = 0; i < COUNT; i++) {
        lastWrite[i] = in.readLong();
        sum[i] = in.readLong();
      }
    } catch (DecodeException e) {
      // A part is missing: whoever compares states will see it.
      applied = mark.index();
    }
    watcher.installed(this);
  }
}
