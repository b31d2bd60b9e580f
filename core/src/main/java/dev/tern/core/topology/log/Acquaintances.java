package dev.tern.core.topology.log;

import dev.tern.core.topology.TopologyState;
import dev.tern.env.Events;
import dev.tern.env.NodeEvent;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Which nodes have greeted as members of this node's cluster, and which as something else.
///
/// Threads: the loop; [#trusts] any.
final class Acquaintances {
  /// What a greeting makes of its sender.
  enum Verdict {
    FRIEND,
    STRANGER,
    /// This node has not heard of it, and may be behind.
    UNKNOWN
  }

  private final Levels ours;
  private final TopologyBug bug;
  private final Events events;

  /// By member number.
  private volatile boolean[] trusted = new boolean[0];

  private final TreeMap<Integer, String> strangers = new TreeMap<>();
  private boolean metFriend;

  /// Friends that leave and hold nothing for others any more.
  private final TreeSet<Integer> departing = new TreeSet<>();

  Acquaintances(Levels ours, TopologyBug bug, Events events) {
    this.ours = ours;
    this.bug = bug;
    this.events = events;
  }

  /// Whether what comes from a node is to be listened to; any thread.
  boolean trusts(int node) {
    boolean[] now = trusted;
    return node > 0 && node < now.length && now[node];
  }

  /// What one of the members says against this node, if most do and none was ever trusted in this
  /// life; null otherwise.
  @Nullable String onlyStrangers(TopologyState known) {
    TreeMap<Integer, String> refusing = new TreeMap<>(strangers);
    refusing.keySet().removeIf(number -> known.member(number) == null);
    boolean most = !refusing.isEmpty() && 2 * refusing.size() >= known.members().size() - 1;
    return most && !metFriend ? refusing.firstEntry().getValue() : null;
  }

  /// Why nodes are strangers, by their numbers.
  Map<Integer, String> strangers() {
    return strangers;
  }

  /// Whether a friend waits to be removed.
  boolean departs(int node) {
    return departing.contains(node);
  }

  /// It has to greet again.
  void forget(int node) {
    departing.remove(node);
    set(node, false);
  }

  private void set(int node, boolean trust) {
    if (trusts(node) != trust && node > 0) {
      boolean[] next = Arrays.copyOf(trusted, Math.max(trusted.length, node + 1));
      next[node] = trust;
      trusted = next;
    }
  }

  /// Other members from now on: who is none is not trusted.
  void members(TopologyState known) {
    for (int node = 1; node < trusted.length; node++) {
      if (known.member(node) == null) {
        set(node, false);
      }
    }
    strangers.keySet().removeIf(node -> known.member(node) == null);
  }

  /// A node says who it is.
  Verdict greeted(int node, TopologyMessage.Greeting greeting, TopologyState known) {
    String problem = problem(node, greeting, known);
    boolean member = known.member(node) != null;
    if (problem == null && !member && greeting.epoch() > known.epoch()) {
      return Verdict.UNKNOWN;
    }
    if (problem == null && !member) {
      problem = "it is no member of cluster " + known.cluster();
    }
    set(node, problem == null);
    if (problem == null) {
      if (greeting.departs()) {
        departing.add(node);
      } else {
        departing.remove(node);
      }
      metFriend = true;
      strangers.remove(node);
      return Verdict.FRIEND;
    }
    if (!problem.equals(strangers.put(node, problem))) {
      events.happened(new NodeEvent.StrangerRefused(node, problem));
    }
    return Verdict.STRANGER;
  }

  private @Nullable String problem(
      int node, TopologyMessage.Greeting greeting, TopologyState known) {
    // First: of a node whose levels do not meet this one's no more can be read.
    String unable = greeting.levels().problem(known.level());
    if (unable != null) {
      return "node " + node + ": " + unable;
    }
    String unableHere = ours.problem(greeting.level());
    if (unableHere != null) {
      return "this node: " + unableHere;
    }
    boolean here = known.cluster().known();
    boolean there = greeting.cluster().known();
    if (here && there && !known.cluster().equals(greeting.cluster())) {
      return "node %d belongs to cluster %s, this node to %s"
          .formatted(node, greeting.cluster(), known.cluster());
    }
    boolean agree = greeting.founding().equals(known.founding());
    if (!(here && there) && !agree && bug != TopologyBug.FOUNDERS_DISAGREE) {
      return "founders disagree: node %d was told of %s"
          .formatted(node, greeting.founding().differenceFrom(known.founding()));
    }
    return null;
  }
}
