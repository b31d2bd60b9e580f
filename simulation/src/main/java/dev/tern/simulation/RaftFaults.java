package dev.tern.simulation;

import dev.tern.raft.Raft;
import dev.tern.raft.RaftMessage;
import dev.tern.world.World;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

/// What goes wrong in a run of Raft groups: each seed picks which kinds, and how often.
final class RaftFaults {
  /// The kinds.
  private enum Kind {
    POWER_CUT,
    PROCESS_CRASH,
    PARTITION,
    ONE_WAY_CUT,
    LOSSY_NETWORK,
    PAUSE,
    SLOW_DISK,
    MEMBERSHIP,
    TRANSFER,
    /// A follower does not hear its leader; then another ends, is back at once, and does not
    /// either.
    QUICK_RESTART,
    /// Who has just become a leader falls or is cut off.
    YOUNG_LEADERS_FALL,
    /// Who has just voted ends and is back at once.
    VOTERS_FALL
  }

  private final RaftRun run;
  private final World world;
  private final EnumSet<Kind> kinds = EnumSet.noneOf(Kind.class);
  private final long meanNanos;

  RaftFaults(RaftRun run) {
    this.run = run;
    this.world = run.world;
    for (Kind kind : Kind.values()) {
      if (world.chance(0.4)) {
        kinds.add(kind);
      }
    }
    meanNanos = world.between(30, 400) * RaftRun.MILLI;
  }

  void begin() {
    if (kinds.contains(Kind.LOSSY_NETWORK)) {
      run.loss = world.random.nextDouble() * 0.2;
      run.duplication = world.random.nextDouble() * 0.2;
      run.reordering = true;
      run.delayNanos = world.between(1, 40) * RaftRun.MILLI;
    }
    if (!kinds.isEmpty()) {
      next(new ArrayList<>(kinds));
    }
  }

  private void next(List<Kind> some) {
    world.schedule(
        world.between(0, 2 * meanNanos),
        0,
        () -> {
          if (!run.calm()) {
            happen(some.get(world.random.nextInt(some.size())));
            next(some);
          }
        });
  }

  private void happen(Kind kind) {
    int node = run.leaderOrAny();
    switch (kind) {
      case POWER_CUT -> {
        if (run.up(node) && world.chance(0.5)) {
          run.disks[node].crashAfter(world.random.nextInt(10));
        } else if (run.up(node)) {
          run.crash(node, true);
        }
      }
      case PROCESS_CRASH -> {
        if (run.up(node)) {
          run.crash(node, false);
        }
      }
      case PARTITION -> partition(node);
      case ONE_WAY_CUT -> {
        int other = 1 + world.random.nextInt(run.nodeCount);
        run.cut(node, other, true);
        later(() -> run.cut(node, other, false));
      }
      case LOSSY_NETWORK -> {}
      case PAUSE -> world.pause(node, world.between(10, 500) * RaftRun.MILLI);
      case SLOW_DISK -> {
        run.disks[node].slownessNanos = world.between(1, 60) * RaftRun.MILLI;
        later(() -> run.disks[node].slownessNanos = 50_000);
      }
      case MEMBERSHIP -> run.groups().forEach(RaftSubject::changeMembers);
      case TRANSFER -> run.groups().forEach(RaftSubject::transfer);
      case QUICK_RESTART -> breakPromise(node);
      case YOUNG_LEADERS_FALL, VOTERS_FALL -> {}
    }
  }

  private void breakPromise(int leader) {
    int deaf = 1 + leader % run.founders;
    int forgetful = 1 + deaf % run.founders;
    bothWays(leader, deaf, true);
    long nanos = world.between(100, 300) * RaftRun.MILLI;
    world.schedule(
        nanos,
        0,
        () -> {
          if (run.up(forgetful) && !run.calm()) {
            run.crash(forgetful, world.chance(0.5), 3 * RaftRun.MILLI);
            bothWays(leader, forgetful, true);
          }
        });
    world.schedule(
        nanos + 200 * RaftRun.MILLI,
        0,
        () -> {
          bothWays(leader, deaf, false);
          bothWays(leader, forgetful, false);
        });
  }

  private void bothWays(int one, int other, boolean isCut) {
    run.cut(one, other, isCut);
    run.cut(other, one, isCut);
  }

  /// A member took a new role.
  void became(int node, Raft.Role role) {
    boolean leads = role == Raft.Role.LEADER && kinds.contains(Kind.YOUNG_LEADERS_FALL);
    if (leads && !run.calm() && world.chance(0.8)) {
      boolean crashes = world.chance(0.2);
      soon(
          node,
          3 * run.delayNanos,
          () -> {
            if (crashes) {
              run.crash(node, world.chance(0.5));
            } else {
              partition(node);
            }
          });
    }
  }

  /// A message goes out.
  void sent(int from, RaftMessage message) {
    boolean votes = message instanceof RaftMessage.VoteReply reply && reply.granted();
    if (votes && kinds.contains(Kind.VOTERS_FALL) && !run.calm() && world.chance(0.5)) {
      soon(from, RaftRun.MILLI, () -> run.crash(from, world.chance(0.5), 3 * RaftRun.MILLI));
    }
  }

  private void soon(int node, long maxNanos, Runnable what) {
    world.schedule(
        world.between(0, maxNanos),
        0,
        () -> {
          if (run.up(node) && !run.calm()) {
            what.run();
          }
        });
  }

  private void later(Runnable end) {
    world.schedule(world.between(20, 800) * RaftRun.MILLI, 0, end);
  }

  /// A node, and some others, on one side.
  private void partition(int node) {
    boolean[] side = new boolean[run.nodeCount + 1];
    double share = world.random.nextInt(3) * 0.2;
    for (int other = 1; other <= run.nodeCount; other++) {
      side[other] = other == node || world.chance(share);
    }
    all(side, true);
    later(() -> all(side, false));
  }

  private void all(boolean[] side, boolean isCut) {
    for (int from = 1; from <= run.nodeCount; from++) {
      for (int to = 1; to <= run.nodeCount; to++) {
        if (side[from] != side[to]) {
          run.cut(from, to, isCut);
        }
      }
    }
  }

  @Override
  public String toString() {
    return kinds + " each " + meanNanos / RaftRun.MILLI + " ms";
  }
}
