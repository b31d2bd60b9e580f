package dev.tern.simulation;

import dev.tern.core.gossip.GossipBounds;
import dev.tern.core.gossip.GossipBug;
import dev.tern.core.gossip.Status;
import dev.tern.world.World;
import org.jspecify.annotations.Nullable;

/// A small cluster that gossips, from a seed. Either all goes wrong (crashes, restarts, farewells,
/// full disks, cuts, much loss, stalls), and after the heal all must agree on what is; or little
/// does (a tenth of the datagrams lost, one death at a time), and each death must be seen within
/// its bound and none that did not happen; or members with full disks say goodbye and come back,
/// and each must be believed alive soon.
public final class GossipChaos {
  private static final int MAX_MEMBERS = 16;

  /// After the heal: for the last death to be seen, then for each pair that lost sight of each
  /// other to knock, object and spread it, and for loads to come round.
  private static final long SETTLE_MILLIS = GossipBounds.detectionMillis(MAX_MEMBERS, 8) + 60_000;

  private final GossipCluster cluster;
  private final World world;
  private final Kind kind;
  private final int founders;

  /// The greatest number so far.
  private int newest;

  /// What happens in a run.
  private enum Kind {
    CALM,
    STORM,
    FAREWELLS
  }

  private GossipChaos(long seed, GossipBug planted) {
    this.cluster = new GossipCluster(seed, MAX_MEMBERS, planted);
    this.world = cluster.world;
    this.kind = world.chance(0.3) ? Kind.CALM : world.chance(0.2) ? Kind.FAREWELLS : Kind.STORM;
    this.founders =
        kind == Kind.FAREWELLS
            ? (int) world.between(3, 6)
            : (int) world.between(2, MAX_MEMBERS - 3);
    this.newest = founders;
  }

  /// Runs one seed to its end or its first broken promise.
  public static Simulation.Result run(long seed, GossipBug planted) {
    GossipChaos chaos = new GossipChaos(seed, planted);
    String failure;
    try {
      failure = chaos.run();
    } catch (History.Violation violation) {
      failure = violation.getMessage();
    }
    World world = chaos.world;
    return new Simulation.Result(world.events(), world.millis(), world.hash(), failure);
  }

  private @Nullable String run() {
    boolean lossless = kind == Kind.FAREWELLS || world.chance(0.3);
    cluster.loss = lossless ? 0 : 0.1 * world.random.nextDouble();
    for (int i = 1; i <= founders; i++) {
      if (kind == Kind.STORM && world.chance(0.15)) {
        cluster.slow.set(i);
      }
      start(i);
    }
    cluster.runMillis(10_000);
    String failure =
        switch (kind) {
          case CALM -> calm();
          case STORM -> storm();
          case FAREWELLS -> farewells();
        };
    return failure != null ? failure : settle();
  }

  private @Nullable String calm() {
    for (int i = 0; i < 6; i++) {
      cluster.runMillis(world.between(0, 5_000));
      int victim = (int) world.between(1, founders + 1);
      int before = cluster.size();
      cluster.crash(victim);
      Sighting death = cluster.sight(victim, Status.DEAD);
      cluster.await(death, GossipBounds.detectionMillis(before, 8));
      if (death.lastMillis < 0) {
        return "a death was not seen within its bound: " + death;
      }
      start(victim);
      Sighting birth = cluster.sight(victim, Status.ALIVE);
      cluster.await(birth, 30_000);
      if (birth.lastMillis < 0) {
        return "a start was not seen: " + birth;
      }
    }
    return cluster.falseDeaths == 0
        ? null
        : cluster.falseDeaths + " times a death was declared that was none";
  }

  /// Members say goodbye, not all of the others hear it, and come back in a life of the same
  /// number. A probe of each of the others and a rumour, and all know that they are back.
  private @Nullable String farewells() {
    for (int i = 1; i <= founders; i++) {
      cluster.full.set(i);
      cluster.crash(i);
      start(i);
    }
    cluster.runMillis(GossipBounds.suspectedMillis(founders));
    for (int i = 0; i < 8; i++) {
      cluster.runMillis(world.between(0, 5_000));
      int leaver = (int) world.between(1, founders + 1);
      for (int other = 1; other <= founders; other++) {
        cluster.cut(other, other != leaver && world.chance(0.5) ? 1 : 0);
      }
      cluster.leave(leaver);
      while (cluster.runs(leaver)) {
        cluster.runMillis(GossipBounds.TICK_MILLIS);
      }
      joinAll();
      start(leaver);
      cluster.runMillis(GossipBounds.suspectedMillis(founders));
      String doubter = cluster.doubter(leaver);
      if (doubter != null) {
        return doubter + ", which came back long ago";
      }
    }
    return null;
  }

  private @Nullable String storm() {
    long until = cluster.nowMillis() + world.between(30_000, 90_000);
    while (cluster.nowMillis() < until) {
      cluster.runMillis(world.between(100, 6_000));
      int number = (int) world.between(1, newest + 1);
      switch ((int) world.between(0, 8)) {
        case 0, 1 -> {
          if (cluster.runs(number)) {
            cluster.crash(number);
            long pause = world.chance(0.5) ? 500 : 20_000;
            world.schedule(world.between(0, pause) * 1_000_000, 0, () -> start(number));
          }
        }
        case 2 -> start(number);
        case 3 -> {
          if (cluster.runs(number) && cluster.size() > 2) {
            cluster.leave(number);
          }
        }
        case 4 -> {
          if (newest < MAX_MEMBERS) {
            start(++newest);
          }
        }
        case 5 -> cluster.loss = world.chance(0.5) ? 0.05 : 0.4 * world.random.nextDouble();
        case 6 -> cut();
        default -> world.pause(number, world.between(100, 12_000) * 1_000_000);
      }
    }
    return null;
  }

  private void start(int number) {
    if (!cluster.runs(number)) {
      int[] contacts = new int[newest];
      for (int i = 0; i < newest; i++) {
        contacts[i] = i + 1;
        meet(contacts[i], number);
      }
      if (kind == Kind.STORM) {
        cluster.full.set(number, world.chance(0.2));
      }
      cluster.start(number, contacts);
      cluster
          .member(number)
          .report((int) world.between(0, 1_000), world.between(0, 1 << 20), 1 << 20, 0);
    }
  }

  /// What the topology log does for a member that runs, some time after another was added.
  private void meet(int number, int newcomer) {
    if (cluster.runs(number)) {
      world.schedule(
          world.between(0, 20_000) * 1_000_000,
          number,
          () -> cluster.member(number).meet(newcomer));
    }
  }

  /// Parts one member from the others, or half from half, or joins all.
  private void cut() {
    int alone = world.chance(0.4) ? (int) world.between(1, newest + 1) : 0;
    boolean joined = world.chance(0.4);
    for (int i = 1; i <= MAX_MEMBERS; i++) {
      boolean other = alone == 0 ? world.chance(0.5) : i == alone;
      cluster.cut(i, !joined && other ? 1 : 0);
    }
  }

  private @Nullable String settle() {
    cluster.slow.clear();
    cluster.loss = 0;
    joinAll();
    cluster.runMillis(SETTLE_MILLIS);
    return cluster.disagreement();
  }

  private void joinAll() {
    for (int i = 1; i <= MAX_MEMBERS; i++) {
      cluster.cut(i, 0);
    }
  }
}
