package dev.tern.simulation;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.version.HybridClock;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.World;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Lets things go wrong in a run: the seed picks which kinds of faults, and when.
final class Faults {
  private static final long SECOND = ClusterRun.SECOND;

  /// Faults that few runs have, as they cost time or hide other failures.
  private static final Set<Fault> RARE =
      EnumSet.of(
          Fault.SET_BACK,
          Fault.BLACKOUT,
          Fault.PROMISE_CUT,
          Fault.MINT_CUT,
          Fault.PAUSES,
          Fault.SLOW_NODE,
          Fault.LONG_AWAY,
          Fault.FLAPPING,
          Fault.SPLIT,
          Fault.WRONG_CLOCKS);

  /// Faults that take acknowledged data from one replica; a run has one of them at most.
  private static final List<Fault> LOSING =
      List.of(Fault.BIT_ROT, Fault.LOST_DISK, Fault.LOST_RECORDS, Fault.SET_BACK);

  /// A ballot that lies above what other nodes may have reserved: a leader's start skips to the end
  /// of its own reservation.
  private static final long FAR_AHEAD_MILLIS = 5_000;

  /// What a disk takes to keep what it was given, about.
  private static final long SYNC_NANOS = 200_000;

  /// The beginning of the names of a node's store directories.
  private static final String STORE = "shard-";

  private final ClusterRun run;
  private final World world;
  private final EnumSet<Fault> kinds = EnumSet.noneOf(Fault.class);
  private final long meanNanos;

  /// The one node whose clock may be wrong by minutes, and whose disk may rot or be lost.
  private final int unlucky;

  private boolean setBack;
  private boolean wasSetBack;
  private boolean away;
  private boolean flaps;
  private boolean split;

  private long nextRepairCrashNanos;
  private long nextPromiseCutNanos;
  private long nextMintCutNanos;

  /// By node: the member that asked it for a promise last.
  private final int[] led;

  /// Whether the next page of a repair ends a node although the faults are over.
  private boolean relapsing;

  Faults(ClusterRun run, boolean mayRot) {
    this.run = run;
    this.world = run.world;
    this.led = new int[run.nodeCount + 1];
    for (Fault fault : Fault.values()) {
      double usual = RARE.contains(fault) ? 0.08 : 0.25;
      if (world.chance(run.theme.faults().contains(fault) ? usual / 2 + 0.5 : usual)) {
        kinds.add(fault);
      }
    }
    kinds.removeAll(run.theme.excluded());
    if (run.moves()) {
      // What rot excuses would hide what moves lose: docs/known-gaps.md.
      kinds.remove(Fault.BIT_ROT);
    }
    if (run.theme == Theme.SET_BACK) {
      kinds.add(Fault.SET_BACK);
    }
    boolean calm = run.moves() && world.chance(0.4);
    if (calm) {
      // The topology changes all the time, and the members that moves take away come back.
      kinds.retainAll(EnumSet.of(Fault.POWER_CUT, Fault.LOST_DISK));
      kinds.add(Fault.PROCESS_CRASH);
    }
    oneLoss(mayRot);
    this.meanNanos =
        calm ? world.between(3 * SECOND, 6 * SECOND) : world.between(SECOND / 10, SECOND);
    this.unlucky = 1 + world.random.nextInt(run.nodeCount);
  }

  private void oneLoss(boolean mayLose) {
    List<Fault> losing = new ArrayList<>(LOSING);
    losing.retainAll(kinds);
    kinds.removeAll(losing);
    if (mayLose && !losing.isEmpty()) {
      kinds.add(losing.get(world.random.nextInt(losing.size())));
    }
  }

  boolean has(Fault fault) {
    return kinds.contains(fault);
  }

  /// The node whose disk may rot; 0 for none.
  int rotting() {
    return has(Fault.BIT_ROT) ? unlucky : 0;
  }

  /// Whether a node may lose data that is in its memory only.
  boolean mayStopNodes() {
    return has(Fault.POWER_CUT)
        || has(Fault.PROCESS_CRASH)
        || has(Fault.REPAIR_CRASH)
        || has(Fault.ORDERLY_STOP)
        || has(Fault.DISK_ERRORS)
        || has(Fault.LONG_AWAY)
        || mayLosePower();
  }

