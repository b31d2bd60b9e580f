package dev.tern.raft.group;

import dev.tern.env.Clock;
import dev.tern.env.DecodeException;
import dev.tern.env.DiskFull;
import dev.tern.env.EventLoop;
import dev.tern.env.Randomness;
import dev.tern.raft.Effect;
import dev.tern.raft.Entry;
import dev.tern.raft.Membership;
import dev.tern.raft.Proposal;
import dev.tern.raft.Raft;
import dev.tern.raft.RaftConfig;
import dev.tern.raft.RaftMessage;
import dev.tern.raft.Recovered;
import dev.tern.raft.SnapshotMark;
import dev.tern.raft.log.SharedLog;
import dev.tern.raft.log.SnapshotFiles;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One member of a group at work: carries out the effects of its [Raft] on the shard's log and
/// files.
///
/// The state machine lives in memory: a start installs the latest snapshot and applies what follows
/// it as that becomes committed. The state must fit a snapshot of one byte array.
///
/// Threads: the shard's loop, [#open] excepted.
public final class RaftGroup {
  /// The state machine that committed entries drive.
  public interface StateMachine {
    /// Applies a committed entry; called once an entry, in order of indices.
    void apply(Entry entry);

    /// The whole state, as bytes that nobody changes.
    byte[] snapshot();

    /// Replaces the state by that of a snapshot.
    ///
    /// @throws DecodeException if the bytes are no state that can be read here; nothing has changed
    void install(SnapshotMark mark, byte[] snapshot);
  }

  /// What the group tells its owner.
  public interface Listener {
    /// Carries a message to the member of that number; the message may get lost.
    void send(int to, RaftMessage message);

    /// Tells that the state machine, as it is now, answers that read.
    void readReady(long context);

    /// Tells that the read was not done.
    void readRefused(long context);

    /// See [Effect.RoleChanged].
    void roleChanged(Raft.Role role, long term, int leader);

    /// Tells that the disk or the state machine failed: this member does nothing any more.
    void failed(Throwable why);
  }

  /// What the groups of one shard share.
  ///
  /// @param log of all of them
  /// @param snapshots of all of them
  /// @param loop on which they are called
  /// @param clock whose monotonic time they count ticks by
  public record Context(
      SharedLog log, SnapshotFiles snapshots, EventLoop loop, Clock clock, Options options) {}

  /// When the log is compacted, and how time is counted.
  ///
  /// @param tickNanos a tick of the core
  /// @param compactBytes of entries in memory, after which a snapshot is taken
  /// @param keptEntries behind a snapshot, for followers that are a little slow
  public record Options(long tickNanos, long compactBytes, long keptEntries) {}

  /// What found no room on the disk is tried again after this.
  private static final long AGAIN_NANOS = 1_000_000_000L;

  private static final Proposal NOBODY = new Proposal.Refused(Proposal.Reason.NOT_LEADER, 0);

  private final int group;
  private final Raft raft;
  private final SharedLog log;
  private final SnapshotFiles snapshots;
  private final EventLoop loop;
  private final Clock clock;
  private final Options options;
  private final StateMachine machine;
  private final Listener listener;

  /// Parts of snapshots and writes, in order: a write waits while a part before it is being saved.
  private final ArrayDeque<Effect> storage = new ArrayDeque<>();

  private boolean failed;
  private boolean saving;
  private boolean snapshotting;

  /// Until then no snapshot of this member's own is taken, as the last one found no room.
  private long noSnapshotUntilNanos;

  private boolean working;
  private long tickedNanos;

  private RaftGroup(
      Context context, int group, Raft raft, StateMachine machine, Listener listener) {
    this.group = group;
    this.raft = raft;
    this.log = context.log();
    this.snapshots = context.snapshots();
    this.loop = context.loop();
    this.clock = context.clock();
    this.options = context.options();
    this.machine = machine;
    this.listener = listener;
    this.tickedNanos = clock.monotonicNanos();
    this.noSnapshotUntilNanos = tickedNanos;
  }

