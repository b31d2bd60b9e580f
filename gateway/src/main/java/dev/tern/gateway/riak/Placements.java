package dev.tern.gateway.riak;

import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.Topology;

/// Where the keys of a type lie, for clients that go to a replica directly.
///
/// ```
///   message Placement {
///     uint64 epoch = 1;                  // grows with every change
///     repeated Node nodes = 3;           // { uint32 number = 1; bytes host = 2; uint32 port = 3;
///                                        //   bytes zone = 4; }
///     repeated Arc partitions = 4;       // { repeated uint32 replicas = 1; } in order of slots
///   }
/// ```
///
/// A key lies in slot `CRC16(key or its {hashtag}) mod 16384` of [BucketKey#of] of its bucket and
/// key; the partitions are equal arcs of the slots.
final class Placements {
  private Placements() {}

  static byte[] encoded(ClusterView view, int keyspace) {
    Topology topology = view.topology(keyspace);
    if (topology == null) {
      throw new RiakException("the bucket type was dropped");
    }
    Fields.Message message = new Fields.Message();
    message.number(1, (int) topology.epoch());
    for (Member member : topology.members()) {
      message.bytes(
          3,
          new Fields.Message()
              .number(1, member.number())
              .string(2, member.host())
              .number(3, member.ports().riak())
              .string(4, member.zone())
              .encoded());
    }
    for (int partition = 0; partition < topology.partitions(); partition++) {
      Fields.Message arc = new Fields.Message();
      for (int replica : topology.replicas(partition)) {
        arc.number(1, replica);
      }
      message.bytes(4, arc.encoded());
    }
    return message.encoded();
  }
}