  /// Whether a node may lose data that it has not forced to its disk.
  boolean mayLosePower() {
    return has(Fault.POWER_CUT)
        || has(Fault.BLACKOUT)
        || has(Fault.PROMISE_CUT)
        || has(Fault.MINT_CUT)
        || has(Fault.SET_BACK);
  }

  /// A page of repair, or what asks for one, arrives.
  void repairing(int from, int to) {
    int node = world.chance(0.5) ? from : to;
    boolean now = has(Fault.REPAIR_CRASH) && world.awakeNanos() < SECOND + run.chaosNanos;
    if (world.nanos() < nextRepairCrashNanos || !(now || relapsing) || !world.chance(0.1)) {
      return;
    }
    relapsing = false;
    nextRepairCrashNanos = world.nanos() + 4 * meanNanos;
    world.schedule(
        world.between(0, 3_000_000),
        0,
        () -> {
          if (run.node(node) != null) {
            run.crash(node, mayLosePower() && world.chance(0.5));
          }
        });
  }

  /// A leader's read arrives, which asks a node for a promise. The power goes where another one has
  /// led before that may not know yet that it is outvoted, and comes back soon.
  void promising(int leader, int node, long ballot) {
    int before = led[node];
    led[node] = leader;
    long ahead = HybridClock.millis(ballot) - SimulatedClock.EPOCH_MILLIS - world.millis();
    boolean now = has(Fault.PROMISE_CUT) && world.awakeNanos() < SECOND + run.chaosNanos;
    boolean takesOver = before != 0 && before != leader;
    if (!now || !takesOver || ahead < FAR_AHEAD_MILLIS || world.nanos() < nextPromiseCutNanos) {
      return;
    }
    if (world.chance(0.5)) {
      nextPromiseCutNanos = world.nanos() + 2 * SECOND;
      world.schedule(
          world.between(0, 5_000_000),
          0,
          () -> {
            if (run.node(node) != null) {
              run.crash(node, true, world.between(SECOND / 100, SECOND / 4));
            }
          });
    }
  }

  /// A node sends a write. In some runs its power goes now and then before the write is on its own
  /// disk, and comes back soon.
  void writing(int node) {
    boolean now = has(Fault.MINT_CUT) && world.awakeNanos() < SECOND + run.chaosNanos;
    if (!now || world.nanos() < nextMintCutNanos || !world.chance(0.1)) {
      return;
    }
    nextMintCutNanos = world.nanos() + world.between(0, 3 * SECOND);
    world.schedule(
        world.between(0, SYNC_NANOS),
        0,
        () -> {
          if (run.node(node) != null) {
            run.crash(node, true, world.between(SECOND / 100, SECOND));
          }
        });
  }

  boolean wasSetBack() {
    return wasSetBack;
  }

  /// Sets clocks wrong before any node starts, if the run has such faults.
  void prepare() {
    if (has(Fault.WRONG_CLOCK)) {
      run.setClock(unlucky, minutes());
    }
    if (has(Fault.WRONG_CLOCKS)) {
      wrongClocks();
    }
  }

  /// Sets most clocks wrong, all by the same time or each by its own.
  private void wrongClocks() {
    long alike = world.chance(0.5) ? far() : 0;
    for (int node = 1; node <= run.nodeCount; node++) {
      if (node != unlucky) {
        run.setClock(node, alike != 0 ? alike : far());
      }
    }
  }

  private long far() {
    return world.chance(0.5) ? minutes() : world.between(-86_400_000, 2 * 86_400_000);
  }

  private long minutes() {
    return world.between(-600_000, 600_000);
  }

  void begin() {
    if (has(Fault.LOSSY_NETWORK)) {
      run.network().loss = world.random.nextDouble() * 0.05;
      run.network().duplication = world.random.nextDouble() * 0.1;
      run.network().delayNanos = world.between(200_000, 5_000_000);
    }
    if (run.theme == Theme.OUTVOTED) {
      links();
      episode();
    } else if (!kinds.isEmpty()) {
      next(new ArrayList<>(kinds));
    }
  }