  /// Starts a member from what is on disk. Blocks.
  ///
  /// @param group its number in the shared log
  /// @param founding see [Recovered#nothing]
  /// @throws IOException if its snapshot cannot be read, or not by this version, with its path
  public static RaftGroup open(
      Context context,
      int group,
      RaftConfig config,
      Membership founding,
      Randomness random,
      StateMachine machine,
      Listener listener)
      throws IOException {
    SnapshotFiles snapshots = context.snapshots();
    Recovered recovered = context.log().recovered(group, founding);
    SnapshotMark mark = recovered.mark();
    if (mark.index() > 0) {
      install(machine, snapshots, group, mark);
      snapshots.deleteBefore(group, mark.index());
    }
    Raft raft = new Raft(config, recovered, mark.index(), random);
    return new RaftGroup(context, group, raft, machine, listener);
  }

  private static void install(
      StateMachine machine, SnapshotFiles snapshots, int group, SnapshotMark mark)
      throws IOException {
    byte[] snapshot = snapshots.load(group, mark);
    try {
      machine.install(mark, snapshot);
    } catch (DecodeException e) {
      throw new IOException(snapshots.path(group, mark) + ": " + e.getMessage(), e);
    }
  }

  /// The member's state machine without I/O; callers must not change it.
  public Raft raft() {
    return raft;
  }

  /// Whether this member does nothing: it has failed, or the disk has no room for its log.
  private boolean rests() {
    return failed || log.notReady() != null;
  }

  /// Called about once a tick; ticks as often as the clock says, which every other call does too.
  public void tick() {
    if (!rests()) {
      catchUp();
      work();
    }
  }

  /// Makes up for ticks that were missed, but for no more than end every lease and begin every
  /// election.
  private void catchUp() {
    long owed = (clock.monotonicNanos() - tickedNanos) / options.tickNanos();
    tickedNanos += owed * options.tickNanos();
    for (long i = Math.min(owed, 64); i > 0; i--) {
      raft.tick();
    }
  }

  /// Takes a message of a member.
  public void step(int from, RaftMessage message) {
    if (!rests()) {
      catchUp();
      raft.step(from, message);
      work();
    }
  }

  /// See [Raft#propose].
  public Proposal propose(byte[] payload) {
    if (rests()) {
      return NOBODY;
    }
    catchUp();
    Proposal outcome = raft.propose(payload);
    work();
    return outcome;
  }

  /// See [Raft#change].
  public Proposal change(Membership target) {
    if (rests()) {
      return NOBODY;
    }
    catchUp();
    Proposal outcome = raft.change(target);
    work();
    return outcome;
  }

  /// See [Raft#transfer].
  public boolean transfer(int to) {
    if (rests()) {
      return false;
    }
    catchUp();
    boolean begun = raft.transfer(to);
    work();
    return begun;
  }

  /// See [Raft#read].
  public void read(long context) {
    if (rests()) {
      listener.readRefused(context);
      return;
    }
    catchUp();
    raft.read(context);
    work();
  }

  private void work() {
    if (working) {
      return;
    }
    working = true;
    try {
      for (List<Effect> some = raft.drain(); !some.isEmpty(); some = raft.drain()) {
        for (Effect effect : some) {
          if (failed) {
            return;
          }
          perform(effect);
        }
      }
    } finally {
      working = false;
    }
    if (!failed && raft.logBytes() > options.compactBytes()) {
      snapshot();
    }
  }

  private void perform(Effect effect) {
    switch (effect) {
      case Effect.Send send -> listener.send(send.to(), send.message());
      case Effect.Persist persist -> store(persist);
      case Effect.SaveChunk chunk -> store(chunk);
      case Effect.LoadChunk chunk -> load(chunk);
      case Effect.Apply apply -> {
        apply.entries().forEach(machine::apply);
        raft.applied(apply.entries().getLast().index());
      }
      case Effect.Install install -> install(install.mark());
      case Effect.ReadReady ready -> listener.readReady(ready.context());
      case Effect.ReadRefused refused -> listener.readRefused(refused.context());
      case Effect.RoleChanged changed ->
          listener.roleChanged(changed.role(), changed.term(), changed.leader());
    }
  }

