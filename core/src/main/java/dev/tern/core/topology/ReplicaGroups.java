package dev.tern.core.topology;

import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The replica groups of one placement policy, one a partition: who is in it, under which replica
/// id, since which epoch, and how far a move of it has come. Immutable.
///
/// ```
///   varint number, policy, varint partitions, for each: see GroupEntry
/// ```
///
/// Invariant: a replica id belongs to one admission of one member to one group, for ever.
public final class ReplicaGroups {
  /// The highest number: it is a u16 in every record key.
  static final int MAX_NUMBER = 0xffff;

  private final int number;
  private final PlacementPolicy policy;

  /// By partition.
  private final GroupEntry[] entries;

  private final ReplicaLists lists;
  private final ReplicaLists targets;

  private ReplicaGroups(int number, PlacementPolicy policy, GroupEntry[] entries) {
    this.number = number;
    this.policy = policy;
    this.entries = entries;
    this.lists = lists(entries, GroupEntry::oldList);
    this.targets = lists(entries, GroupEntry::newList);
  }

  private static ReplicaLists lists(GroupEntry[] entries, Function<GroupEntry, int[]> of) {
    return ReplicaLists.over(Arrays.stream(entries).map(of).toArray(int[][]::new));
  }

  /// New groups whose replicas take the ids from `firstId` on.
  static ReplicaGroups placed(
      int number, PlacementPolicy policy, ReplicaLists lists, int firstId, long epoch) {
    GroupEntry[] entries = new GroupEntry[lists.partitions()];
    int next = firstId;
    for (int p = 0; p < entries.length; p++) {
      entries[p] = GroupEntry.placed(lists.list(p), next, epoch);
      next += lists.list(p).length;
    }
    return new ReplicaGroups(number, policy, entries);
  }

  public PlacementPolicy policy() {
    return policy;
  }

  /// The list of each partition; the old one while the partition moves.
  public ReplicaLists lists() {
    return lists;
  }

  /// The list that each partition has or gets by the move under way.
  public ReplicaLists targets() {
    return targets;
  }

  /// Names these groups for ever, the set number of record keys: from 1 to [#MAX_NUMBER], on all
  /// nodes the same, and no others ever have it.
  public int number() {
    return number;
  }

  /// The replicas of a partition, those of both lists while it moves.
  public ReplicaSet replicaSet(int partition) {
    return entries[partition].set();
  }

  /// The id of the replica at a place of a partition's [#replicaSet].
  public int replicaId(int partition, int place) {
    return entries[partition].id(place);
  }

  /// The epoch of a partition's entry: the topology's when the entry last changed.
  public long epoch(int partition) {
    return entries[partition].epoch();
  }

  /// The epoch of a partition's entry before its last step; that of the entry if it never moved.
  public long compatibleFrom(int partition) {
    return entries[partition].compatibleFrom();
  }

  /// The oldest epoch of a partition's entry by which a read may go: [#compatibleFrom], or
  /// [#epoch(int)] where the entry before read another list.
  public long readsFrom(int partition) {
    return entries[partition].readsFrom();
  }

  /// The oldest epoch of a partition's entry by which a write may go: [#compatibleFrom], or
  /// [#epoch(int)] where the entry before wrote other lists or had other leaders.
  public long writesFrom(int partition) {
    return entries[partition].writesFrom();
  }

  /// Whether the move of a partition is cancelled and can only go back: it is *filling*, and was
  /// *switched* before.
  public boolean returns(int partition) {
    return entries[partition].returns();
  }

  /// Whether a member is a replica of a partition, in either list.
  boolean names(int member) {
    return Arrays.stream(entries).anyMatch(entry -> entry.set().has(member));
  }

  /// What some steps came to.
  ///
  /// @param held how many fitted their entries; the others were passed over
  /// @param nextId the first id that is free now
  record Stepped(ReplicaGroups groups, int held, int nextId) {}

  /// Takes steps, each if it fits its entry.
  ///
  /// @param may who may be given a replica, by number
  /// @param nextId the first free id of a replica
  /// @param at the topology's epoch after the steps
  /// @param cancelsFenced a mistake that tests plant
  Stepped stepped(List<Step> steps, Set<Integer> may, int nextId, long at, boolean cancelsFenced) {
    GroupEntry[] after = entries.clone();
    int n = Math.min(policy.n(), may.size());
    int next = nextId;
    int held = 0;
    for (Step step : steps) {
      GroupEntry before = step.partition() < after.length ? after[step.partition()] : null;
      @Nullable GroupEntry entry = before == null ? null : before.after(step, may, n, next, at);
      if (cancelsFenced && before != null && entry == null) {
        entry = before.cancelledAnyway(step, at);
      }
      if (before != null && entry != null) {
        next += before.newcomers(step);
        after[step.partition()] = entry;
        held++;
      }
    }
    return new Stepped(new ReplicaGroups(number, policy, after), held, next);
  }

  void encode(ByteWriter out) {
    TopologyCodec.encode(policy, out.writeVarInt(number));
    out.writeVarInt(entries.length);
    for (GroupEntry entry : entries) {
      entry.encode(out);
    }
  }

  static ReplicaGroups decode(ByteReader in) {
    int number = in.readVarIntIn(1, MAX_NUMBER);
    PlacementPolicy policy = TopologyCodec.policy(in);
    int partitions = in.readCount(1);
    if (partitions > Slots.COUNT) {
      throw new DecodeException("groups of " + partitions + " partitions");
    }
    GroupEntry[] entries = new GroupEntry[partitions];
    for (int p = 0; p < partitions; p++) {
      entries[p] = GroupEntry.decode(in);
    }
    return new ReplicaGroups(number, policy, entries);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ReplicaGroups that
        && number == that.number
        && policy.equals(that.policy)
        && Arrays.equals(entries, that.entries);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(entries);
  }

  @Override
  public String toString() {
    return number + " " + policy + " " + Arrays.toString(entries);
  }
}