  private void next(List<Fault> some) {
    world.schedule(
        world.between(0, 2 * meanNanos),
        0,
        () -> {
          if (world.awakeNanos() < SECOND + run.chaosNanos) {
            happen(some.get(world.random.nextInt(some.size())));
            next(some);
          }
        });
  }

  /// Links that are slow for some time each.
  private void links() {
    if (world.awakeNanos() < SECOND + run.chaosNanos) {
      run.network()
          .slow(anyNode(), anyNode(), world.chance(0.7) ? world.between(0, 80_000_000) : 0);
      world.schedule(SECOND / 10, 0, this::links);
    }
  }

  /// The first replica of the keys is away for a moment, or does not hear another one.
  private void episode() {
    if (world.awakeNanos() >= SECOND + run.chaosNanos) {
      return;
    }
    int[] replicas = run.replicas(MixedKeys.PREFIX);
    int first = replicas[0];
    long apart = 2 * SECOND;
    boolean isCut = world.chance(0.7);
    long from = 0;
    if (run.node(first) != null && (!isCut || has(Fault.PROMISE_CUT) && world.chance(0.7))) {
      // A start carries its ballots to the end of what it had reserved.
      run.crash(first, false, world.between(SECOND / 5, isCut ? SECOND / 2 : 3 * SECOND));
      from = isCut ? world.between(SECOND / 2, 3 * SECOND / 2) : 0;
    }
    if (isCut) {
      apart = world.between(SECOND, 4 * SECOND);
      int other = replicas[1 + world.random.nextInt(replicas.length - 1)];
      boolean both = world.chance(0.5);
      world.schedule(from, 0, () -> parted(first, other, true, both));
      world.schedule(from + apart, 0, () -> parted(first, other, false, false));
    }
    world.schedule(from + apart + world.between(SECOND, 2 * SECOND), 0, this::episode);
  }

  /// Cuts one direction between two nodes, or both; or ends the cut.
  private void parted(int one, int other, boolean isCut, boolean both) {
    run.network().cut(one, other, isCut && world.awakeNanos() < SECOND + run.chaosNanos);
    run.network().cut(other, one, both && world.awakeNanos() < SECOND + run.chaosNanos);
  }

  private int anyNode() {
    return 1 + world.random.nextInt(run.nodeCount);
  }

  private void happen(Fault fault) {
    int node = anyNode();
    boolean up = run.node(node) != null;
    switch (fault) {
      case POWER_CUT -> {
        if (up && world.chance(0.5)) {
          // In the middle of an I/O soon to come.
          run.disk(node).crashAfter(world.random.nextInt(40));
        } else if (up) {
          run.crash(node, true);
        }
      }
      case PROCESS_CRASH -> {
        if (up) {
          run.crash(node, false);
        }
      }
      case ORDERLY_STOP -> run.stop(node);
      case PARTITION -> cut(node, anyNode(), world.chance(0.5));
      // They happen when frames come.
      case LOSSY_NETWORK, REPAIR_CRASH, PROMISE_CUT, MINT_CUT -> {}
      case BROKEN_CONNECTION -> run.network().breakConnection(node, another(node));
      case SLOW_LINK -> slow(node, another(node));
      case PAUSE -> world.pause(node, world.between(SECOND / 100, 3 * SECOND));
      case CLOCK_STEP -> {
        if (node != unlucky || !has(Fault.WRONG_CLOCK)) {
          run.setClock(node, world.between(-20_000, 20_000));
        }
      }
      case WRONG_CLOCK -> run.setClock(unlucky, minutes());
      case SLOW_DISK -> run.disk(node).slownessNanos = world.between(50_000, 50_000_000);
      case FULL_DISK -> {
        run.disk(node).full = true;
        later(() -> run.disk(node).full = false);
      }
      case DISK_ERRORS -> fail(run.disk(node));
      case BIT_ROT -> run.disk(unlucky).rot();
      case SET_BACK -> setBack();
      case BLACKOUT -> blackout();
      case PAUSES -> pauses(node, 3 + world.random.nextInt(8));
      case SLOW_NODE -> {
        world.slow(node, world.between(10_000, 400_000));
        later(() -> world.slow(node, 0));
      }
      case FLAPPING -> flapping(node);
      case SPLIT -> split();
      case LONG_AWAY -> awayForLong(node);
      case WRONG_CLOCKS -> {
        if (world.chance(0.5)) {
          wrongClocks();
        } else {
          run.clocksAreRight();
        }
      }
      case LOST_DISK -> {
        if (!run.diskLost && run.node(unlucky) != null && run.allAreIn()) {
          run.lost(unlucky, Long.MIN_VALUE);
          run.crash(unlucky, true);
          run.disk(unlucky).wipe();
        }
      }
      case LOST_RECORDS -> {
        if (!run.recordsLost && run.node(unlucky) != null && run.allAreIn()) {
          run.loseRecords(unlucky);
        }
      }
    }
  }

