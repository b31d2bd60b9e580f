package dev.tern.raft;

import dev.tern.env.CoverageMarks;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a member knows and does while it leads: replication, commitment, reads, hand-over.
final class Leader {
  private final Raft raft;
  private final EntryLog log;
  private final Outbox outbox;
  private final RaftConfig config;
  private final long term;

  /// The progress of each member in force, and of this leader even if it is being removed.
  private final TreeMap<Integer, Progress> progress = new TreeMap<>();

  private final Progress self;
  private final Reads reads = new Reads();

  /// The index of this term's first entry. Once that is committed, so is all that was committed
  /// before the term.
  private final long firstIndex;

  /// Bytes of this term's own entries above the commit index.
  private long uncommittedBytes;

  /// The member that is to take over, 0 for nobody; nothing is proposed meanwhile.
  private int transferee;

  private long transferTick;

  /// Whether this leader ever told a member to take over. It stays true: that member may begin its
  /// election late, and voters then forget the promise on which a lease stands.
  private boolean transferred;

  private long heartbeatTick;
  private long checkTick;

  Leader(Raft raft) {
    this.raft = raft;
    this.log = raft.log;
    this.outbox = raft.outbox;
    this.config = raft.config;
    this.term = raft.term();
    this.self = new Progress(config.id(), 0);
    this.firstIndex = log.lastIndex() + 1;
    this.heartbeatTick = raft.now();
    this.checkTick = raft.now();
    self.matched(log.durable());
    follow(log.membership());
  }

  void begin() {
    append(Entry.Kind.EMPTY, Entry.empty(0, 0).payload());
    beginRound();
  }

  private void follow(Membership membership) {
    List<Integer> members = membership.members();
    progress.keySet().removeIf(id -> id != self.id && !members.contains(id));
    progress.put(self.id, self);
    for (int member : members) {
      if (!progress.containsKey(member)) {
        progress.put(member, new Progress(member, log.lastIndex() + 1));
      }
    }
  }

  /// How far each follower's log agrees, for callers that promote learners or choose a successor.
  Map<Integer, Long> matched() {
    Map<Integer, Long> matched = new TreeMap<>();
    progress.forEach((id, each) -> matched.put(id, each.match));
    return matched;
  }

  // ---- time

  void tick() {
    long now = raft.now();
    if (transferee != 0 && now - transferTick >= config.electionTicks()) {
      transferee = 0;
    }
    if (now - checkTick >= config.electionTicks()) {
      checkTick = now;
      if (!quorumIsActive()) {
        assert CoverageMarks.reach(RaftMark.LEADER_UNHEARD);
        raft.stepDown();
        return;
      }
    }
    if (now - heartbeatTick >= config.heartbeatTicks()) {
      beginRound();
    }
  }

  private boolean quorumIsActive() {
    Membership.Tally tally =
        log.membership().tally(id -> id == self.id || of(id).active ? 1 : -1, config.bug());
    progress.values().forEach(each -> each.active = false);
    return tally == Membership.Tally.WON;
  }

  private Progress of(int member) {
    Progress found = progress.get(member);
    if (found == null) {
      throw new IllegalStateException("no progress of member " + member);
    }
    return found;
  }

  private void beginRound() {
    heartbeatTick = raft.now();
    long round = reads.begin(raft.now());
    for (Progress to : progress.values()) {
      if (to != self) {
        long commit = Math.min(to.match, log.commit());
        outbox.send(to.id, new RaftMessage.Heartbeat(term, commit, round));
      }
    }
    confirmReads();
  }

  // ---- proposals

  Proposal propose(Entry.Kind kind, byte[] payload) {
    if (transferee != 0) {
      return new Proposal.Refused(Proposal.Reason.TRANSFERRING, self.id);
    }
    if (uncommittedBytes + payload.length > config.maxUncommittedBytes() && uncommittedBytes > 0) {
      return new Proposal.Refused(Proposal.Reason.OVERLOADED, self.id);
    }
    append(kind, payload);
    return new Proposal.Accepted(log.lastIndex(), term);
  }

  private void append(Entry.Kind kind, byte[] payload) {
    Entry entry = new Entry(log.lastIndex() + 1, term, kind, payload);
    log.append(entry);
    uncommittedBytes += entry.bytes();
    if (kind == Entry.Kind.MEMBERSHIP) {
      follow(log.membership());
    }
    for (Progress to : progress.values()) {
      sendMore(to);
    }
    if (config.bug() == RaftBug.ACK_BEFORE_DURABLE) {
      self.matched(log.lastIndex());
      commit();
    }
  }

