package dev.tern.core.store;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.World;
import java.io.IOException;
import java.util.List;

/// A machine for one store.
public final class Bed {
  public final World world;
  public final SimulatedDisk disk;
  public final SimulatedClock clock;
  private final int memtableBytes;

  /// A machine from a seed.
  ///
  /// @param memtableBytes of the store
  public Bed(long seed, int memtableBytes) {
    world =
        new World(
            seed,
            (node, what) -> {
              throw new AssertionError(what);
            });
    disk = new SimulatedDisk(world, 1);
    clock = new SimulatedClock(world);
    this.memtableBytes = memtableBytes;
  }

  /// Opens the engine on what the disk has.
  public Lsm open() throws IOException {
    LsmOptions.Tuning tuning = new LsmOptions.Tuning(memtableBytes, 8192, 256, 2048, LsmBug.NONE);
    SimulatedLoop loop = new SimulatedLoop(world, 1, disk);
    LsmOptions options = LsmOptions.DEFAULT.withTuning(tuning);
    return Lsm.open(disk, loop, clock, world.random, "data/store", options);
  }

  /// The founding of a cluster whose one member is number 1.
  public static ClusterView view(int partitions, KeyspaceSettings... keyspaces) {
    return ClusterView.of(new Founding(partitions, List.of(member(1)), List.of(keyspaces)).state());
  }

  /// The same in a cluster of that id, at that epoch.
  public static TopologyState of(TopologyState state, ClusterId cluster, long epoch) {
    return new TopologyState(
        cluster,
        epoch,
        state.level(),
        state.founding(),
        state.members(),
        state.keyspaces(),
        state.groups(),
        state.voters(),
        state.nextMember(),
        state.nextKeyspace(),
        state.nextReplica(),
        state.nextSet(),
        state.lives(),
        state.movesHeld());
  }

  /// A member of a zone of its own.
  public static MemberEntry member(int number) {
    Member.Ports ports = Member.Ports.NONE.with("internode", number).with("redis", 9);
    String name = "%040x".formatted(number);
    return MemberEntry.of(new Member(number, name, "z" + number, "one", ports));
  }

  /// A keyspace of one replica.
  public static KeyspaceSettings keyspace(String name) {
    return KeyspaceSettings.usual(name)
        .with(KeyspaceProperty.N, 1)
        .with(KeyspaceProperty.R, 1)
        .with(KeyspaceProperty.W, 1);
  }

  /// The power goes, and comes back.
  public void powerCut() {
    world.end(1);
    disk.heal();
    disk.powerCut();
  }
}