  /// What one disk holds is later what it holds now. Its part of the topology's log is set back
  /// with the stores only in runs where nothing keeps the other nodes from it: else a voter that
  /// forgets its votes can break the log, see docs/known-gaps.md.
  private void setBack() {
    // Deletes that all have are stripped after some seconds: of values that the copy has.
    boolean strips = run.theme == Theme.SET_BACK;
    boolean whole = strips && world.chance(0.5);
    boolean early = strips && world.nanos() < 3 * SECOND;
    if (setBack || early || run.node(unlucky) == null || !run.allAreIn()) {
      return;
    }
    setBack = true;
    long since = run.keyspace.durability() == Durability.SYNC ? world.nanos() : Long.MIN_VALUE;
    Map<String, byte[]> backup = run.disk(unlucky).backup();
    world.schedule(
        strips ? world.between(4 * SECOND, 7 * SECOND) : world.between(SECOND / 2, 15 * SECOND),
        0,
        () -> {
          if (world.awakeNanos() < SECOND + run.chaosNanos) {
            wasSetBack = true;
            run.lost(unlucky, since);
            run.crash(unlucky, true);
            run.disk(unlucky).restore(whole ? backup : stores(backup));
          }
        });
  }

  /// What the unlucky node's disk holds, with the stores of a backup of it.
  private Map<String, byte[]> stores(Map<String, byte[]> backup) {
    Map<String, byte[]> restored = run.disk(unlucky).backup();
    restored.keySet().removeIf(name -> name.startsWith(STORE));
    backup.forEach(
        (name, bytes) -> {
          if (name.startsWith(STORE)) {
            restored.put(name, bytes);
          }
        });
    return restored;
  }

  private void blackout() {
    int paused = world.chance(0.5) ? anyNode() : 0;
    if (paused != 0) {
      world.pause(paused, world.between(SECOND / 2, 3 * SECOND));
    }
    for (int node = 1; node <= run.nodeCount; node++) {
      if (node != paused && run.node(node) != null) {
        run.crash(node, true);
      }
    }
  }

  /// Cuts a node off for a while, lets it meet the others for a moment, and cuts what it sends.
  private void flapping(int node) {
    if (flaps) {
      return;
    }
    flaps = true;
    apart(node, true, true);
    long alone = world.between(SECOND, 5 * SECOND);
    long together = alone + world.between(SECOND / 20, 3 * SECOND / 2);
    long unheard = together + world.between(SECOND / 2, 3 * SECOND);
    world.schedule(alone, 0, () -> apart(node, false, false));
    world.schedule(together, 0, () -> apart(node, true, false));
    world.schedule(
        unheard,
        0,
        () -> {
          apart(node, false, false);
          flaps = false;
        });
  }

  private void apart(int node, boolean unheard, boolean deaf) {
    boolean chaos = world.awakeNanos() < SECOND + run.chaosNanos;
    for (int other = 1; other <= run.nodeCount; other++) {
      if (other != node) {
        run.network().cut(node, other, chaos && unheard);
        run.network().cut(other, node, chaos && deaf);
      }
    }
  }

