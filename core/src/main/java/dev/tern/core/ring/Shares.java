package dev.tern.core.ring;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// How many replicas each member shall hold: in proportion to weights, poured like water.
///
/// A member holds at most one replica of a partition, a zone between [Spread#least] and
/// [Spread#most] of it. At the water level `x` a member takes `min(Q, x weight)`, a zone the sum of
/// its members within its limits; the level is where the zones take all. In a zone at its limit the
/// members share by a level of their own.
final class Shares {
  private static final double ROUNDING = 1e-6;

  /// By member index, before rounding.
  final double[] exact;

  private final double[] zoneExact;
  private final Spread spread;
  private final int partitions;

  Shares(Spread spread, int partitions) {
    this.spread = spread;
    this.partitions = partitions;
    int total = spread.n * partitions;
    double[] limits = new double[spread.zones];
    double level =
        level(
            total,
            x -> {
              double sum = 0;
              for (double zone : poured(x)) {
                sum += zone;
              }
              return sum;
            });
    this.zoneExact = poured(level);
    this.exact = new double[spread.members.size()];
    for (int z = 0; z < spread.zones; z++) {
      int zone = z;
      limits[z] = level(zoneExact[z], x -> inZone(zone, x));
    }
    for (int i = 0; i < exact.length; i++) {
      exact[i] = taken(i, limits[spread.zoneOf[i]]);
    }
  }

  private double taken(int member, double level) {
    return Math.min(partitions, level * spread.members.get(member).weight());
  }

  private double inZone(int zone, double level) {
    double sum = 0;
    for (int i = 0; i < spread.zoneOf.length; i++) {
      if (spread.zoneOf[i] == zone) {
        sum += taken(i, level);
      }
    }
    return sum;
  }

  private double[] poured(double level) {
    double[] zones = new double[spread.zones];
    for (int i = 0; i < spread.zoneOf.length; i++) {
      zones[spread.zoneOf[i]] += taken(i, level);
    }
    for (int z = 0; z < zones.length; z++) {
      double low = (double) spread.least[z] * partitions;
      double high = (double) spread.most[z] * partitions;
      zones[z] = Math.clamp(zones[z], low, high);
    }
    return zones;
  }

  /// The level at which a growing function reaches a total, by halving.
  private double level(double total, DoubleUnaryOperator poured) {
    double low = 0;
    double high = 1;
    while (poured.applyAsDouble(high) < total - ROUNDING / 2 && high < 1e12) {
      low = high;
      high *= 2;
    }
    for (int i = 0; i < 64; i++) {
      double middle = (low + high) / 2;
      if (poured.applyAsDouble(middle) < total) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high;
  }

  /// Whole numbers: each share rounded down or up, and so are the zones' sums. Who holds more than
  /// its share now is rounded up, so that less moves.
  int[] rounded(int[] owned) {
    int[] zoneOwned = new int[spread.zones];
    for (int i = 0; i < owned.length; i++) {
      zoneOwned[spread.zoneOf[i]] += owned[i];
    }
    List<Integer> zones = new ArrayList<>();
    for (int z = 0; z < spread.zones; z++) {
      zones.add(z);
    }
    int[] zoneShares = new int[spread.zones];
    round(zones, zoneExact, zoneOwned, spread.n * partitions, zoneShares);
    int[] shares = new int[owned.length];
    for (int zone : zones) {
      List<Integer> inZone = new ArrayList<>();
      for (int i = 0; i < owned.length; i++) {
        if (spread.zoneOf[i] == zone) {
          inZone.add(i);
        }
      }
      round(inZone, exact, owned, zoneShares[zone], shares);
    }
    return shares;
  }

  private static void round(
      List<Integer> indices, double[] exact, int[] owned, int total, int[] rounded) {
    int left = total;
    List<Integer> upward = new ArrayList<>();
    for (int i : indices) {
      rounded[i] = (int) Math.floor(exact[i] + ROUNDING);
      left -= rounded[i];
      if (exact[i] - rounded[i] > ROUNDING) {
        upward.add(i);
      }
    }
    upward.sort(Comparator.comparingInt(i -> rounded[i] - owned[i]));
    if (left < 0 || left > upward.size()) {
      throw new AssertionError(left + " replicas to round among " + upward.size());
    }
    for (int i : upward.subList(0, left)) {
      rounded[i]++;
    }
  }
}