  /// Stops this member, as its state machine cannot go on.
  public void fail(Throwable why) {
    stops(why);
  }

  /// Stops this member if a failure is given: it could not write, or not read its own snapshot.
  private boolean stops(@Nullable Throwable failure) {
    if (failure != null && !failed) {
      failed = true;
      listener.failed(failure);
    }
    return failed;
  }

  private void store(Effect effect) {
    storage.add(effect);
    store();
  }

  private void store() {
    while (!saving && !storage.isEmpty()) {
      Effect next = storage.removeFirst();
      if (next instanceof Effect.Persist persist) {
        log.append(group, persist, failure -> persisted(persist.number(), failure));
      } else if (next instanceof Effect.SaveChunk chunk) {
        save(chunk);
      }
    }
  }

  private void persisted(long number, @Nullable Throwable failure) {
    if (stops(failure)) {
      return;
    }
    catchUp();
    raft.persisted(number);
    work();
  }

  private void save(Effect.SaveChunk chunk) {
    saving = true;
    loop.offload(
        () -> {
          snapshots.save(group, chunk.mark(), chunk.offset(), chunk.bytes(), chunk.last());
          return null;
        },
        (nothing, failure) -> {
          if (DiskFull.is(failure)) {
            loop.schedule(AGAIN_NANOS, () -> save(chunk));
            return;
          }
          if (stops(failure)) {
            return;
          }
          saving = false;
          store();
        });
  }

  private void load(Effect.LoadChunk chunk) {
    loop.offload(
        () -> snapshots.load(group, chunk.mark(), chunk.offset(), chunk.maxBytes()),
        (SnapshotFiles.@Nullable Part part, @Nullable Throwable failure) -> {
          if (stops(failure)) {
            return;
          }
          catchUp();
          if (part == null) {
            raft.chunkMissing(chunk.to(), chunk.mark());
          } else {
            raft.chunk(chunk.to(), chunk.mark(), chunk.offset(), part.bytes(), part.last());
          }
          work();
        });
  }

  private void install(SnapshotMark mark) {
    loop.offload(
        () -> snapshots.load(group, mark),
        (byte @Nullable [] bytes, @Nullable Throwable failure) -> {
          if (stops(failure)) {
            return;
          }
          catchUp();
          try {
            if (bytes != null && mark.index() > raft.appliedIndex()) {
              machine.install(mark, bytes);
            }
          } catch (DecodeException e) {
            fail(e);
            return;
          }
          raft.applied(mark.index());
          work();
        });
  }

  // ---- compaction

  private void snapshot() {
    SnapshotMark mark = raft.mark();
    boolean waits = clock.monotonicNanos() < noSnapshotUntilNanos;
    if (snapshotting || waits || raft.appliedIndex() <= mark.index()) {
      return;
    }
    snapshotting = true;
    SnapshotMark taken = raft.markNow();
    byte[] bytes = machine.snapshot();
    loop.offload(
        () -> {
          snapshots.save(group, taken, bytes);
          return null;
        },
        (nothing, failure) -> {
          if (DiskFull.is(failure)) {
            snapshotting = false;
            noSnapshotUntilNanos = clock.monotonicNanos() + AGAIN_NANOS;
            return;
          }
          if (stops(failure)) {
            return;
          }
          taken(mark, taken);
        });
  }

  private void taken(SnapshotMark before, SnapshotMark taken) {
    if (taken.index() <= raft.mark().index()) {
      snapshotting = false;
      return;
    }
    long base = Math.max(raft.baseIndex(), taken.index() - options.keptEntries());
    log.compact(
        group,
        taken,
        base,
        raft.termAt(base),
        failure -> {
          if (stops(failure)) {
            return;
          }
          raft.compact(taken, base);
          clean(before.index());
        });
  }

  /// Deletes older snapshots but one, which may be on its way to a follower.
  private void clean(long before) {
    loop.offload(
        () -> {
          snapshots.deleteBefore(group, before);
          return null;
        },
        (nothing, failure) -> {
          if (stops(failure)) {
            return;
          }
          snapshotting = false;
        });
  }
}