  /// Parts the nodes into two groups that do not hear each other, for as long as tombstones take to
  /// be stripped in one of them.
  private void split() {
    if (split) {
      return;
    }
    split = true;
    boolean[] minority = new boolean[run.nodeCount + 1];
    for (int i = 1 + world.random.nextInt(run.nodeCount / 2); i > 0; i--) {
      minority[anyNode()] = true;
    }
    split(minority, true);
    world.schedule(
        world.between(4 * SECOND, 12 * SECOND),
        0,
        () -> {
          split(minority, false);
          split = false;
        });
  }

  private void split(boolean[] minority, boolean isCut) {
    boolean chaos = world.awakeNanos() < SECOND + run.chaosNanos;
    for (int from = 1; from <= run.nodeCount; from++) {
      for (int to = 1; to <= run.nodeCount; to++) {
        if (minority[from] != minority[to]) {
          run.network().cut(from, to, chaos && isCut);
        }
      }
    }
  }

  private void pauses(int node, int times) {
    world.pause(node, world.between(SECOND / 10, 3 * SECOND / 2));
    if (times > 0) {
      world.schedule(
          world.between(SECOND / 5, 2 * SECOND),
          0,
          () -> {
            if (world.awakeNanos() < SECOND + run.chaosNanos) {
              pauses(node, times - 1);
            }
          });
    }
  }

  /// Ends a node and lets it come back after days. The others work for a while before and after the
  /// time that is skipped.
  private void awayForLong(int node) {
    if (away || run.node(node) == null) {
      return;
    }
    away = true;
    run.end(node);
    int skips = 1 + world.random.nextInt(3);
    for (int i = 1; i <= skips; i++) {
      long skipped = world.chance(0.5) ? world.between(30, 3_600) : world.between(3_600, 200_000);
      world.schedule(i * SECOND, 0, () -> skip(skipped * SECOND));
    }
    world.schedule(
        (skips + 1) * SECOND,
        0,
        () -> {
          away = false;
          run.startNode(node);
        });
  }

  private void skip(long nanos) {
    if (world.awakeNanos() < SECOND + run.chaosNanos) {
      world.skip(nanos);
    }
  }

  /// Lets something go wrong while the replicas converge, if this run has such faults.
  void relapse() {
    int node = anyNode();
    switch (world.random.nextInt(5)) {
      case 4 -> {
        relapsing = mayStopNodes();
        world.schedule(SECOND, 0, () -> relapsing = false);
      }
      case 0 -> world.pause(node, world.between(SECOND / 100, SECOND));
      case 1 -> run.network().breakConnection(node, another(node));
      case 2 -> {
        if (mayStopNodes() && run.node(node) != null) {
          run.crash(node, mayLosePower());
        }
      }
      default -> {
        run.network().loss = 0.05;
        world.schedule(SECOND, 0, () -> run.network().loss = 0);
      }
    }
  }

  private int another(int node) {
    return 1 + (node + world.random.nextInt(run.nodeCount - 1)) % run.nodeCount;
  }

  private void later(Runnable end) {
    world.schedule(world.between(SECOND / 5, 4 * SECOND), 0, end);
  }

  private void fail(SimulatedDisk disk) {
    double chance = world.chance(0.5) ? 0.02 : 0.3;
    switch (world.random.nextInt(3)) {
      case 0 -> disk.readErrors = chance;
      case 1 -> disk.writeErrors = chance;
      default -> disk.forceErrors = chance;
    }
    later(
        () -> {
          disk.readErrors = 0;
          disk.writeErrors = 0;
          disk.forceErrors = 0;
        });
  }

  private void slow(int from, int to) {
    run.network().slow(from, to, world.between(1_000_000, 2 * SECOND));
    later(() -> run.network().slow(from, to, 0));
  }

  private void cut(int from, int to, boolean bothWays) {
    if (from == to) {
      return;
    }
    run.network().cut(from, to, true);
    if (bothWays) {
      run.network().cut(to, from, true);
    }
    later(
        () -> {
          run.network().cut(from, to, false);
          run.network().cut(to, from, false);
        });
  }

  @Override
  public String toString() {
    return kinds + " each " + meanNanos / 1_000_000 + " ms";
  }
}
