package dev.tern.raft;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a [Raft] wants done, in this order.
public sealed interface Effect {
  /// Send it now; it may get lost.
  record Send(int to, RaftMessage message) implements Effect {}

  /// Write it, after all earlier writes and saved chunks, and call [Raft#persisted] when it is
  /// durable. All of it or none must survive a crash.
  ///
  /// @param number grows by one
  /// @param state to be remembered
  /// @param entries replace everything from the first one's index on
  /// @param reset if not null: all entries go, the log begins anew after this snapshot, which was
  ///   saved before
  record Persist(long number, HardState state, List<Entry> entries, @Nullable SnapshotMark reset)
      implements Effect {}

  /// Apply these committed entries in order, then call [Raft#applied] with the last index.
  record Apply(List<Entry> entries) implements Effect {}

  /// Keep this part of a snapshot that is coming in; at offset 0 forget what was kept before. With
  /// the last part the snapshot must become durable before the [Persist] that follows.
  record SaveChunk(SnapshotMark mark, long offset, byte[] bytes, boolean last) implements Effect {}

  /// Replace the state machine by the snapshot saved, then call [Raft#applied] with its index.
  record Install(SnapshotMark mark) implements Effect {}

  /// Read a part of an own snapshot and hand it to [Raft#chunk], or call [Raft#chunkMissing].
  record LoadChunk(int to, SnapshotMark mark, long offset, int maxBytes) implements Effect {}

  /// The state machine, as applied now, answers the read of this context linearizably.
  record ReadReady(long context) implements Effect {}

  /// The read of this context was not done; another member, or a later moment, may do it.
  record ReadRefused(long context) implements Effect {}

  /// The member changed its role, or learned of a leader.
  ///
  /// @param leader 0 if none is known
  record RoleChanged(Raft.Role role, long term, int leader) implements Effect {}
}
