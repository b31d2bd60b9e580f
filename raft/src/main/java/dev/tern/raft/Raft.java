package dev.tern.raft;

import dev.tern.env.CoverageMarks;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One member of one group: Raft without I/O (Ongaro, Ousterhout: "In Search of an Understandable
/// Consensus Algorithm", 2014; Ongaro's dissertation, 2014, for pre-vote 9.6, check of the quorum
/// 6.2, membership 4.3, hand-over 3.10, reads 6.4, writing in parallel 10.2.1).
///
/// Ticks, messages and completions go in; [Effect]s come out of [#drain], to be done in order. The
/// contract is that of etcd's RawNode, with one difference: what must wait for the disk waits in
/// here, so a driver cannot answer too early.
///
/// Rules for the driver:
/// - Before it hands in anything it ticks as often as its clock says, so a pause of the process
///   makes no lease longer than it is.
/// - Writes become durable in the order of their numbers; a [Effect.SaveChunk] with the last part
///   before the [Effect.Persist] after it.
/// - A member that failed to write stops.
///
/// Threads: one, the caller's.
public final class Raft {
  /// The role of a member.
  public enum Role {
    FOLLOWER,
    PRE_CANDIDATE,
    CANDIDATE,
    LEADER
  }

  private static final long NEVER = Long.MIN_VALUE / 2;

  final RaftConfig config;
  final EntryLog log;
  final Outbox outbox;
  private final Randomness random;

  /// The member's term; it never falls.
  private long term;

  /// The member that this one voted for in its term, 0 for nobody; set once a term.
  private int vote;

  /// Whether term or vote changed and no effect has handed them out to be written.
  private boolean stateUnwritten;

  /// The number of the write that holds the term and the vote.
  private long stateWrite;

  private Role role = Role.FOLLOWER;

  /// This term's leader, 0 if unknown.
  private int leader;

  private @Nullable Leader leading;
  private long now;

  /// When a leader was last heard, whatever its term. Until `electionTicks` after it this member
  /// votes for nobody (unless its leader hands over): leases stand on that promise. A member that
  /// starts may have promised just before.
  private long heardTick;

  private long electionTick;
  private int electionTimeout;

  /// The votes that came, by member: 1 yes, -1 no.
  private final TreeMap<Integer, Integer> votes = new TreeMap<>();

  /// The snapshot coming in, who sends it in which term, and how much of it is there. Members may
  /// encode the same snapshot differently, so parts of two senders are never joined.
  private @Nullable SnapshotMark incoming;

  private long incomingTerm;
  private long incomingBytes;

  /// Reads sent to the leader: its number there, the context here. Numbers differ in each life of a
  /// member, so an answer to an earlier life means nothing.
  private final TreeMap<Long, Long> forwarded = new TreeMap<>();

  private long nextForwarded;

  /// Confirmed reads by the index that must be applied first.
  private final TreeMap<Long, List<Long>> readable = new TreeMap<>();

  private Effect.@Nullable RoleChanged told;

  /// @param recovered what is on disk
  /// @param applied what the state machine holds; at least the index of the recovered mark
  /// @param random for election timeouts
  public Raft(RaftConfig config, Recovered recovered, long applied, Randomness random) {
    this.config = config;
    this.random = random;
    this.log = new EntryLog(recovered, applied);
    this.outbox = new Outbox(config.bug());
    this.term = recovered.state().term();
    this.vote = recovered.state().vote();
    this.heardTick = config.leaseTicks() > 0 ? 0 : NEVER;
    this.nextForwarded = random.nextLong() >>> 1;
    waitAnew();
  }

  // ---- what it is

  public int id() {
    return config.id();
  }

  public long term() {
    return term;
  }

  public Role role() {
    return role;
  }

  /// The leader of this term, 0 if none is known.
  public int leader() {
    return leader;
  }

  public long commitIndex() {
    return log.commit();
  }

  public long appliedIndex() {
    return log.applied();
  }

  public long lastIndex() {
    return log.lastIndex();
  }

  /// The index of the entry before the first one in memory.
  public long baseIndex() {
    return log.baseIndex();
  }

  /// The term of the entry at `index`; -1 if the entry is not in memory (the base's term is known).
  public long termAt(long index) {
    return log.term(index);
  }

  /// The entry at `index`, which lies above the base.
  public Entry entryAt(long index) {
    return log.entry(index);
  }

  /// Bytes of the entries in memory.
  public long logBytes() {
    return log.bytes();
  }

  /// The mark of the latest snapshot.
  public SnapshotMark mark() {
    return log.mark();
  }

  /// The membership in force at this member, committed or not.
  public Membership membership() {
    return log.membership();
  }

  /// How far each member's log agrees, at a leader; empty elsewhere.
  public Map<Integer, Long> matched() {
    return leading == null ? new TreeMap<>() : leading.matched();
  }

  long now() {
    return now;
  }

  // ---- what goes in

  /// Tells that a tick of the member's clock has passed.
  public void tick() {
    now++;
    if (leading != null) {
      leading.tick();
    } else if (now - electionTick >= electionTimeout && promotable()) {
      campaign(true, false);
    }
  }

  /// Asks for votes now, for tests and for operators.
  public void campaign() {
    if (leading == null && promotable()) {
      campaign(true, false);
    }
  }

  /// Proposes a command. Only a leader takes it.
  public Proposal propose(byte[] payload) {
    return leading == null ? notLeader() : leading.propose(Entry.Kind.COMMAND, payload);
  }

  /// Proposes that these be the members; by way of a joint membership, which is left by itself, if
  /// more than one voter changes. A voter that is new to the log should be a learner first.
  public Proposal change(Membership target) {
    return leading == null ? notLeader() : leading.change(target);
  }

  private Proposal notLeader() {
    return new Proposal.Refused(Proposal.Reason.NOT_LEADER, leader);
  }

  /// Asks the leader to let `to` take over; false if this is no leader or that no voter.
  public boolean transfer(int to) {
    return leading != null && leading.transfer(to);
  }

  /// Asks for a linearizable read: [Effect.ReadReady] or [Effect.ReadRefused] will come, or nothing
  /// if a message gets lost. A follower asks its leader. A context is used once.
  public void read(long context) {
    if (leading != null) {
      leading.read(config.id(), context);
    } else if (leader == 0 || forwarded.size() >= config.maxPendingReads()) {
      outbox.add(new Effect.ReadRefused(context));
    } else {
      long number = nextForwarded++;
      forwarded.put(number, context);
      outbox.send(leader, new RaftMessage.Read(term, number));
    }
  }

  /// Tells that all writes up to this number are durable.
  public void persisted(long number) {
    outbox.persisted(number);
    SnapshotMark install = log.written(number);
    if (install != null) {
      log.handOut(install);
      outbox.add(new Effect.Install(install));
    }
    countOwnVote();
    if (leading != null) {
      leading.written();
    }
  }

  /// Tells that the state machine holds everything up to `index`.
  public void applied(long index) {
    log.appliedTo(index);
    while (!readable.isEmpty() && readable.firstKey() <= log.applied()) {
      for (long context : readable.pollFirstEntry().getValue()) {
        outbox.add(new Effect.ReadReady(context));
      }
    }
  }

  /// The mark for a snapshot of the state machine as it is now.
  public SnapshotMark markNow() {
    return log.markNow();
  }

  /// Tells that a snapshot is durable: it may be sent, and entries up to `base` (at most the mark's
  /// index) go.
  public void compact(SnapshotMark mark, long base) {
    log.compact(mark, base);
  }

  /// A part of a snapshot, asked for by [Effect.LoadChunk].
  public void chunk(int to, SnapshotMark mark, long offset, byte[] bytes, boolean last) {
    if (leading != null) {
      leading.chunk(to, mark, offset, bytes, last);
    }
  }

  /// Tells that the snapshot which [Effect.LoadChunk] asked for is no longer there.
  public void chunkMissing(int to, SnapshotMark mark) {
    if (leading != null) {
      leading.chunkMissing(to, mark);
    }
  }

  /// Tells that the connection to a member broke: what was in flight to it is probably lost.
  public void unreachable(int member) {
    if (leading != null) {
      leading.unreachable(member);
    }
  }

  // ---- what comes out

  /// Takes the effects to be carried out, in order; each effect comes out once.
  public List<Effect> drain() {
    List<Entry> apply = log.toApply(config.maxApplyBytes());
    if (!apply.isEmpty()) {
      outbox.add(new Effect.Apply(apply));
    }
    if (unwritten()) {
      stateUnwritten = false;
      int remembered = config.bug() == RaftBug.VOTE_NOT_PERSISTED ? 0 : vote;
      HardState state = new HardState(term, remembered, log.commit());
      outbox.persist(log.write(outbox.nextWrite(), state));
    }
    Effect.RoleChanged current = new Effect.RoleChanged(role, term, leader);
    if (!current.equals(told)) {
      told = current;
      outbox.add(current);
    }
    return outbox.drain();
  }

  private boolean unwritten() {
    return stateUnwritten || log.hasUnwritten();
  }

  /// The number of the write that holds all there is now.
  private long lastWrite() {
    return unwritten() ? outbox.nextWrite() : outbox.issued();
  }

  private void remember(long newTerm, int newVote) {
    assert newTerm >= term : "the term falls from %d to %d".formatted(term, newTerm);
    term = newTerm;
    vote = newVote;
    stateUnwritten = true;
    stateWrite = outbox.nextWrite();
  }

  // ---- roles

  private void waitAnew() {
    electionTick = now;
    electionTimeout = config.electionTicks() + random.nextInt(config.electionTicks());
  }

  /// A voter may ask for votes; so may one that only an uncommitted membership leaves out, or those
  /// who do not have that entry might need its vote and never get it.
  private boolean promotable() {
    Membership before = log.membershipBefore();
    return log.membership().isVoter(config.id()) || before != null && before.isVoter(config.id());
  }

  private void campaign(boolean pre, boolean transfer) {
    assert log.membership().isVoter(config.id())
        || CoverageMarks.reach(RaftMark.LEFT_OUT_CAMPAIGNED);
    waitAnew();
    votes.clear();
    follow(0);
    role = pre ? Role.PRE_CANDIDATE : Role.CANDIDATE;
    if (!pre) {
      remember(term + 1, config.id());
    }
    long index = log.lastIndex();
    for (int member : log.membership().members()) {
      if (member != config.id() && log.membership().isVoter(member)) {
        if (pre) {
          outbox.send(member, new RaftMessage.PreVote(term + 1, index, log.lastTerm()));
        } else {
          // On disk first: a second life must not ask again in the same term.
          outbox.sendAfter(
              lastWrite(), member, new RaftMessage.Vote(term, index, log.lastTerm(), transfer));
        }
      }
    }
    if (pre) {
      vote(config.id(), true);
    } else {
      countOwnVote();
    }
  }

  private void countOwnVote() {
    boolean counted = votes.containsKey(config.id());
    if (role == Role.CANDIDATE && !counted && outbox.isPersisted(stateWrite)) {
      vote(config.id(), true);
    }
  }

  private void vote(int from, boolean granted) {
    votes.putIfAbsent(from, granted ? 1 : -1);
    switch (log.membership().tally(id -> votes.getOrDefault(id, 0), config.bug())) {
      case WON -> {
        if (role == Role.PRE_CANDIDATE) {
          campaign(false, false);
        } else {
          lead();
        }
      }
      case LOST -> becomeFollower(term, 0);
      case OPEN -> {}
    }
  }

  private void lead() {
    role = Role.LEADER;
    leader = config.id();
    leading = new Leader(this);
    leading.begin();
  }

  void stepDown() {
    becomeFollower(term, 0);
  }

  private void becomeFollower(long newTerm, int newLeader) {
    if (newTerm > term) {
      remember(newTerm, 0);
    }
    if (leading != null) {
      Leader ended = leading;
      leading = null;
      heardTick = NEVER;
      ended.end();
    }
    role = Role.FOLLOWER;
    votes.clear();
    follow(newLeader);
    waitAnew();
  }

  private void follow(int newLeader) {
    if (leader != newLeader) {
      leader = newLeader;
      for (long context : forwarded.values()) {
        outbox.add(new Effect.ReadRefused(context));
      }
      forwarded.clear();
    }
  }

  // ---- messages

  /// Takes a message of another member. `from` must be its true number.
  public void step(int from, RaftMessage message) {
    if (isHeldOff(message)) {
      return;
    }
    if (message.term() > term && raisesTerm(message)) {
      boolean leads =
          message instanceof RaftMessage.Append
              || message instanceof RaftMessage.Heartbeat
              || message instanceof RaftMessage.Chunk;
      becomeFollower(message.term(), leads ? from : 0);
    }
    if (message.term() < term) {
      refuseOld(from, message);
      return;
    }
    switch (message) {
      case RaftMessage.PreVote m -> preVote(from, m);
      case RaftMessage.PreVoteReply m -> preVoteReply(from, m);
      case RaftMessage.Vote m -> vote(from, m);
      case RaftMessage.VoteReply m -> {
        if (role == Role.CANDIDATE) {
          vote(from, m.granted());
        }
      }
      case RaftMessage.Append m -> append(from, m);
      case RaftMessage.Heartbeat m -> heartbeat(from, m);
      case RaftMessage.Chunk m -> chunk(from, m);
      case RaftMessage.TimeoutNow m -> {
        if (role == Role.FOLLOWER && promotable()) {
          assert CoverageMarks.reach(RaftMark.LEADERSHIP_TAKEN_OVER);
          campaign(false, true);
        }
      }
      case RaftMessage.ReadReply m -> {
        Long context = forwarded.remove(m.context());
        if (context != null) {
          readAt(m.index(), context);
        }
      }
      case RaftMessage.Stale m -> {}
      case RaftMessage.Appended m -> toLeader(from, m);
      case RaftMessage.Conflict m -> toLeader(from, m);
      case RaftMessage.HeartbeatReply m -> toLeader(from, m);
      case RaftMessage.ChunkReply m -> toLeader(from, m);
      case RaftMessage.Read m -> toLeader(from, m);
    }
  }

  private void toLeader(int from, RaftMessage message) {
    if (leading == null) {
      return;
    }
    if (message instanceof RaftMessage.Appended m) {
      leading.appended(from, m.index());
    } else if (message instanceof RaftMessage.Conflict m) {
      leading.conflict(from, m);
    } else if (message instanceof RaftMessage.HeartbeatReply m) {
      leading.heartbeatReply(from, m.round());
    } else if (message instanceof RaftMessage.ChunkReply m) {
      leading.chunkReply(from, m);
    } else if (message instanceof RaftMessage.Read m) {
      leading.read(from, m.context());
    }
  }

  /// Whether a message asks for a vote that this member has promised not to give.
  private boolean isHeldOff(RaftMessage message) {
    boolean asks =
        message instanceof RaftMessage.PreVote
            || message instanceof RaftMessage.Vote vote && !vote.transfer();
    boolean promised = leading != null || now - heardTick < config.electionTicks();
    return asks && promised && message.term() >= term;
  }

  private static boolean raisesTerm(RaftMessage message) {
    return !(message instanceof RaftMessage.PreVote)
        && !(message instanceof RaftMessage.PreVoteReply reply && reply.granted());
  }

  private void refuseOld(int from, RaftMessage message) {
    boolean mustKnow =
        message instanceof RaftMessage.Append
            || message instanceof RaftMessage.Heartbeat
            || message instanceof RaftMessage.Chunk
            || message instanceof RaftMessage.PreVote
            || message instanceof RaftMessage.Vote;
    if (mustKnow) {
      outbox.sendAfter(stateWrite, from, new RaftMessage.Stale(term));
    }
  }

  private boolean isFresh(long lastIndex, long lastTerm) {
    return lastTerm > log.lastTerm() || lastTerm == log.lastTerm() && lastIndex >= log.lastIndex();
  }

  private void preVote(int from, RaftMessage.PreVote message) {
    boolean granted = message.term() > term && isFresh(message.lastIndex(), message.lastTerm());
    long about = granted ? message.term() : term;
    outbox.sendAfter(stateWrite, from, new RaftMessage.PreVoteReply(about, granted));
  }

  private void preVoteReply(int from, RaftMessage.PreVoteReply message) {
    boolean mine = message.term() == (message.granted() ? term + 1 : term);
    if (role == Role.PRE_CANDIDATE && mine) {
      vote(from, message.granted());
    }
  }

  private void vote(int from, RaftMessage.Vote message) {
    boolean free = vote == from || vote == 0 && leader == 0;
    free |= config.bug() == RaftBug.DOUBLE_VOTE;
    boolean fresh = isFresh(message.lastIndex(), message.lastTerm());
    assert fresh || CoverageMarks.reach(RaftMark.STALE_LOG_REFUSED);
    boolean granted = free && fresh;
    if (granted) {
      electionTick = now;
      if (vote != from) {
        remember(term, from);
      }
    }
    outbox.sendAfter(stateWrite, from, new RaftMessage.VoteReply(term, granted));
  }

  private void hear(int from) {
    if (leading != null) {
      throw new IllegalStateException(
          "members %d and %d both lead in term %d".formatted(config.id(), from, term));
    }
    if (role != Role.FOLLOWER) {
      assert CoverageMarks.reach(RaftMark.CANDIDATE_WITHDREW);
      becomeFollower(term, from);
    }
    follow(from);
    heardTick = now;
    electionTick = now;
  }

  private void append(int from, RaftMessage.Append message) {
    hear(from);
    long before = message.prevIndex();
    if (before >= log.baseIndex() && log.term(before) != message.prevTerm()) {
      // What is committed agrees in any case.
      assert CoverageMarks.reach(RaftMark.CONFLICT_ANSWERED);
      long hint = Math.max(log.commit(), log.agreeing(before, message.prevTerm()));
      outbox.sendAfter(
          stateWrite, from, new RaftMessage.Conflict(term, before, hint, log.term(hint)));
      return;
    }
    log.merge(message.entries());
    long last = before + message.entries().size();
    log.commitTo(Math.min(message.commit(), last));
    outbox.sendAfter(lastWrite(), from, new RaftMessage.Appended(term, last));
  }

  private void heartbeat(int from, RaftMessage.Heartbeat message) {
    hear(from);
    log.commitTo(message.commit());
    outbox.sendAfter(stateWrite, from, new RaftMessage.HeartbeatReply(term, message.round()));
  }

  private void chunk(int from, RaftMessage.Chunk message) {
    hear(from);
    SnapshotMark mark = message.mark();
    if (mark.index() <= log.commit() || log.term(mark.index()) == mark.term()) {
      log.commitTo(mark.index());
      outbox.sendAfter(lastWrite(), from, new RaftMessage.Appended(term, mark.index()));
      return;
    }
    boolean same = mark.equals(incoming) && incomingTerm == term;
    if (!same && message.offset() == 0) {
      assert incoming == null || CoverageMarks.reach(RaftMark.SNAPSHOT_BEGUN_ANEW);
      incoming = mark;
      incomingTerm = term;
      incomingBytes = 0;
      same = true;
    }
    if (same && message.offset() == incomingBytes) {
      boolean last = message.last() || config.bug() == RaftBug.SNAPSHOT_APPLIED_HALF;
      outbox.add(new Effect.SaveChunk(mark, message.offset(), message.bytes(), last));
      incomingBytes += message.bytes().length;
      if (last) {
        incoming = null;
        assert CoverageMarks.reach(RaftMark.SNAPSHOT_INSTALLED);
        log.reset(mark);
        outbox.sendAfter(lastWrite(), from, new RaftMessage.Appended(term, mark.index()));
        return;
      }
    }
    long next = same ? incomingBytes : 0;
    outbox.sendAfter(
        stateWrite, from, new RaftMessage.ChunkReply(term, mark.index(), message.offset(), next));
  }

  // ---- reads

  void readAt(long index, long context) {
    if (log.applied() >= index) {
      outbox.add(new Effect.ReadReady(context));
    } else {
      assert CoverageMarks.reach(RaftMark.READ_WAITED);
      readable.computeIfAbsent(index, i -> new ArrayList<>()).add(context);
    }
  }
}
