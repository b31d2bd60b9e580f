package dev.tern.core.topology.log;

import dev.tern.env.Events;
import dev.tern.env.NodeEvent;

/// Reports what happens to a node's part of the topology log: each leader that the node learns of
/// once, the loss of a known leader once, and that the part has stopped.
///
/// Threads: the loop of the log.
final class LogEvents {
  private final Events events;
  private int leader;
  private long term;

  LogEvents(Events events) {
    this.events = events;
  }

  /// As this member's part of the log says now.
  ///
  /// @param led the number of the leader, 0 while none is known
  void leads(long inTerm, int led) {
    if (led == leader && (led == 0 || inTerm == term)) {
      return;
    }
    leader = led;
    term = inTerm;
    events.happened(new NodeEvent.LeaderChanged(inTerm, led));
  }

  /// This node's part has stopped.
  ///
  /// @return why, as it was given
  String failed(String why) {
    events.happened(new NodeEvent.TopologyLogFailed(why));
    return why;
  }
}