  Proposal change(Membership target) {
    boolean pending = log.membershipIndex() > log.commit() || log.commit() < firstIndex;
    if (pending || log.membership().joint()) {
      return new Proposal.Refused(Proposal.Reason.CHANGE_PENDING, self.id);
    }
    boolean bad = target.voters().isEmpty() || target.joint();
    bad |= target.learners().stream().anyMatch(target.voters()::contains);
    bad |= target.members().size() > Membership.MAX_MEMBERS;
    if (bad || target.equals(log.membership())) {
      return new Proposal.Refused(Proposal.Reason.BAD_TARGET, self.id);
    }
    return propose(Entry.Kind.MEMBERSHIP, log.membership().towards(target).encoded());
  }

  // ---- replication

  private void sendMore(Progress to) {
    if (to != self) {
      while (sendAppend(to, false)) {
        // As long as the window is open and there are entries.
      }
    }
  }

  /// True if entries went out.
  private boolean sendAppend(Progress to, boolean evenEmpty) {
    if (to.state == Progress.State.SNAPSHOT || to.probing) {
      return false;
    }
    long before = to.next - 1;
    if (before < log.baseIndex()) {
      to.snapshot(log.mark());
      load(to);
      return false;
    }
    boolean full = to.state == Progress.State.REPLICATE && to.full(config.maxInflightBytes());
    List<Entry> entries =
        full ? List.of() : log.slice(to.next, log.lastIndex(), config.maxMessageBytes());
    if (entries.isEmpty() && !evenEmpty) {
      return false;
    }
    outbox.send(
        to.id, new RaftMessage.Append(term, before, log.term(before), log.commit(), entries));
    if (to.state == Progress.State.PROBE) {
      to.probing = true;
      return false;
    }
    if (entries.isEmpty()) {
      return false;
    }
    long bytes = 0;
    for (Entry entry : entries) {
      bytes += entry.bytes();
    }
    to.sent(entries.getLast().index(), bytes);
    return true;
  }

  void appended(int from, long index) {
    Progress of = progress.get(from);
    if (of == null) {
      return;
    }
    of.active = true;
    boolean news = of.matched(index);
    boolean caughtUp = of.state == Progress.State.SNAPSHOT && of.match >= log.baseIndex();
    if (of.state == Progress.State.PROBE || caughtUp) {
      of.replicate();
    } else if (of.state == Progress.State.SNAPSHOT && of.match >= of.snapshot.index()) {
      of.snapshot(log.mark());
      load(of);
    }
    if (news && commit()) {
      tellCommit();
    }
    sendMore(of);
    if (transferee == from) {
      handOver();
    }
  }

  private void tellCommit() {
    for (Progress to : progress.values()) {
      if (to != self && to.state == Progress.State.REPLICATE && !sendAppend(to, true)) {
        continue;
      }
      sendMore(to);
    }
  }

  void conflict(int from, RaftMessage.Conflict message) {
    Progress of = progress.get(from);
    if (of == null) {
      return;
    }
    of.active = true;
    switch (of.state) {
      case PROBE -> {
        if (message.rejected() == of.next - 1) {
          of.probe(log.agreeing(message.hintIndex(), message.hintTerm()) + 1);
          if (message.rejected() == of.next - 1) {
            // It has less than it acknowledged: to ask again at once would be to ask for ever.
            return;
          }
        }
      }
      case REPLICATE -> {
        if (message.rejected() > of.match) {
          of.probe(of.match + 1);
        }
      }
      case SNAPSHOT -> {}
    }
    sendAppend(of, of.state == Progress.State.PROBE);
  }

  void heartbeatReply(int from, long round) {
    Progress of = progress.get(from);
    if (of == null) {
      return;
    }
    of.active = true;
    of.round = Math.max(of.round, round);
    confirmReads();
    if (of.state == Progress.State.SNAPSHOT) {
      if (raft.now() - of.chunkTick >= config.electionTicks()) {
        load(of);
      }
    } else if (of.match < log.lastIndex()) {
      // Whatever was in flight may be lost: an empty message brings a conflict to light.
      of.probing = false;
      sendAppend(of, true);
    }
    if (transferee == from) {
      handOver();
    }
  }

  void unreachable(int member) {
    Progress of = progress.get(member);
    if (of != null && of.state == Progress.State.REPLICATE) {
      of.probe(of.match + 1);
    }
  }

  // ---- snapshots

  private void load(Progress to) {
    to.chunkSent = false;
    to.chunkTick = raft.now();
    outbox.add(new Effect.LoadChunk(to.id, to.snapshot, to.chunkOffset, config.chunkBytes()));
  }

  void chunk(int to, SnapshotMark mark, long offset, byte[] bytes, boolean last) {
    Progress of = progress.get(to);
    if (of == null || of.state != Progress.State.SNAPSHOT || !of.snapshot.equals(mark)) {
      return;
    }
    if (of.chunkOffset == offset) {
      of.chunkSent = true;
      of.chunkTick = raft.now();
      outbox.send(to, new RaftMessage.Chunk(term, mark, offset, bytes, last));
    }
  }

