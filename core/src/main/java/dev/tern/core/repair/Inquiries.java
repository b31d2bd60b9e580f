package dev.tern.core.repair;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.replica.Hints;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.Slots;
import dev.tern.core.wire.Message;
import dev.tern.env.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/// Asks all members, replicas or not, whether they hold writes of a partition for its replicas,
/// before deletes of it are stripped. Such a write may carry a dot that no replica's clock has and
/// a stamp below the delete's: stored after the strip, it would bring the deleted value back.
///
/// ```
///   round 1   AskHeld --> every member    what it holds, and what it minted away and sent
///             <-- Holds
///   round 2   the same, begun when round 1 has ended
///   nothing held anywhere: the deletes may go
/// ```
///
/// Why two rounds: a write minted away goes from its minter to a holder once. In round 1 the holder
/// may answer before the write arrives, and the minter after the holder has confirmed it. When the
/// minter has said that nothing is on its way, the write is at its holder or at a replica, which
/// round 2 meets; or at a replica, whose clock has its dot then. What is minted after round 1 was
/// minted after the delete was acknowledged, and need not lose to it.
///
/// A member that was a replica of the partition holds something until what lies there is at the
/// replicas or held for them. A member that goes by an older topology than who asks does not know
/// what it has left, and answers that it holds something.
///
/// A member that does not answer keeps all deletes: it may hold something. One that is removed is
/// not asked any more; it has handed on what it held.
///
/// Threads: the shard's loop.
final class Inquiries {
  /// An answer is waited for so long.
  private static final long PATIENCE_NANOS = 5_000_000_000L;

  /// From the end of an inquiry to the begin of the next.
  private static final long PAUSE_NANOS = 1_000_000_000L;

  /// Partitions that are asked for at a time.
  static final int MAX_PARTITIONS = 1_024;

  private static final int ROUNDS = 2;

  private static final byte NOTHING = 0;
  private static final byte SOMETHING = 1;

  /// The shard that was asked does not keep the partition: another of its node does.
  private static final byte ELSEWHERE = 2;

  private final int self;
  private final Hints hints;
  private final LeftHere left;
  private final Clock clock;
  private final AntiEntropy.Wire wire;
  private final Statistics statistics;
  private final LongSupplier ids;
  private final PlantedBug planted;
  private ClusterView view;

  /// By place: partitions whose deletes could go, not asked for yet.
  private final TreeMap<Long, Exchange> wanted = new TreeMap<>();

  /// By place: those that are asked for, and of which nothing was found so far.
  private final TreeMap<Long, Exchange> asked = new TreeMap<>();

  /// By id: the questions that are open.
  private final TreeMap<Long, Question> open = new TreeMap<>();

  /// The round that is under way, 0 for none.
  private int round;

  private long deadlineNanos;
  private long nextNanos = Long.MIN_VALUE;

  private record Question(int member, List<Message.Asked> about) {}

  /// Partitions that this member has left, see [PartitionMoves].
  interface LeftHere {
    /// Whether something lies here of a partition that this member is no replica of.
    boolean has(int group, int partition);
  }

  /// @param ids of requests
  Inquiries(
      ShardContext context,
      Hints hints,
      LeftHere left,
      AntiEntropy.Wire wire,
      LongSupplier ids,
      ClusterView view) {
    this.self = context.self();
    this.hints = hints;
    this.left = left;
    this.clock = context.clock();
    this.wire = wire;
    this.statistics = context.statistics();
    this.ids = ids;
    this.view = view;
    this.planted = context.planted();
  }

  /// Goes by a later topology. What is under way goes on for the partitions whose entry is the one
  /// that it was: an answer of a member that goes by the earlier topology holds for those. Where
  /// the members are others all begins anew, as all have to be asked twice.
  ///
  /// @param current by place
  void adopt(ClusterView later, Map<Long, Exchange> current) {
    boolean sameMembers = numbers(view).equals(numbers(later));
    view = later;
    wanted.entrySet().removeIf(each -> current.get(each.getKey()) != each.getValue());
    asked.entrySet().removeIf(each -> current.get(each.getKey()) != each.getValue());
    if (!sameMembers || round > 0 && asked.isEmpty()) {
      wanted.clear();
      giveUp();
    }
  }

  private static List<Integer> numbers(ClusterView of) {
    return of.members().stream().map(Member::number).toList();
  }

  /// Whether the deletes of a partition that all replicas have may be stripped now; asks if nobody
  /// was asked yet. A yes is good for once.
  boolean clears(Exchange exchange) {
    if (planted == PlantedBug.STRIP_WITHOUT_ASKING_HOLDERS) {
      return true;
    }
    if (exchange.cleared) {
      exchange.cleared = false;
      return true;
    }
    long place = AntiEntropy.place(exchange.group, exchange.partition.number());
    if (!asked.containsKey(place)) {
      wanted.put(place, exchange);
    }
    return false;
  }

