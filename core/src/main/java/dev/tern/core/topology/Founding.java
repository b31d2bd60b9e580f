package dev.tern.core.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What each founder is told, alike: it decides who found the cluster, and where data lies until
/// the log exists.
///
/// @param partitions a power of two, for ever
/// @param founders in order of numbers
/// @param keyspaces the first ones; they get the ids from 1 on
public record Founding(
    int partitions, List<MemberEntry> founders, List<KeyspaceSettings> keyspaces) {
  /// Of a node that founds nothing but waits to be told.
  public static final Founding NOTHING = new Founding(0, List.of(), List.of());

  public Founding {
    founders = List.copyOf(founders);
    keyspaces = List.copyOf(keyspaces);
  }

  /// Why no cluster can be founded like this; null if one can.
  public @Nullable String problem() {
    String uneven = Slots.problem(partitions);
    if (uneven != null) {
      return uneven;
    }
    if (founders.isEmpty() || founders.stream().noneMatch(MemberEntry::eligible)) {
      return "a cluster needs a founder that may hold data";
    }
    int before = 0;
    for (MemberEntry founder : founders) {
      if (founder.number() <= before) {
        return "founders have different numbers, in order: " + founder.number();
      }
      before = founder.number();
      String problem = problem(founder);
      if (problem != null) {
        return problem;
      }
    }
    Set<String> names = new TreeSet<>();
    for (KeyspaceSettings keyspace : keyspaces) {
      String problem = keyspace.problem();
      if (problem != null) {
        return problem;
      }
      if (!names.add(keyspace.name())) {
        return "two keyspaces are called " + keyspace.name();
      }
    }
    return null;
  }

  static @Nullable String problem(MemberEntry entry) {
    int number = entry.number();
    if (number < 1 || number > Member.MAX_NUMBER) {
      return "member numbers lie between 1 and " + Member.MAX_NUMBER + ", not " + number;
    }
    String weight = MemberEntry.weightProblem(entry.weight());
    if (weight != null) {
      return weight;
    }
    return entry.zone().isEmpty() ? "member " + number + " has no zone" : null;
  }

  /// The policies of the keyspaces, in order of their first appearance.
  List<PlacementPolicy> policies() {
    return keyspaces.stream().map(KeyspaceSettings::policy).distinct().toList();
  }

  /// The command that founds a cluster like this.
  ///
  /// @throws IllegalArgumentException if there is a [#problem]
  public Command.Found command(ClusterId cluster) {
    String problem = problem();
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    List<ReplicaLists> placed = new ArrayList<>();
    for (PlacementPolicy policy : policies()) {
      placed.add(ReplicaLists.of(rotates() ? rotation(policy.n()) : planned(policy)));
    }
    return new Command.Found(cluster, this, placed);
  }

  /// What holds at epoch 1, for those who do not know the cluster's id yet.
  ///
  /// @throws IllegalArgumentException if there is a [#problem]
  public TopologyState state() {
    return TopologyState.NOTHING.apply(new Proposed(0, command(ClusterId.NONE))).state();
  }

  /// Founders with a zone each and equal weights are placed by rotation, as all clusters were
  /// before there was a planner: so their data stays where it is.
  private boolean rotates() {
    long zones = founders.stream().map(MemberEntry::zone).distinct().count();
    long weights = founders.stream().mapToInt(MemberEntry::weight).distinct().count();
    return zones == founders.size() && weights == 1;
  }

  private int[][] rotation(int n) {
    List<Member> members = founders.stream().map(MemberEntry::member).toList();
    Topology topology = Topology.ofMembers(1, partitions, n, members);
    int[][] lists = new int[partitions][];
    for (int p = 0; p < partitions; p++) {
      lists[p] = topology.replicas(p);
    }
    return lists;
  }

  private int[][] planned(PlacementPolicy policy) {
    return TopologyState.fresh(partitions, founders, policy);
  }

  /// In what two foundings differ, for people; this one's word first.
  public String differenceFrom(Founding other) {
    if (partitions != other.partitions) {
      return "%d partitions, not %d".formatted(partitions, other.partitions);
    }
    for (MemberEntry founder : founders) {
      if (!other.founders.contains(founder)) {
        return "founder %s, which is not among %s".formatted(text(founder), other.text());
      }
    }
    if (!founders.equals(other.founders)) {
      return "founders %s, not %s".formatted(text(), other.text());
    }
    return "keyspaces %s, not %s".formatted(keyspaces, other.keyspaces);
  }

  private String text() {
    return founders.isEmpty()
        ? "none"
        : String.join(", ", founders.stream().map(Founding::text).toList());
  }

  private static String text(MemberEntry founder) {
    Member member = founder.member();
    return "%d@%s:%d (zone %s, weight %d)"
        .formatted(
            member.number(),
            member.host(),
            member.ports().internode(),
            member.zone(),
            founder.weight());
  }
}
