package dev.tern.core.repair;

import java.util.List;

/// The partitions of which something lies in a shard though this member is no replica of them.
///
/// @param epoch of the topology that the shard goes by
/// @param partitions by number
/// @param unreadable of these, those of which what remains cannot be read
public record LeftState(long epoch, List<Integer> partitions, List<Integer> unreadable) {
  public LeftState {
    partitions = List.copyOf(partitions);
    unreadable = List.copyOf(unreadable);
  }
}