  /// A few times a second.
  void beat() {
    long now = clock.monotonicNanos();
    if (round > 0 && now >= deadlineNanos) {
      statistics.add(Counter.STRIPS_UNANSWERED, asked.size());
      giveUp();
    }
    if (round == 0 && !wanted.isEmpty() && now >= nextNanos) {
      if (!allLive()) {
        statistics.add(Counter.STRIPS_UNANSWERED, wanted.size());
        wanted.clear();
        nextNanos = now + PAUSE_NANOS;
        return;
      }
      while (asked.size() < MAX_PARTITIONS && !wanted.isEmpty()) {
        var next = wanted.pollFirstEntry();
        asked.put(next.getKey(), next.getValue());
      }
      begin(1);
    }
  }

  private boolean allLive() {
    for (Member member : view.members()) {
      if (member.number() != self && !wire.live(member.number())) {
        return false;
      }
    }
    return true;
  }

  private void giveUp() {
    round = 0;
    asked.clear();
    open.clear();
    nextNanos = clock.monotonicNanos() + PAUSE_NANOS;
  }

  private void begin(int which) {
    round = which;
    deadlineNanos = clock.monotonicNanos() + PATIENCE_NANOS;
    List<Message.Asked> about = new ArrayList<>(asked.size());
    for (Exchange exchange : asked.values()) {
      about.add(new Message.Asked(exchange.group, exchange.partition.number()));
    }
    learn(about, answer(about));
    for (Member member : asked.isEmpty() ? List.<Member>of() : view.members()) {
      if (member.number() != self) {
        ask(member.number(), about);
      }
    }
    endOfRound();
  }

  private void ask(int member, List<Message.Asked> about) {
    long id = ids.getAsLong();
    open.put(id, new Question(member, about));
    int partition = about.getFirst().partition();
    wire.send(member, partition, new Message.AskHeld(id, view.epoch(), about));
  }

  /// A question or an answer of another node.
  ///
  /// @param shard that sent it
  void receive(int member, int shard, Message.Inquiry message) {
    switch (message) {
      case Message.AskHeld question ->
          wire.send(member, shard, new Message.Holds(question.id(), answer(question)));
      case Message.Holds holds -> {
        Question question = open.get(holds.id());
        if (question != null
            && question.member == member
            && question.about.size() == holds.states().length) {
          open.remove(holds.id());
          answered(question, holds.states());
        }
      }
    }
  }

  private void answered(Question question, byte[] states) {
    learn(question.about, states);
    List<Message.Asked> left = new ArrayList<>();
    for (int i = 0; i < states.length; i++) {
      if (states[i] == ELSEWHERE) {
        left.add(question.about.get(i));
      }
    }
    if (left.size() == states.length) {
      // No shard of that node speaks for them.
      left.forEach(this::found);
    } else if (!left.isEmpty()) {
      ask(question.member, left);
    }
    endOfRound();
  }

  private void learn(List<Message.Asked> about, byte[] states) {
    for (int i = 0; i < states.length; i++) {
      if (states[i] == SOMETHING) {
        found(about.get(i));
      }
    }
  }

  private void found(Message.Asked partition) {
    Exchange kept = asked.remove(AntiEntropy.place(partition.group(), partition.partition()));
    if (kept != null) {
      statistics.add(Counter.STRIPS_HELD_UP, 1);
      kept.stirred = true;
    }
  }

  private void endOfRound() {
    if (!open.isEmpty()) {
      return;
    }
    if (round < ROUNDS && !asked.isEmpty()) {
      begin(round + 1);
      return;
    }
    for (Exchange exchange : asked.values()) {
      exchange.cleared = true;
      exchange.stirred = true;
    }
    giveUp();
  }

  private byte[] answer(Message.AskHeld question) {
    if (question.epoch() > view.epoch()) {
      // By lists that are not known here this member may be no replica of what it has.
      byte[] states = new byte[question.about().size()];
      Arrays.fill(states, SOMETHING);
      return states;
    }
    return answer(question.about());
  }

  /// What this shard holds of partitions, and what it has sent that was not confirmed yet.
  private byte[] answer(List<Message.Asked> about) {
    byte[] states = new byte[about.size()];
    for (int i = 0; i < states.length; i++) {
      Message.Asked each = about.get(i);
      states[i] =
          !wire.keeps(each.partition())
              ? ELSEWHERE
              : holds(each.group(), each.partition()) ? SOMETHING : NOTHING;
    }
    return states;
  }

  private boolean holds(int group, int partition) {
    if (wire.sendsAway(partition) || left.has(group, partition)) {
      return true;
    }
    int slots = Slots.COUNT / view.partitions();
    int first = partition * slots;
    for (int keyspace : hints.keyspacesOfSlots(first, first + slots)) {
      KeyspaceConfig config = view.keyspace(keyspace);
      ReplicaGroups groups = view.groups(keyspace);
      // Where siblings are kept a delete does not hide what it has not seen.
      boolean harmless =
          view.dropped(keyspace)
              || config != null && config.resolution() == Resolution.SIBLINGS
              || groups != null && groups.number() != group;
      if (!harmless) {
        return true;
      }
    }
    return false;
  }
}
