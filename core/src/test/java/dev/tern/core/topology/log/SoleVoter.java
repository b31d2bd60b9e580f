package dev.tern.core.topology.log;

import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.env.Environment;
import dev.tern.env.FileLives;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.SimulatedNetwork;
import dev.tern.world.World;
import java.io.IOException;
import java.util.List;

/// A world of one node, the only member of its cluster.
final class SoleVoter {
  static final long SECOND = 1_000_000_000;

  final World world =
      new World(
          1,
          (node, what) -> {
            throw new AssertionError(what);
          });
  final SimulatedDisk disk = new SimulatedDisk(world, 1);
  private final SimulatedClock clock = new SimulatedClock(world);
  private final SimulatedNetwork network = new SimulatedNetwork(world, 1, (from, to, frame) -> {});
  final FileLives lives = FileLives.of(world.random, clock, "test");

  private static Founding founding() {
    Member.Ports ports = Member.Ports.NONE.with("internode", 1).with("redis", 2);
    Member member = new Member(1, "%040x".formatted(1), "a", "one", ports);
    KeyspaceSettings settings =
        KeyspaceSettings.usual("a")
            .with(KeyspaceProperty.N, 1)
            .with(KeyspaceProperty.R, 1)
            .with(KeyspaceProperty.W, 1);
    return new Founding(16, List.of(MemberEntry.of(member)), List.of(settings));
  }

  /// Its part of the topology log, not started.
  ///
  /// @param compactBytes of log after which a snapshot is taken
  TopologyLog open(long compactBytes) throws IOException {
    Environment environment =
        new Environment(
            clock,
            List.of(new SimulatedLoop(world, 1, disk)),
            network.of(1, 1),
            disk,
            world.random.child("node"));
    TopologyLog.Options usual = TopologyLog.Options.DEFAULT;
    TopologyLog.Options options =
        new TopologyLog.Options(
            usual.tickNanos(),
            usual.timeoutNanos(),
            usual.graceNanos(),
            usual.replaceNanos(),
            compactBytes,
            usual.segmentBytes(),
            usual.levels(),
            usual.moves(),
            usual.bug());
    return TopologyLog.open(
        environment,
        1,
        KnownTopology.initial(disk, lives, 1, founding()),
        member -> true,
        () -> true,
        options,
        state -> {});
  }
}
