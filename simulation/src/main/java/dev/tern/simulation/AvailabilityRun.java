package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.node.Node;
import dev.tern.core.node.NodeConfig;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.env.Environment;
import dev.tern.env.EventLoop;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.SimulatedNetwork;
import dev.tern.world.World;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Three nodes for hours, one of them in trouble now and then: how many requests succeed within
/// their deadline.
///
/// Trouble is one node's at a time: its process ends, its power goes, it stands still, its disk is
/// slow, the others do not hear it; for up to a minute, every few minutes. Clients do as the Java
/// client does: they send to the node with the fewest requests under way, send again elsewhere what
/// was refused, and reads whose node went down or that nobody answers for a while; a write whose
/// node went down has failed.
public final class AvailabilityRun {
  private static final long SECOND = ClusterRun.SECOND;
  private static final int NODES = 3;
  private static final int PARTITIONS = 16;
  private static final int KEYS = 1_000;
  private static final long DEADLINE = 2 * SECOND;
  private static final long REQUEST_EVERY = SECOND / 20;
  private static final int MAX_ATTEMPTS = 4;
  private static final long SLOW = SECOND / 5;

  /// What a run came to.
  ///
  /// @param faults how many troubles there were
  /// @param succeeded of the requests within their deadline
  public record Result(double hours, long faults, long requests, long succeeded) {
    /// Of a hundred.
    public double percent() {
      return 100.0 * succeeded / requests;
    }
  }

  private final World world;
  private final SimulatedNetwork network;
  private final SimulatedDisk[] disks = new SimulatedDisk[NODES + 1];
  private final @Nullable Node[] nodes = new Node[NODES + 1];
  private final int[] underWay = new int[NODES + 1];
  private final List<Request> open = new ArrayList<>();
  private final Founding founding;
  private long faults;
  private long requests;
  private long succeeded;

  private AvailabilityRun(long seed) {
    this.world =
        new World(
            seed,
            (node, what) -> {
              throw new IllegalStateException("node " + node + " broke", what);
            });
    this.network = new SimulatedNetwork(world, NODES, (from, to, frame) -> {});
    List<MemberEntry> founders = new ArrayList<>();
    for (int i = 1; i <= NODES; i++) {
      disks[i] = new SimulatedDisk(world, i);
      Member.Ports ports = Member.Ports.NONE.with("internode", 1).with("redis", 2);
      founders.add(
          MemberEntry.of(new Member(i, "%040x".formatted(i), "z" + i, "node-" + i, ports)));
    }
    this.founding = new Founding(PARTITIONS, founders, List.of(KeyspaceSettings.usual("data")));
  }

  /// Runs a cluster for some hours.
  public static Result run(long seed, double hours) {
    return new AvailabilityRun(seed).run(hours);
  }

  private Result run(double hours) {
    for (int i = 1; i <= NODES; i++) {
      start(i);
    }
    world.runUntil(5 * SECOND);
    long end = (long) (hours * 3600 * SECOND);
    next(end);
    trouble(end);
    world.runUntil(end + 10 * SECOND);
    return new Result(hours, faults, requests, succeeded);
  }

  private void start(int number) {
    List<EventLoop> loops = List.of(new SimulatedLoop(world, number, disks[number]));
    Environment environment =
        new Environment(
            new SimulatedClock(world),
            loops,
            network.of(number, 1),
            disks[number],
            world.random.child("node-" + number + "-" + world.nanos()));
    LsmOptions storage =
        LsmOptions.DEFAULT.withTuning(
            new LsmOptions.Tuning(1 << 18, 1 << 16, 512, 1 << 14, LsmBug.NONE));
    try {
      Node node =
          Node.create(environment, new NodeConfig(number, founding, storage, PlantedBug.NONE));
      nodes[number] = node;
      node.start();
    } catch (IOException e) {
      throw new IllegalStateException("node " + number + " cannot start", e);
    }
  }

