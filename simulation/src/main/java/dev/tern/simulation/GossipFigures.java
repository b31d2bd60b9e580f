package dev.tern.simulation;

import dev.tern.core.gossip.GossipBounds;
import dev.tern.core.gossip.GossipBug;
import dev.tern.core.gossip.Status;
import java.util.ArrayList;
import java.util.List;

/// What gossip does and costs in a cluster of a size, from a seed: how long until all have met,
/// know of a death, a farewell, a newcomer; what is said wrongly; bytes.
public final class GossipFigures {
  /// Members known to all from the start.
  private static final int CONTACTS = 3;

  /// A member reports its load so often.
  private static final long REPORT_MILLIS = 5_000;

  private GossipFigures() {}

  /// What to measure under.
  ///
  /// @param loss the chance that a datagram is lost
  /// @param slowPercent of the members stall every 1 to 4 s for 0.3 to 1.5 s
  /// @param steadyMillis in which nothing happens, for false positives and bytes
  /// @param deaths one after the other, each awaited
  public record Conditions(double loss, int slowPercent, long steadyMillis, int deaths) {}

  /// What was measured. Times run from the cause until the last member has seen it; -1 where it was
  /// not seen within twice the bound.
  ///
  /// @param coldStartMillis from the start of all until each believes all alive
  /// @param suspectedMillis by death, until the first suspects it
  /// @param detectedMillis by death, until the last member believes it
  /// @param memberHours of the steady time
  /// @param falseDeaths declared in the steady time by somebody of a member that ran
  /// @param falseDeathsOfHealthy those where neither stalled
  /// @param falseSuspicions by somebody, in the steady time
  /// @param bytesPerSecond sent by a member in the steady time
  /// @param packetsPerSecond sent by a member in the steady time
  public record Figures(
      int members,
      Conditions conditions,
      long coldStartMillis,
      List<Long> suspectedMillis,
      List<Long> detectedMillis,
      long leaveMillis,
      long joinMillis,
      double memberHours,
      long falseDeaths,
      long falseDeathsOfHealthy,
      long falseSuspicions,
      double bytesPerSecond,
      double packetsPerSecond,
      long biggestPacketBytes) {

    /// The slowest detection; [Long#MAX_VALUE] if one failed.
    public long slowestDetectionMillis() {
      return detectedMillis.stream().mapToLong(t -> t < 0 ? Long.MAX_VALUE : t).max().orElse(0);
    }
  }

  /// Runs a cluster; the same arguments give the same figures.
  public static Figures measure(long seed, int size, Conditions conditions) {
    GossipCluster cluster = new GossipCluster(seed, size + 1, GossipBug.NONE);
    cluster.loss = conditions.loss();
    int slow = (size * conditions.slowPercent() + 99) / 100;
    for (int i = 1; i <= slow; i++) {
      cluster.slow.set(i);
    }
    for (int i = 1; i <= size; i++) {
      cluster.start(i, contacts(size));
    }
    long cold = -1;
    for (int i = 0; i < 1_200 && cold < 0; i++) {
      cluster.runMillis(100);
      cold = allMet(cluster, size) ? cluster.nowMillis() : -1;
    }
    for (int i = 1; i <= size; i++) {
      reportLoad(cluster, i);
    }
    cluster.runMillis(Math.min(REPORT_MILLIS, conditions.steadyMillis()));
    long bytes = cluster.bytes;
    long packets = cluster.packets;
    long falseDeaths = cluster.falseDeaths;
    long falseOfHealthy = cluster.falseDeathsOfHealthy;
    long suspicions = cluster.falseSuspicions;
    cluster.runMillis(conditions.steadyMillis());
    double memberSeconds = size * conditions.steadyMillis() / 1e3;
    bytes = cluster.bytes - bytes;
    packets = cluster.packets - packets;
    falseDeaths = cluster.falseDeaths - falseDeaths;
    falseOfHealthy = cluster.falseDeathsOfHealthy - falseOfHealthy;
    suspicions = cluster.falseSuspicions - suspicions;
    Sighting joins = join(cluster, size + 1, size);
    Sighting leaves = cluster.leave(size + 1);
    cluster.await(leaves, 60_000);
    List<Sighting> sightings = kill(cluster, size, slow, conditions.deaths());
    List<Long> suspected = new ArrayList<>();
    List<Long> detected = new ArrayList<>();
    for (int i = 0; i < sightings.size(); i += 2) {
      suspected.add(sightings.get(i).firstMillis);
      detected.add(sightings.get(i + 1).lastMillis);
    }
    return new Figures(
        size,
        conditions,
        cold,
        suspected,
        detected,
        leaves.lastMillis,
        joins.lastMillis,
        memberSeconds / 3_600,
        falseDeaths,
        falseOfHealthy,
        suspicions,
        bytes / memberSeconds,
        packets / memberSeconds,
        cluster.biggestBytes);
  }

  private static boolean allMet(GossipCluster cluster, int size) {
    for (int i = 1; i <= size; i++) {
      if (cluster.member(i).others() < size - 1) {
        return false;
      }
    }
    return true;
  }

  private static void reportLoad(GossipCluster cluster, int number) {
    if (cluster.runs(number)) {
      long used = 100_000 + cluster.nowMillis() / 100;
      cluster.member(number).report((int) cluster.world.between(0, 1_000), used, 1_000_000, 0);
      cluster.world.schedule(REPORT_MILLIS * 1_000_000, number, () -> reportLoad(cluster, number));
    }
  }

  private static Sighting join(GossipCluster cluster, int number, int size) {
    cluster.start(number, contacts(size));
    Sighting sighting = cluster.sight(number, Status.ALIVE);
    cluster.await(sighting, 60_000);
    return sighting;
  }

  /// Kills members from the greatest number down, none that is slow, each after the last one's
  /// death is known, and starts it again: so every death meets a whole cluster.
  private static List<Sighting> kill(GossipCluster cluster, int size, int slow, int deaths) {
    List<Sighting> sightings = new ArrayList<>();
    for (int i = 0; i < deaths; i++) {
      int victim = size - i % (size - slow);
      cluster.runMillis(cluster.world.between(0, GossipBounds.PERIOD_MILLIS));
      cluster.crash(victim);
      sightings.add(cluster.sight(victim, Status.SUSPECT));
      Sighting death = cluster.sight(victim, Status.DEAD);
      sightings.add(death);
      cluster.await(death, 2 * GossipBounds.detectionMillis(size, 8));
      cluster.start(victim, contacts(size));
      cluster.await(cluster.sight(victim, Status.ALIVE), 60_000);
    }
    return sightings;
  }

  static int[] contacts(int size) {
    int[] contacts = new int[Math.min(CONTACTS, size)];
    for (int i = 0; i < contacts.length; i++) {
      contacts[i] = i + 1;
    }
    return contacts;
  }
}
