package dev.tern.bench;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Clock;
import dev.tern.env.FileLives;
import dev.tern.env.Randomness;
import dev.tern.raft.Effect;
import dev.tern.raft.Entry;
import dev.tern.raft.Membership;
import dev.tern.raft.Proposal;
import dev.tern.raft.Raft;
import dev.tern.raft.RaftConfig;
import dev.tern.raft.RaftMessage;
import dev.tern.raft.RaftMessageCodec;
import dev.tern.raft.Recovered;
import dev.tern.raft.SnapshotMark;
import dev.tern.raft.group.RaftGroup;
import dev.tern.raft.log.SharedLog;
import dev.tern.raft.log.SnapshotFiles;
import dev.tern.runtime.DirectoryFileSystem;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.ConcurrentHistogram;

/// What Raft costs: the core alone in one thread, and three voters in this process on real files.
public final class RaftBench {
  private static final int PAYLOAD_BYTES = 100;
  private static final int VOTERS = 3;
  private static final long TICK_NANOS = 10_000_000;

  private RaftBench() {}

  // ---- the core alone

  private record Envelope(int from, int to, RaftMessage message) {}

  /// Steps of three members in one thread, writes done at once, for so long.
  ///
  /// @param batch proposals before the messages are delivered
  public static void core(int batch, int seconds, PrintStream out) {
    Membership members = Membership.of(List.of(1, 2, 3), List.of());
    List<Raft> rafts = new ArrayList<>();
    for (int id = 1; id <= VOTERS; id++) {
      RaftConfig config = RaftConfig.defaults(id);
      rafts.add(new Raft(config, Recovered.nothing(members), 0, Randomness.of(id)));
    }
    ArrayDeque<Envelope> network = new ArrayDeque<>();
    byte[] payload = new byte[PAYLOAD_BYTES];
    long steps = 0;
    long proposals = 0;
    long begun = System.nanoTime();
    long until = begun + seconds * 1_000_000_000L;
    for (long round = 0; round % 64 != 0 || System.nanoTime() < until; round++) {
      Raft leader = null;
      for (Raft raft : rafts) {
        leader = raft.role() == Raft.Role.LEADER ? raft : leader;
      }
      if (leader == null || round % 64 == 0) {
        rafts.forEach(Raft::tick);
      }
      for (int i = 0; leader != null && i < batch; i++) {
        proposals += leader.propose(payload) instanceof Proposal.Accepted ? 1 : 0;
      }
      rafts.forEach(raft -> settle(raft, network));
      while (!network.isEmpty()) {
        Envelope next = network.removeFirst();
        Raft to = rafts.get(next.to() - 1);
        to.step(next.from(), next.message());
        steps++;
        settle(to, network);
      }
      if (round % 256 == 0) {
        rafts.forEach(raft -> raft.compact(raft.markNow(), raft.appliedIndex()));
      }
    }
    double took = (System.nanoTime() - begun) / 1e9;
    out.printf(
        "core, %d proposals a round: %,.0f steps/s, %,.0f proposals/s of %d bytes by three voters"
            + " in one thread%n",
        batch, steps / took, proposals / took, PAYLOAD_BYTES);
  }

  private static void settle(Raft raft, ArrayDeque<Envelope> network) {
    for (List<Effect> some = raft.drain(); !some.isEmpty(); some = raft.drain()) {
      for (Effect effect : some) {
        switch (effect) {
          case Effect.Send send -> network.add(new Envelope(raft.id(), send.to(), send.message()));
          case Effect.Persist persist -> raft.persisted(persist.number());
          case Effect.Apply apply -> raft.applied(apply.entries().getLast().index());
          case Effect.Install install -> raft.applied(install.mark().index());
          case Effect.SaveChunk chunk -> {}
          case Effect.LoadChunk chunk -> raft.chunkMissing(chunk.to(), chunk.mark());
          case Effect.ReadReady ready -> {}
          case Effect.ReadRefused refused -> {}
          case Effect.RoleChanged changed -> {}
        }
      }
    }
  }

  // ---- on files

  /// A voter: its loop, log and groups.
  private static final class Voter {
    final int id;
    final BenchLoop loop;
    final SharedLog log;
    final SnapshotFiles snapshots;
    final List<RaftGroup> groups = new ArrayList<>();

    Voter(int id, Path directory, BenchLoop loop) throws IOException {
      this.id = id;
      this.loop = loop;
      DirectoryFileSystem files = new DirectoryFileSystem(directory);
      FileLives lives = FileLives.of(Randomness.of(id));
      this.log = SharedLog.open(files, loop, "raft", 64 << 20, lives);
      this.snapshots = new SnapshotFiles(files, "snapshots", lives);
    }
  }

  private static final class SystemTime implements Clock {
    @Override
    public long monotonicNanos() {
      return System.nanoTime();
    }

    @Override
    public long wallMillis() {
      return System.currentTimeMillis();
    }
  }

  /// Keeps a number of proposals under way at the leader of one group.
  private static final class Load implements RaftGroup.StateMachine, RaftGroup.Listener {
    private final Run run;
    private final Voter voter;
    private final int group;
    private final ArrayDeque<Long> proposedNanos = new ArrayDeque<>();
    private long term;

