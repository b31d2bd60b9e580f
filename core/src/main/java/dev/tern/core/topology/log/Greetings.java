package dev.tern.core.topology.log;

import dev.tern.core.topology.MemberEntry;
import dev.tern.raft.group.RaftGroup;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/// Greets the other members: a node listens to another one only after that has greeted as a member
/// of the same cluster ([Acquaintances]). A greeting also tells the levels that a node speaks, the
/// epoch that it goes by, and whether it has forgotten its part of the log ([Amnesia]).
///
/// Threads: the loop.
final class Greetings {
  /// Sends a message to a node, if it can be reached.
  interface Sender {
    boolean send(int to, TopologyMessage message);
  }

  private final int self;
  private final Levels ours;
  private final KnownTopology known;
  private final RaftGroup group;
  private final KnownLeader leader;
  private final Amnesia amnesia;
  private final Acquaintances acquaintances;
  private final BooleanSupplier empty;
  private final Sender sender;

  /// By member number: the protocol levels that the member speaks.
  private final TreeMap<Integer, Levels> levels = new TreeMap<>();

  /// What this member last said: it may have been given something to hold since.
  private boolean saidDeparting;

  /// @param empty whether this node holds nothing that other nodes wait for
  Greetings(LogParts parts, BooleanSupplier empty, Sender sender) {
    this.self = parts.self();
    this.ours = parts.options().levels();
    this.known = parts.known();
    this.group = parts.group();
    this.leader = parts.leader();
    this.amnesia = parts.amnesia();
    this.acquaintances = parts.acquaintances();
    this.empty = empty;
    this.sender = sender;
  }

  /// By member number: the levels that members have said they speak.
  Map<Integer, Levels> levels() {
    return Collections.unmodifiableMap(levels);
  }

  /// Whether this member's part of the log holds anything.
  static boolean begun(RaftGroup group) {
    return group.raft().term() > 0 || group.raft().lastIndex() > 0;
  }

  /// The connection to a node is open: that node, or another in its place, has to greet.
  void connected(int node) {
    acquaintances.forget(node);
    amnesia.forget(node);
    greet(node, true);
  }

  /// Greets each member that has to greet anew, or has to be told something.
  void greetMembers() {
    boolean departs = departs();
    boolean changed = departs != saidDeparting;
    saidDeparting = departs;
    for (MemberEntry member : known.state().members()) {
      boolean asks =
          amnesia.forgetful()
              || departs
              || changed
              || !acquaintances.trusts(member.number())
              || leader.isSelf() && !amnesia.remembers(member.number());
      if (member.number() != self && asks) {
        greet(member.number(), true);
      }
    }
  }

  /// Whether this member is leaving, has no replicas and nothing of those that it left, and holds
  /// no hints for others any more.
  private boolean departs() {
    MemberEntry own = known.state().member(self);
    return own != null && own.leaving() && !known.state().holds(self) && empty.getAsBoolean();
  }

  /// Greets all members.
  void greetAll() {
    known.state().members().forEach(member -> greet(member.number(), false));
  }

  private void greet(int node, boolean answer) {
    sender.send(
        node,
        new TopologyMessage.Greeting(
            answer,
            ours,
            known.state().level(),
            known.state().cluster(),
            known.epoch(),
            known.state().founding(),
            amnesia.life(),
            !leader.isSelf()
                && !amnesia.forgetful()
                && Amnesia.pair(group.raft().membership(), self, node),
            departs()));
  }

  /// A node says who it is.
  ///
  /// @return whether it is a member of this cluster, and is listened to from now on
  boolean greeted(int from, TopologyMessage.Greeting greeting) {
    Acquaintances.Verdict verdict = acquaintances.greeted(from, greeting, known.state());
    boolean friend = verdict == Acquaintances.Verdict.FRIEND;
    if (friend && amnesia.greeted(from, greeting, begun(group))) {
      greetAll();
    }
    if (greeting.answer()) {
      greet(from, false);
    }
    boolean same = greeting.cluster().equals(known.state().cluster());
    if (friend) {
      levels.put(from, greeting.levels());
    } else if (same && greeting.epoch() < known.epoch()) {
      // It was removed, and shall know.
      sender.send(from, new TopologyMessage.State(known.state()));
    }
    return friend;
  }
}