  /// Tells that a snapshot is gone: its successor takes its place.
  void chunkMissing(int to, SnapshotMark mark) {
    Progress of = progress.get(to);
    boolean same = of != null && of.state == Progress.State.SNAPSHOT && of.snapshot.equals(mark);
    if (of != null && same) {
      of.snapshot(log.mark());
      if (log.mark().equals(mark)) {
        of.chunkTick = raft.now();
      } else {
        load(of);
      }
    }
  }

  void chunkReply(int from, RaftMessage.ChunkReply message) {
    Progress of = progress.get(from);
    if (of == null) {
      return;
    }
    of.active = true;
    boolean mine = of.state == Progress.State.SNAPSHOT && of.snapshot.index() == message.index();
    // Only the answer to the chunk under way: a doubled answer must not double the stream.
    if (mine && of.chunkSent && of.chunkOffset == message.offset()) {
      of.chunkOffset = message.next();
      load(of);
    }
  }

  // ---- commitment

  /// Tells that own entries are on disk up to the log's durable index.
  void written() {
    if (self.matched(log.durable()) && commit()) {
      tellCommit();
    }
  }

  /// Commits the last entry of this term that a majority holds, and all before it (Raft, 5.4.2:
  /// entries of older terms are never committed by counting). True if the commit index rose.
  private boolean commit() {
    long reached = log.membership().reached(id -> of(id).match, config.bug());
    long before = log.commit();
    boolean own = log.term(reached) == term || config.bug() == RaftBug.COMMIT_OF_OLDER_TERM;
    if (reached <= before || !own || !log.commitTo(reached)) {
      return false;
    }
    for (long index = Math.max(before + 1, firstIndex); index <= log.commit(); index++) {
      uncommittedBytes -= log.entry(index).bytes();
    }
    if (log.commit() >= firstIndex) {
      for (Reads.Waiting read : reads.takeEarly()) {
        read(read.from(), read.context());
      }
      membershipCommitted();
    }
    return true;
  }

  private void membershipCommitted() {
    if (log.membershipIndex() > log.commit()) {
      return;
    }
    Membership membership = log.membership();
    if (membership.joint()) {
      assert CoverageMarks.reach(RaftMark.JOINT_LEFT);
      append(Entry.Kind.MEMBERSHIP, membership.left().encoded());
    } else if (!membership.isVoter(self.id)) {
      assert CoverageMarks.reach(RaftMark.LEADER_REMOVED);
      tellCommit();
      int best = 0;
      for (int voter : membership.voters()) {
        best = best == 0 || of(voter).match > of(best).match ? voter : best;
      }
      outbox.send(best, new RaftMessage.TimeoutNow(term));
      raft.stepDown();
    }
  }

  // ---- reads

  void read(int from, long context) {
    if (reads.size() >= config.maxPendingReads()) {
      if (from == self.id) {
        outbox.add(new Effect.ReadRefused(context));
      }
    } else if (log.commit() < firstIndex) {
      // What was committed before this term is not known yet.
      reads.wait(from, context);
    } else if (leased()) {
      confirmed(new Reads.Waiting(from, context, log.commit(), 0));
    } else {
      boolean begin = reads.bind(from, context, log.commit(), config.bug());
      if (config.bug() == RaftBug.READ_ROUND_REUSED) {
        reads.confirm(0, this::confirmed);
      } else if (begin) {
        beginRound();
      }
    }
  }

  private boolean leased() {
    boolean kept = !transferred || config.bug() == RaftBug.LEASE_KEPT_IN_TRANSFER;
    int ticks = config.leaseTicks() * (config.bug() == RaftBug.LEASE_TOO_LONG ? 3 : 1);
    return kept && reads.leased(raft.now(), ticks);
  }

  private void confirmReads() {
    long upTo =
        log.membership().reached(id -> id == self.id ? reads.round() : of(id).round, config.bug());
    if (reads.confirm(upTo, this::confirmed)) {
      beginRound();
    }
  }

  private void confirmed(Reads.Waiting read) {
    if (read.from() == self.id) {
      raft.readAt(read.index(), read.context());
    } else {
      outbox.send(read.from(), new RaftMessage.ReadReply(term, read.context(), read.index()));
    }
  }

  // ---- hand-over

  /// Begins to hand over to `to`; see the dissertation, section 3.10.
  boolean transfer(int to) {
    if (to == self.id || !log.membership().voters().contains(to)) {
      return false;
    }
    transferee = to;
    transferTick = raft.now();
    Progress of = of(to);
    of.probing = false;
    sendMore(of);
    handOver();
    return true;
  }

  private void handOver() {
    Progress of = progress.get(transferee);
    if (of != null && of.match == log.lastIndex()) {
      transferred = true;
      outbox.send(transferee, new RaftMessage.TimeoutNow(term));
    }
  }

  /// It leads no more.
  void end() {
    List<Long> own = new ArrayList<>();
    reads.forget(
        read -> {
          if (read.from() == self.id) {
            own.add(read.context());
          }
        });
    for (long context : own) {
      outbox.add(new Effect.ReadRefused(context));
    }
  }
}
