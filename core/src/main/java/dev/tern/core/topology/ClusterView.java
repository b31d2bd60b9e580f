package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyspaceConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What requests go by: a [TopologyState] with the lists of each keyspace at hand. Immutable.
public final class ClusterView {
  private final TopologyState state;
  private final List<Member> members;
  private final List<KeyspaceConfig> keyspaces = new ArrayList<>();

  /// By keyspace id, null where there is none; policies share one.
  private final @Nullable KeyspaceConfig[] configs;

  private final @Nullable Topology[] topologies;

  /// By keyspace id: the groups it shares, null where there is none.
  private final @Nullable ReplicaGroups[] groups;

  private ClusterView(TopologyState state) {
    this.state = state;
    this.members = state.members().stream().map(MemberEntry::member).toList();
    this.configs = new KeyspaceConfig[state.nextKeyspace()];
    this.topologies = new Topology[state.nextKeyspace()];
    this.groups = new ReplicaGroups[state.nextKeyspace()];
    TreeMap<Integer, Topology> placed = new TreeMap<>();
    for (KeyspaceDefinition keyspace : state.keyspaces()) {
      PlacementPolicy policy = keyspace.settings().policy();
      int group = state.groups().indexOf(state.groups(policy));
      keyspaces.add(keyspace.config());
      configs[keyspace.id()] = keyspace.config();
      groups[keyspace.id()] = state.groups().get(group);
      topologies[keyspace.id()] = placed.computeIfAbsent(group, first -> state.topology(policy));
    }
  }

  /// @param state of a cluster that was founded
  public static ClusterView of(TopologyState state) {
    return new ClusterView(state);
  }

  /// All of it.
  public TopologyState state() {
    return state;
  }

  public long epoch() {
    return state.epoch();
  }

  /// In order of their numbers.
  public List<Member> members() {
    return members;
  }

  /// The same for all keyspaces, for ever.
  public int partitions() {
    return state.partitions();
  }

  public int partitionOf(int slot) {
    return slot / (Slots.COUNT / state.partitions());
  }

  /// In order of ids.
  public List<KeyspaceConfig> keyspaces() {
    return keyspaces;
  }

  /// Null if there is no keyspace of that id here: dropped, or made since.
  public @Nullable KeyspaceConfig keyspace(int id) {
    return id > 0 && id < configs.length ? configs[id] : null;
  }

  /// Null if there is no keyspace of that name.
  public @Nullable KeyspaceConfig keyspace(String name) {
    KeyspaceDefinition keyspace = state.keyspace(name);
    return keyspace == null ? null : configs[keyspace.id()];
  }

  /// Whether there was a keyspace of that id and is none now.
  public boolean dropped(int id) {
    return id > 0 && id < configs.length && configs[id] == null;
  }

  /// The groups of replicas that a keyspace is in: keyspaces of one policy share clocks and repair.
  /// Null if there is no keyspace of that id here.
  public @Nullable ReplicaGroups groups(int keyspace) {
    return keyspace > 0 && keyspace < groups.length ? groups[keyspace] : null;
  }

  /// The groups of that number, null for none.
  public @Nullable ReplicaGroups groupsNumbered(int number) {
    return state.groupsNumbered(number);
  }

  /// Where a keyspace lies; null if there is none of that id here.
  public @Nullable Topology topology(int keyspace) {
    return keyspace > 0 && keyspace < topologies.length ? topologies[keyspace] : null;
  }
}