  private void end(int number, boolean powerCut) {
    nodes[number] = null;
    world.end(number);
    network.down(number);
    if (powerCut) {
      disks[number].powerCut();
    }
    underWay[number] = 0;
    for (Request request : List.copyOf(open)) {
      request.nodeWentDown(number);
    }
  }

  private void trouble(long end) {
    world.schedule(
        world.between(60 * SECOND, 540 * SECOND),
        0,
        () -> {
          if (world.nanos() < end) {
            happen(1 + world.random.nextInt(NODES), world.between(SECOND, 60 * SECOND));
            trouble(end);
          }
        });
  }

  private void happen(int node, long nanos) {
    faults++;
    switch (world.random.nextInt(5)) {
      case 0 -> {
        end(node, false);
        world.schedule(nanos, 0, () -> start(node));
      }
      case 1 -> {
        end(node, true);
        world.schedule(nanos, 0, () -> start(node));
      }
      case 2 -> world.pause(node, nanos / 4);
      case 3 -> {
        disks[node].slownessNanos = 50_000_000;
        world.schedule(nanos, 0, () -> disks[node].slownessNanos = 50_000);
      }
      default -> {
        cut(node, true);
        world.schedule(nanos, 0, () -> cut(node, false));
      }
    }
  }

  private void cut(int node, boolean cut) {
    for (int other = 1; other <= NODES; other++) {
      if (other != node) {
        network.cut(node, other, cut);
        network.cut(other, node, cut);
      }
    }
  }

  private void next(long end) {
    world.schedule(
        world.between(0, 2 * REQUEST_EVERY),
        0,
        () -> {
          if (world.nanos() < end) {
            Request request = new Request(world.chance(0.5));
            requests++;
            open.add(request);
            request.attempt();
            world.schedule(DEADLINE, 0, request::over);
            next(end);
          }
        });
  }

  /// One request of a client.
  private final class Request {
    private final boolean reads;
    private final byte[] key = ("key-" + world.random.nextInt(KEYS)).getBytes(US_ASCII);
    private int attempts;
    private int at;
    private boolean ended;

    Request(boolean reads) {
      this.reads = reads;
    }

    void attempt() {
      int least = 0;
      int from = world.random.nextInt(NODES);
      for (int i = 0; i < NODES; i++) {
        int node = 1 + (from + i) % NODES;
        boolean better = least == 0 || underWay[node] < underWay[least];
        if (nodes[node] != null && (node != at || attempts == 0) && better) {
          least = node;
        }
      }
      if (least == 0 || attempts++ >= MAX_ATTEMPTS) {
        return;
      }
      at = least;
      int mine = attempts;
      underWay[least]++;
      Keyspace keyspace = Objects.requireNonNull(nodes[least]).keyspace(0, "data");
      world.schedule(100_000, least, () -> send(keyspace, mine));
      world.schedule(
          SLOW,
          0,
          () -> {
            if (reads && !ended && mine == attempts) {
              attempt();
            }
          });
    }

    private void send(Keyspace keyspace, int mine) {
      if (reads) {
        keyspace.read(key, Level.DEFAULT, outcome -> answered(mine, outcome instanceof Unanswered));
      } else {
        Update put = new Update.Put(key, Update.NO_EXPIRY, Update.Condition.NONE, false);
        keyspace.update(
            key, put, Level.DEFAULT, outcome -> answered(mine, outcome instanceof Unanswered));
      }
    }

    private void answered(int mine, boolean unanswered) {
      if (mine == attempts && !ended) {
        underWay[at]--;
        if (unanswered) {
          attempt();
        } else {
          ended = true;
          succeeded++;
          open.remove(this);
        }
      }
    }

    void nodeWentDown(int number) {
      if (number == at && !ended && reads) {
        attempt();
      }
    }

    void over() {
      if (!ended) {
        ended = true;
        if (nodes[at] != null && underWay[at] > 0) {
          underWay[at]--;
        }
        open.remove(this);
      }
    }
  }
}
