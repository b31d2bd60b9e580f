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

  /// By partition: since when its lists are what they are.
  private final long[] epochs;

  /// By partition: the oldest epochs of its entry by which reads and writes may go.
  private final long[] readableFrom;

  private final long[] writableFrom;

  /// By partition; no list is longer than n.
  private final ReplicaSet[] replicas;

  private Topology(
      long epoch,
      long[] epochs,
      long[] readableFrom,
      long[] writableFrom,
      List<Member> members,
      ReplicaSet[] replicas) {
    this.epoch = epoch;
    this.epochs = epochs;
    this.readableFrom = readableFrom;
    this.writableFrom = writableFrom;
    this.partitions = replicas.length;
    this.members = members;
    this.replicas = replicas;
    int largest = members.getLast().number();
    assert isRising(members) : members;
    this.byNumber = new Member[largest + 1];
    for (Member member : members) {
      byNumber[member.number()] = member;
    }
  }

  private static boolean isRising(List<Member> members) {
    int last = 0;
    for (Member member : members) {
      if (member.number() <= last) {
        return false;
      }
      last = member.number();
    }
    return true;
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
    ReplicaSet[] replicas = new ReplicaSet[partitions];
    Arrays.setAll(replicas, p -> ReplicaSet.stable(rotation(sorted, p % sorted.size(), n)));
    long[] epochs = new long[partitions];
    Arrays.fill(epochs, epoch);
    return new Topology(epoch, epochs, epochs, epochs, sorted, replicas);
  }

  /// Lists that were decided.
  static Topology placed(long epoch, List<Member> members, ReplicaGroups groups) {
    int partitions = groups.lists().partitions();
    long[] epochs = new long[partitions];
    Arrays.setAll(epochs, groups::epoch);
    long[] readableFrom = new long[partitions];
    Arrays.setAll(readableFrom, groups::readsFrom);
    long[] writableFrom = new long[partitions];
    Arrays.setAll(writableFrom, groups::writesFrom);
    ReplicaSet[] replicas = new ReplicaSet[partitions];
    Arrays.setAll(replicas, groups::replicaSet);
    return new Topology(epoch, epochs, readableFrom, writableFrom, List.copyOf(members), replicas);
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

  /// Since which epoch a partition's lists and its phase are what they are.
  public long epoch(int partition) {
    return epochs[partition];
  }

  /// The oldest epoch of a partition's entry by which a read may go: who goes by an older one may
  /// ask where it is not written any more.
  public long readableFrom(int partition) {
    return readableFrom[partition];
  }

  /// The oldest epoch of a partition's entry by which a write may go: who goes by an older one may
  /// write where it is not read any more.
  public long writableFrom(int partition) {
    return writableFrom[partition];
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

  /// The numbers of the members that lead, in order of preference; shared, do not change. See
  /// [ReplicaSet#leaders].
  public int[] replicas(int partition) {
    return replicas[partition].leaders().members();
  }

  /// The replicas of a partition, of both lists while it moves.
  public ReplicaSet replicaSet(int partition) {
    return replicas[partition];
  }
}
