package dev.tern.server;

import dev.tern.core.node.Node;
import dev.tern.core.ring.Plan;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyState;
import dev.tern.runtime.NettyEventLoop;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// How far the moves of replicas have come, and how fast they go: what no single look at the
/// topology tells. A command that shows it may end and begin again. Moves of before the node's
/// start are not known.
///
/// A run of moves begins when a replica has to be copied and ends when none has to. What is planned
/// meanwhile joins the run.
///
/// Threads: any; [#watch]'s looks are those of the loop.
final class MoveProgress {
  /// The rate is that of so many looks.
  private static final int WINDOW = 60;

  /// How far the moves are.
  ///
  /// @param moved replicas that were copied since the run began
  /// @param remaining replicas that are being copied or have to be
  /// @param aSecond replicas that were copied a second lately
  record Figures(int moved, int remaining, double aSecond) {
    /// For how long it goes on at this rate; null if nobody can say.
    @Nullable Long secondsLeft() {
      return remaining == 0 || aSecond <= 0 ? null : (long) Math.ceil(remaining / aSecond);
    }
  }

  private record Look(long nanos, int moved) {}

  private final ArrayDeque<Look> looks = new ArrayDeque<>();
  private @Nullable TopologyState counted;
  private int moved;
  private int remaining;

  /// Looks every second, as long as a loop runs. A plan is made on a worker.
  void watch(Node node, NettyEventLoop loop) {
    var _ = loop.netty().scheduleAtFixedRate(() -> look(node, loop), 1, 1, TimeUnit.SECONDS);
  }

  private void look(Node node, NettyEventLoop loop) {
    TopologyState state = node.view().state();
    if (state == counted) {
      look(figures().remaining(), System.nanoTime());
      return;
    }
    counted = state;
    loop.<Integer>offload(
        () -> remaining(state),
        (count, failure) -> {
          if (count != null) {
            look(count, System.nanoTime());
          }
        });
  }

  /// So many replicas have to be copied now.
  synchronized void look(int count, long nowNanos) {
    moved += Math.max(0, remaining - count);
    remaining = count;
    if (remaining == 0) {
      moved = 0;
      looks.clear();
    } else {
      looks.addLast(new Look(nowNanos, moved));
      if (looks.size() > WINDOW) {
        looks.removeFirst();
      }
    }
  }

  synchronized Figures figures() {
    double aSecond = 0;
    if (looks.size() > 1) {
      double seconds = (looks.getLast().nanos - looks.getFirst().nanos) / 1e9;
      aSecond = (looks.getLast().moved - looks.getFirst().moved) / seconds;
    }
    return new Figures(moved, remaining, aSecond);
  }

  /// Replicas that have to be copied until the lists are as they are wanted.
  static int remaining(TopologyState state) {
    if (state.members().stream().noneMatch(MemberEntry::eligible)) {
      return 0;
    }
    int remaining = 0;
    for (ReplicaGroups groups : state.groups()) {
      Plan plan = state.plan(groups);
      remaining += (int) plan.moves().stream().filter(move -> move.to() != 0).count();
      for (int p = 0; p < state.partitions(); p++) {
        if (groups.replicaSet(p).phase() != Phase.STABLE) {
          remaining += newcomers(groups.lists().list(p), groups.targets().list(p));
        }
      }
    }
    return remaining;
  }

  private static int newcomers(int[] from, int[] to) {
    return (int)
        Arrays.stream(to).filter(m -> Arrays.stream(from).noneMatch(old -> old == m)).count();
  }
}
