package dev.tern.core.topology.log;

import dev.tern.raft.group.RaftGroup;

/// What the parts of a [TopologyLog] stand on.
///
/// @param self this member's number
/// @param acquaintances who is listened to
record LogParts(
    int self,
    TopologyLog.Options options,
    KnownTopology known,
    RaftGroup group,
    KnownLeader leader,
    Amnesia amnesia,
    Acquaintances acquaintances) {}
