package dev.tern.simulation;

import dev.tern.env.ByteWriter;
import dev.tern.raft.Entry;
import dev.tern.raft.Membership;
import dev.tern.raft.Proposal;
import dev.tern.raft.Raft;
import dev.tern.raft.RaftMessage;
import dev.tern.raft.group.RaftGroup;
import dev.tern.world.World;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One group in a run: its members on all nodes, those who propose and read, and what is checked.
///
/// The log orders all writes; so reads are linearizable exactly if each sees a state not older than
/// every write that was acknowledged, and every read that ended, before it began.
final class RaftSubject {
  /// How a member is opened, given who watches it.
  interface Opener {
    RaftGroup open(Observer observer) throws IOException;
  }

  /// A read under way.
  private record Reading(long floor) {}

  final int number;
  private final RaftRun run;
  private final World world;
  private final @Nullable RaftGroup[] members;
  private final RaftInvariants invariants = new RaftInvariants();
  private long nextId = 1;

  /// No read that begins now may see a state before this index.
  private long floor;

  long acknowledged;
  long readsDone;

  RaftSubject(RaftRun run, int number) {
    this.run = run;
    this.world = run.world;
    this.number = number;
    this.members = new RaftGroup[run.nodeCount + 1];
  }

  /// What one life of a member tells.
  final class Observer implements RaftGroup.Listener, Registers.Watcher {
    private final int node;
    private final Registers machine = new Registers(this);
    private final Map<Long, Reading> reading = new TreeMap<>();

    /// Proposals of this life: their terms by index.
    private final TreeMap<Long, Long> proposed = new TreeMap<>();

    Observer(int node) {
      this.node = node;
    }

    Registers machine() {
      return machine;
    }

    @Override
    public void applied(Registers state, Entry entry) {
      invariants.state(node, state);
      Long term = proposed.remove(entry.index());
      if (term != null && term == entry.term()) {
        acknowledged++;
        floor = Math.max(floor, entry.index());
      }
    }

    @Override
    public void installed(Registers state) {
      invariants.state(node, state);
    }

    @Override
    public void send(int to, RaftMessage message) {
      run.send(number, node, to, message);
    }

    @Override
    public void readReady(long context) {
      Reading read = reading.remove(context);
      if (read == null) {
        throw new History.Violation("a read of context " + context + " that nobody began");
      }
      if (machine.index() < read.floor()) {
        throw new History.Violation(
            "node %d read the state of index %d after that of %d was acknowledged"
                .formatted(node, machine.index(), read.floor()));
      }
      readsDone++;
      floor = Math.max(floor, machine.index());
    }

    @Override
    public void readRefused(long context) {
      reading.remove(context);
    }

    @Override
    public void roleChanged(Raft.Role role, long term, int leader) {
      run.became(node, role);
    }

    @Override
    public void failed(Throwable why) {
      throw new IllegalStateException("group %d failed".formatted(number), why);
    }
  }

  private final Map<Integer, Observer> observers = new TreeMap<>();

  void start(int node, Opener opener) throws IOException {
    Observer observer = new Observer(node);
    RaftGroup member = opener.open(observer);
    invariants.started(node);
    observers.put(node, observer);
    members[node] = member;
  }

  void stop(int node) {
    members[node] = null;
    observers.remove(node);
  }

  @Nullable RaftGroup member(int node) {
    return members[node];
  }

  void tick(int node) {
    RaftGroup member = members[node];
    if (member != null) {
      member.tick();
    }
  }

  void deliver(int from, int to, RaftMessage message) {
    RaftGroup member = members[to];
    if (member != null) {
      member.step(from, message);
    }
  }

  void inspect(int node) {
    RaftGroup member = members[node];
    if (member != null) {
      invariants.check(member.raft());
    }
  }

  // ---- users

  void begin() {
    propose(world.between(1, 40) * RaftRun.MILLI);
    read(world.between(1, 40) * RaftRun.MILLI);
  }

  private int anyNode() {
    return 1 + world.random.nextInt(run.nodeCount);
  }

  private void propose(long meanNanos) {
    world.schedule(
        world.between(0, 2 * meanNanos),
        0,
        () -> {
          if (!run.calm()) {
            int node = world.chance(0.7) ? run.leaderOrAny() : anyNode();
            world.schedule(0, node, () -> proposeAt(node));
            propose(meanNanos);
          }
        });
  }

