package dev.tern.core.topology.log;

import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.raft.Entry;
import dev.tern.raft.SnapshotMark;
import dev.tern.raft.group.RaftGroup;
import org.jspecify.annotations.Nullable;

/// The topology as the log's entries make it, at a member of its Raft group.
final class TopologyMachine implements RaftGroup.StateMachine {
  /// Told what the log does.
  interface Watcher {
    /// An entry was applied.
    ///
    /// @param outcome null if it is no command
    void applied(Entry entry, @Nullable TopologyOutcome outcome);

    /// A snapshot of that index replaced all.
    void installed(long index);

    /// An entry that this version cannot read.
    void unreadable(DecodeException why);
  }

  private final Watcher watcher;
  private final TopologyBug bug;
  private TopologyState state = TopologyState.NOTHING;

  TopologyMachine(Watcher watcher, TopologyBug bug) {
    this.watcher = watcher;
    this.bug = bug;
  }

  TopologyState state() {
    return state;
  }

  @Override
  public void apply(Entry entry) {
    TopologyOutcome outcome = null;
    if (entry.kind() == Entry.Kind.COMMAND) {
      try {
        Proposed proposed = TopologyCodec.proposed(new ByteReader(entry.payload()));
        if (bug == TopologyBug.STALE_EPOCH_ACCEPTED) {
          proposed = new Proposed(0, proposed.command());
        }
        TopologyState.Step step =
            bug == TopologyBug.CANCEL_AFTER_FENCED
                ? state.applyCancellingFenced(proposed)
                : state.apply(proposed);
        boolean changed = step.outcome() instanceof TopologyOutcome.Changed;
        if (step.state().epoch() != state.epoch() + (changed ? 1 : 0)) {
          throw new IllegalStateException(
              "%s took epoch %d to %d"
                  .formatted(step.outcome(), state.epoch(), step.state().epoch()));
        }
        state = step.state();
        outcome = step.outcome();
      } catch (DecodeException e) {
        watcher.unreadable(e);
        return;
      }
    }
    watcher.applied(entry, outcome);
  }

  @Override
  public byte[] snapshot() {
    ByteWriter out = new ByteWriter();
    TopologyCodec.encode(state, out);
    return out.toByteArray();
  }

  @Override
  public void install(SnapshotMark mark, byte[] snapshot) {
    state = TopologyCodec.state(new ByteReader(snapshot));
    watcher.installed(mark.index());
  }
}
