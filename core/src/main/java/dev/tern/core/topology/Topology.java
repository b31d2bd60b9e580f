package dev.tern.core.topology;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// The members and the replica list of every partition, under one epoch.
///
/// The 16384 slots are cut into `Q` equal arcs, the partitions. Lists come from a static member
/// list by rotation: partition `p`'s list starts at member `p mod m` and goes round, new zones
/// before zones already used; or from the topology log ([TopologyState#topology]).
public final class Topology {
  private final long epoch;
  private final int partitions;
  private final List<Member> members;
  private final Member[] byNumber;

  /// By partition: since when its list is what it is.
  private final long[] epochs;

  /// By partition; no list is longer than n.
  private final ReplicaSet[] replicas;

  private Topology(long epoch, long[] epochs, List<Member> members, int[][] replicas) {
    this.epoch = epoch;
    this.epochs = epochs;
    this.partitions = replicas.length;
    this.members = members;
    this.replicas = new ReplicaSet[replicas.length];
    Arrays.setAll(this.replicas, p -> ReplicaSet.stable(replicas[p]));
    int largest = members.getLast().number();
    this.byNumber = new Member[largest + 1];
    for (Member member : members) {
      byNumber[member.number()] = member;
    }
  }

  /// Lists of up to `n` replicas for a fixed set of members.
  ///
  /// @param partitions a power of two, at most 16384
  /// @throws IllegalArgumentException if members repeat or there are none
  public static Topology ofMembers(long epoch, int partitions, int n, List<Member> members) {
    String uneven = Slots.problem(partitions);
    if (uneven != null) {
      throw new IllegalArgumentException(uneven);
    }
    if (members.isEmpty() || n < 1) {
      throw new IllegalArgumentException("a topology needs a member and n of at least 1");
    }
    List<Member> sorted = members.stream().sorted(Comparator.comparingInt(Member::number)).toList();
    for (int i = 0; i < sorted.size(); i++) {
      int number = sorted.get(i).number();
      boolean repeated = i > 0 && sorted.get(i - 1).number() == number;
      if (number < 1 || number > Member.MAX_NUMBER || repeated) {
        throw new IllegalArgumentException(
            "member numbers must differ and lie between 1 and %d: %d"
                .formatted(Member.MAX_NUMBER, number));
      }
    }
    int[][] replicas = new int[partitions][];
    for (int p = 0; p < partitions; p++) {
      replicas[p] = rotation(sorted, p % sorted.size(), n);
    }
    long[] epochs = new long[partitions];
    Arrays.fill(epochs, epoch);
    return new Topology(epoch, epochs, sorted, replicas);
  }

  /// Lists that were decided.
  static Topology placed(long epoch, List<Member> members, ReplicaGroups groups) {
    long[] epochs = new long[groups.lists().partitions()];
    Arrays.setAll(epochs, groups::epoch);
    return new Topology(epoch, epochs, List.copyOf(members), groups.lists().copied());
  }

  private static int[] rotation(List<Member> members, int start, int n) {
    int wanted = Math.min(n, members.size());
    List<Member> chosen = new ArrayList<>();
    for (boolean newZonesOnly : new boolean[] {true, false}) {
      for (int i = 0; i < members.size() && chosen.size() < wanted; i++) {
        Member candidate = members.get((start + i) % members.size());
        boolean zoneUsed = chosen.stream().anyMatch(m -> m.zone().equals(candidate.zone()));
        if (!chosen.contains(candidate) && !(newZonesOnly && zoneUsed)) {
          chosen.add(candidate);
        }
      }
    }
    return chosen.stream().mapToInt(Member::number).toArray();
  }

  /// Grows with every change of anything.
  public long epoch() {
    return epoch;
  }

  /// Since which epoch a partition's list is what it is; a message that carries an older one is
  /// refused.
  public long epoch(int partition) {
    return epochs[partition];
  }

  public int partitions() {
    return partitions;
  }

  /// In order of their numbers.
  public List<Member> members() {
    return members;
  }

  /// The member of that number.
  ///
  /// @throws IllegalArgumentException if there is none
  public Member member(int number) {
    if (number < 1 || number >= byNumber.length || byNumber[number] == null) {
      throw new IllegalArgumentException("no member has the number " + number);
    }
    return byNumber[number];
  }

  public int partitionOf(int slot) {
    return slot / (Slots.COUNT / partitions);
  }

  /// The first slot of a partition; its last is that of the next, less one.
  public int firstSlot(int partition) {
    return partition * (Slots.COUNT / partitions);
  }

  /// Member numbers in order of preference; shared, do not change.
  public int[] replicas(int partition) {
    return replicas[partition].members();
  }

  /// The replicas of a partition.
  public ReplicaSet replicaSet(int partition) {
    return replicas[partition];
  }
}
