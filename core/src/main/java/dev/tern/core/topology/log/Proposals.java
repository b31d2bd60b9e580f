package dev.tern.core.topology.log;

import dev.tern.core.topology.Command;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.env.ByteWriter;
import dev.tern.raft.Proposal;
import dev.tern.raft.Raft;
import dev.tern.raft.group.RaftGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Changes on their way into the log: those wanted here, which are carried to the leader, and, at
/// the leader, those in its log and not yet applied.
///
/// A change is handed to a second member only if the first said that it did not take it: so it is
/// in the log once at most.
final class Proposals {
  /// More than so many at once are not proposed.
  static final int MAX_WANTED = 1_000;

  private static final long RETRY_NANOS = 100_000_000;

  private static final Decision OVERTAKEN =
      new Decision.NotProposed("another leader took over: try again");

  /// What this needs of the node.
  interface Surroundings {
    boolean send(int to, TopologyMessage message);

    /// Who may lead: the leader if it is known, else the next voter to ask; 0 for nobody.
    int leader();

    /// The epoch this node goes by.
    long knownEpoch();

    /// Whether this member has applied the founding.
    boolean founded();

    /// What would come of a change now.
    TopologyOutcome foretell(Proposed proposed);
  }

  private record InLog(long term, Consumer<Decision> told) {}

  /// Wanted here.
  private static final class Wanted {
    private final Proposed proposed;
    private final long deadline;
    private final Consumer<Decision> done;

    /// Somebody may have taken it.
    private boolean asked;

    private long nextNanos;
    private @Nullable Decision decided;

    Wanted(Proposed proposed, long deadline, Consumer<Decision> done) {
      this.proposed = proposed;
      this.deadline = deadline;
      this.done = done;
    }
  }

  private final int self;
  private final RaftGroup group;
  private final Surroundings around;
  private final TopologyBug bug;
  private final TreeMap<Long, InLog> inLog = new TreeMap<>();
  private final TreeMap<Long, Wanted> wanted = new TreeMap<>();
  private long nextId;

  /// @param firstId differs in each life of the node
  Proposals(int self, RaftGroup group, Surroundings around, long firstId, TopologyBug bug) {
    this.self = self;
    this.group = group;
    this.around = around;
    this.nextId = firstId;
    this.bug = bug;
  }

  /// Somebody here wants a change.
  void want(Proposed proposed, long nowNanos, long timeoutNanos, Consumer<Decision> done) {
    if (wanted.size() >= MAX_WANTED) {
      done.accept(new Decision.NotProposed("too many changes wait: try again later"));
      return;
    }
    long id = nextId++;
    Wanted one = new Wanted(proposed, nowNanos + timeoutNanos, done);
    wanted.put(id, one);
    attempt(id, one, nowNanos);
  }

  private void attempt(long id, Wanted one, long nowNanos) {
    int leader = around.leader();
    one.nextNanos = nowNanos + RETRY_NANOS;
    if (leader == self) {
      one.asked = take(one.proposed, decision -> decided(id, decision));
    } else if (leader != 0) {
      one.asked = around.send(leader, new TopologyMessage.Propose(id, one.proposed));
    }
  }

  /// Tries again what nobody took, and ends what takes too long.
  void tick(long nowNanos) {
    for (long id : List.copyOf(wanted.keySet())) {
      Wanted one = wanted.get(id);
      if (one == null) {
        continue;
      }
      if (nowNanos >= one.deadline) {
        end(id, one, late(one));
      } else if (one.decided == null && !one.asked && nowNanos >= one.nextNanos) {
        attempt(id, one, nowNanos);
      }
    }
  }

  private static Decision late(Wanted one) {
    if (one.decided != null) {
      return one.decided;
    }
    return one.asked
        ? new Decision.Unknown(
            "the topology log did not answer in time, it may be frozen (cluster status tells):"
                + " look again whether the change came to be")
        : new Decision.NotProposed(
            "the topology log has no leader that can be reached: the topology is frozen until a"
                + " majority of its voters is back; reads and writes go on where enough replicas"
                + " live");
  }

  private void end(long id, Wanted one, Decision decision) {
    wanted.remove(id);
    one.done.accept(decision);
  }

  /// The leader says what became of it.
  void decided(long id, Decision decision) {
    Wanted one = wanted.get(id);
    if (one != null) {
      one.decided = decision;
      settle(id, one);
    }
  }

  /// The member asked did not take it.
  void notTaken(long id) {
    Wanted one = wanted.get(id);
    if (one != null) {
      one.asked = false;
    }
  }

  /// This node goes by another topology: who waited to see his change sees it.
  void known() {
    for (long id : List.copyOf(wanted.keySet())) {
      Wanted one = wanted.get(id);
      if (one != null) {
        settle(id, one);
      }
    }
  }

  private void settle(long id, Wanted one) {
    if (one.decided != null && epoch(one.decided) <= around.knownEpoch()) {
      end(id, one, one.decided);
    }
  }

  private static long epoch(Decision decision) {
    if (decision instanceof Decision.Decided decided) {
      return switch (decided.outcome()) {
        case TopologyOutcome.Changed changed -> changed.epoch();
        case TopologyOutcome.Unchanged unchanged -> unchanged.epoch();
        case TopologyOutcome.Refused refused -> 0;
      };
    }
    return 0;
  }

  // ---- at the leader

  /// Puts a change into the log, if this member leads. Before the founding only the founding is
  /// taken: whoever wants something else asks again.
  ///
  /// @return whether it is there: then `told` will hear, unless this member stops
  boolean take(Proposed proposed, Consumer<Decision> told) {
    Raft raft = group.raft();
    boolean early = !around.founded() && !(proposed.command() instanceof Command.Found);
    if (raft.role() != Raft.Role.LEADER || early) {
      return false;
    }
    ByteWriter bytes = new ByteWriter();
    TopologyCodec.encode(proposed, bytes);
    long index = raft.lastIndex() + 1;
    InLog entry = new InLog(raft.term(), told);
    // A sole voter may have it applied before the call is over.
    InLog overwritten = inLog.put(index, entry);
    if (overwritten != null) {
      overwritten.told.accept(OVERTAKEN);
    }
    boolean tooEarly = bug == TopologyBug.DECIDED_BEFORE_COMMIT;
    TopologyOutcome foretold = tooEarly ? around.foretell(proposed) : null;
    Proposal outcome = group.propose(bytes.toByteArray());
    boolean taken =
        outcome instanceof Proposal.Accepted accepted
            && accepted.index() == index
            && accepted.term() == entry.term();
    if (!taken) {
      inLog.remove(index, entry);
    } else if (foretold != null) {
      inLog.remove(index, entry);
      told.accept(new Decision.Decided(foretold));
    }
    return taken;
  }

  /// An entry was applied.
  void applied(long index, long term, @Nullable TopologyOutcome outcome) {
    InLog entry = inLog.remove(index);
    if (entry == null) {
      return;
    }
    entry.told.accept(
        entry.term == term && outcome != null ? new Decision.Decided(outcome) : OVERTAKEN);
  }

  /// A snapshot replaced the entries up to an index.
  void installed(long index) {
    List<InLog> lost = new ArrayList<>(inLog.headMap(index, true).values());
    inLog.headMap(index, true).clear();
    for (InLog entry : lost) {
      entry.told.accept(new Decision.Unknown("another leader took over: look again"));
    }
  }
}