  private boolean proposeAt(int node) {
    RaftGroup member = members[node];
    Observer observer = observers.get(node);
    if (member == null || observer == null) {
      return false;
    }
    ByteWriter payload = new ByteWriter();
    payload.writeLong(nextId++);
    payload.writeBytes(new byte[world.random.nextInt(100)]);
    // A sole voter may have it applied before the call is over.
    long index = member.raft().lastIndex() + 1;
    long term = member.raft().term();
    if (member.propose(payload.toByteArray()) instanceof Proposal.Accepted accepted) {
      if (accepted.index() == index && accepted.term() == term) {
        observer.proposed.put(index, term);
        return true;
      }
    }
    return false;
  }

  private void read(long meanNanos) {
    world.schedule(
        world.between(0, 2 * meanNanos),
        0,
        () -> {
          if (!run.calm()) {
            int node = anyNode();
            world.schedule(0, node, () -> readAt(node));
            read(meanNanos);
          }
        });
  }

  private void readAt(int node) {
    RaftGroup member = members[node];
    Observer observer = observers.get(node);
    if (member != null && observer != null) {
      long context = nextId++;
      observer.reading.put(context, new Reading(floor));
      member.read(context);
    }
  }

  private @Nullable RaftGroup leader() {
    RaftGroup found = null;
    for (RaftGroup member : members) {
      if (member != null && member.raft().role() == Raft.Role.LEADER) {
        boolean later = found == null || member.raft().term() > found.raft().term();
        found = later ? member : found;
      }
    }
    return found;
  }

  void changeMembers() {
    RaftGroup leader = leader();
    if (leader == null) {
      return;
    }
    List<Integer> voters = new ArrayList<>();
    List<Integer> learners = new ArrayList<>();
    for (int node = 1; node <= run.nodeCount; node++) {
      if (world.chance(0.6)) {
        voters.add(node);
      } else if (world.chance(0.5)) {
        learners.add(node);
      }
    }
    if (voters.size() < 2) {
      voters = List.of(1, 2, 3);
      learners = List.of();
    }
    Membership target = Membership.of(voters, learners);
    world.schedule(0, leader.raft().id(), () -> leader.change(target));
  }

  void transfer() {
    RaftGroup leader = leader();
    int to = anyNode();
    if (leader != null) {
      int from = leader.raft().id();
      world.schedule(0, from, () -> leader.transfer(to));
      if (world.chance(0.4)) {
        run.deafen(from);
      }
    }
  }

  // ---- the last look

  /// After the heal: somebody leads, takes a command, and every member applies it.
  void lastLook() {
    long until = world.nanos() + 6 * RaftRun.SECOND;
    boolean[] taken = {false};
    while (!taken[0] && world.nanos() < until) {
      RaftGroup leader = leader();
      if (leader != null) {
        int node = leader.raft().id();
        world.schedule(0, node, () -> taken[0] |= proposeAt(node));
      }
      world.runUntil(world.nanos() + 50 * RaftRun.MILLI);
    }
    long wanted = acknowledged + 1;
    while (world.nanos() < until && !(taken[0] && agreed())) {
      world.runUntil(world.nanos() + 50 * RaftRun.MILLI);
    }
    if (!taken[0] || !agreed()) {
      throw new History.Violation(
          "group %d is not well after the heal: %s, wanted %d".formatted(number, state(), wanted));
    }
  }

  private boolean agreed() {
    RaftGroup leader = leader();
    if (leader == null || leader.raft().membership().joint()) {
      return false;
    }
    long index = leader.raft().lastIndex();
    for (int node : leader.raft().membership().members()) {
      RaftGroup member = members[node];
      if (member == null || member.raft().appliedIndex() < index) {
        return false;
      }
    }
    return true;
  }

  private String state() {
    StringBuilder text = new StringBuilder();
    for (RaftGroup member : members) {
      if (member != null) {
        Raft raft = member.raft();
        text.append(
            "[%d %s term %d leader %d last %d commit %d applied %d base %d %s]"
                .formatted(
                    raft.id(),
                    raft.role(),
                    raft.term(),
                    raft.leader(),
                    raft.lastIndex(),
                    raft.commitIndex(),
                    raft.appliedIndex(),
                    raft.baseIndex(),
                    raft.membership()));
      }
    }
    return text.toString();
  }

  int leadersSeen() {
    return invariants.leadersSeen();
  }
}