    Load(Run run, Voter voter, int group) {
      this.run = run;
      this.voter = voter;
      this.group = group;
    }

    @Override
    public void apply(Entry entry) {
      if (entry.term() == term && entry.kind() == Entry.Kind.COMMAND) {
        run.committed.incrementAndGet();
        run.nanos.recordValue(System.nanoTime() - proposedNanos.removeFirst());
        voter.loop.execute(this::propose);
      }
    }

    private void propose() {
      proposedNanos.add(System.nanoTime());
      if (voter.groups.get(group).propose(run.payload) instanceof Proposal.Refused) {
        proposedNanos.removeLast();
      }
    }

    @Override
    public byte[] snapshot() {
      return new byte[0];
    }

    @Override
    public void install(SnapshotMark mark, byte[] snapshot) {
      // There is no state.
    }

    @Override
    public void send(int to, RaftMessage message) {
      ByteWriter bytes = new ByteWriter();
      RaftMessageCodec.encode(message, bytes);
      Voter receiver = run.voters.get(to - 1);
      receiver.loop.execute(
          () -> {
            ByteReader in = new ByteReader(bytes.array(), 0, bytes.length());
            receiver.groups.get(group).step(voter.id, RaftMessageCodec.decode(in));
          });
    }

    @Override
    public void readReady(long context) {
      // Nobody reads.
    }

    @Override
    public void readRefused(long context) {
      // Nobody reads.
    }

    @Override
    public void failed(Throwable why) {
      throw new IllegalStateException(why);
    }

    @Override
    public void roleChanged(Raft.Role role, long newTerm, int leader) {
      proposedNanos.clear();
      term = role == Raft.Role.LEADER ? newTerm : -1;
      for (int i = 0; role == Raft.Role.LEADER && i < run.window; i++) {
        voter.loop.execute(this::propose);
      }
    }
  }

  /// What the voters of a round share.
  private static final class Run {
    final List<Voter> voters = new ArrayList<>();
    final int window;
    final byte[] payload = new byte[PAYLOAD_BYTES];
    final AtomicLong committed = new AtomicLong();
    final ConcurrentHistogram nanos = new ConcurrentHistogram(3);

    Run(int window) {
      this.window = window;
    }

    long forces() {
      return voters.stream().mapToLong(voter -> voter.log.statistics().forces()).sum();
    }
  }

  /// Three voters on files below `directory`, for so long.
  ///
  /// @param groups that share each voter's log
  /// @param window proposals under way in each group
  /// @throws IOException if the files fail
  /// @throws InterruptedException if the measuring thread is interrupted
  public static void files(Path directory, int groups, int window, int seconds, PrintStream out)
      throws IOException, InterruptedException {
    Run run = new Run(window);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Membership members = Membership.of(List.of(1, 2, 3), List.of());
    RaftGroup.Options options = new RaftGroup.Options(TICK_NANOS, 16 << 20, 10_000);
    for (int id = 1; id <= VOTERS; id++) {
      BenchLoop loop = new BenchLoop(failure::set);
      Path data = directory.resolve("%d-%d-%d".formatted(groups, window, id));
      Voter voter = new Voter(id, data, loop);
      run.voters.add(voter);
      for (int group = 0; group < groups; group++) {
        Load load = new Load(run, voter, group);
        Randomness random = Randomness.of(id * 1000L + group);
        voter.groups.add(
            RaftGroup.open(
                new RaftGroup.Context(voter.log, voter.snapshots, loop, new SystemTime(), options),
                group + 1,
                RaftConfig.defaults(id),
                members,
                random,
                load,
                load));
      }
    }
    for (Voter voter : run.voters) {
      voter.loop.every(TICK_NANOS, () -> voter.groups.forEach(RaftGroup::tick));
    }
    measure(run, groups, seconds, out);
    for (Voter voter : run.voters) {
      voter.loop.close();
      voter.log.close();
    }
    if (failure.get() != null) {
      throw new IllegalStateException("a voter broke", failure.get());
    }
  }

  private static void measure(Run run, int groups, int seconds, PrintStream out)
      throws InterruptedException {
    // Until there are leaders and the code is warm.
    java.util.concurrent.TimeUnit.SECONDS.sleep(3);
    run.nanos.reset();
    long before = run.committed.get();
    long forcesBefore = run.forces();
    long begun = System.nanoTime();
    java.util.concurrent.TimeUnit.SECONDS.sleep(seconds);
    long committed = run.committed.get() - before;
    long forces = run.forces() - forcesBefore;
    double took = (System.nanoTime() - begun) / 1e9;
    out.printf(
        "files, %d groups, %d under way each: %,.0f proposals/s, %.3f fsyncs per proposal and"
            + " voter, median %.2f ms, p99 %.2f ms%n",
        groups,
        run.window,
        committed / took,
        (double) forces / VOTERS / Math.max(1, committed),
        run.nanos.getValueAtPercentile(50) / 1e6,
        run.nanos.getValueAtPercentile(99) / 1e6);
  }
}
