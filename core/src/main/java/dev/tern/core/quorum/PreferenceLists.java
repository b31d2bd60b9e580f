package dev.tern.core.quorum;

import dev.tern.core.context.ShardContext;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.Topology;
import dev.tern.core.traffic.Peers;

/// Who of a key's preference list is alive or near, who leads its updates, and who may stand in for
/// those that are away: the next healthy nodes in the order of the ring (after DeCandia et al.,
/// "Dynamo", 2007).
///
/// Threads: the shard's loop.
final class PreferenceLists {
  private final int self;
  private final Peers peers;
  private final Departure departure;
  private ClusterView view;

  /// By member number: whether it is in this node's datacenter.
  private boolean[] near;

  PreferenceLists(ShardContext context, ClusterView view, Peers peers, Departure departure) {
    this.self = context.self();
    this.peers = peers;
    this.departure = departure;
    this.view = view;
    this.near = near(view);
  }

  private boolean[] near(ClusterView of) {
    boolean[] found = new boolean[of.state().nextMember()];
    MemberEntry own = of.state().member(self);
    for (Member member : of.members()) {
      found[member.number()] = own != null && member.datacenter().equals(own.member().datacenter());
    }
    return found;
  }

  /// Other lists hold from now on.
  void adopt(ClusterView later) {
    view = later;
    near = near(later);
    peers.members(later.members());
  }

  ClusterView view() {
    return view;
  }

  /// Whether a member is believed alive by this shard.
  boolean live(int member) {
    return peers.live(member);
  }

  /// Whether a member is in this node's datacenter.
  boolean near(int member) {
    return member < near.length && near[member];
  }

  /// How many replicas are in this node's datacenter.
  int near(ReplicaSet replicas) {
    int count = 0;
    for (int member : replicas.members()) {
      count += near(member) ? 1 : 0;
    }
    return count;
  }

  /// The first replica of the list that leads ([ReplicaSet#leaders]) that is believed alive; 0 if
  /// there is none. This node is passed over for any other while it leaves.
  int firstLive(ReplicaSet replicas) {
    return peers.firstLive(replicas.leaders().members(), /* butThis= */ departure.leaves());
  }

  /// Whether this node is the first live replica.
  boolean leads(ReplicaSet replicas) {
    return firstLive(replicas) == self;
  }

  /// Whether no other replica that may lead is believed alive.
  boolean isAlone(ReplicaSet replicas) {
    for (int member : replicas.leaders().members()) {
      if (member != self && live(member)) {
        return false;
      }
    }
    return true;
  }

  /// The places of the replicas that are believed alive, a bit for each.
  long livePlaces(ReplicaSet replicas) {
    long places = 0;
    for (int place = 0; place < replicas.size(); place++) {
      places |= live(replicas.member(place)) ? Quorum.bit(place) : 0;
    }
    return places;
  }

  /// The next healthy node, after the key's replicas in the order of the ring, that may hold a
  /// write for one of them; 0 if there is none.
  ///
  /// @param taken who holds it for others
  int holder(Request request, int[] taken) {
    Topology topology = view.topology(request.keyspace().id());
    if (topology == null) {
      return 0;
    }
    int partitions = topology.partitions();
    int home = topology.partitionOf(request.slot());
    for (int i = 1; i < partitions; i++) {
      for (int node : topology.replicas((home + i) % partitions)) {
        if (!request.replicas().has(node) && !names(taken, node) && live(node)) {
          return node;
        }
      }
    }
    return 0;
  }

  private static boolean names(int[] nodes, int node) {
    for (int each : nodes) {
      if (each == node) {
        return true;
      }
    }
    return false;
  }

  /// How many nodes may hold a write, at most as many as are wanted.
  int holders(Request request, int wanted) {
    int[] taken = new int[wanted];
    int found = 0;
    while (found < wanted && (taken[found] = holder(request, taken)) != 0) {
      found++;
    }
    return found;
  }
}
