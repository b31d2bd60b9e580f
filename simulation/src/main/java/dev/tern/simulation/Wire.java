package dev.tern.simulation;

import dev.tern.core.node.Node;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.Version;
import dev.tern.core.wire.FrameKind;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.MessageCodec;
import dev.tern.env.ByteReader;
import dev.tern.world.SimulatedClock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Looks at every version that travels between nodes, and knows what cannot be:
/// - a stamp that is far ahead of the time while most clocks are right;
/// - one dot of two writes: a dot is a write's identity, in its partition;
/// - a blind put that was minted more than twice, the second time when more than about a second had
///   passed, or without anything above it but updates of itself: docs/consistency.md, "Levels of
///   gets and puts".
final class Wire {
  /// How far ahead of true time a stamp may be: most clocks are off by 20 s at most, and stamps are
  /// reserved for 10 s.
  private static final long MAX_STAMP_AHEAD_MILLIS = 35_000;

  /// A put may be minted a second time within this of its first mint, in nanoseconds: one second by
  /// the rule, and what a slow disk and a queue of jobs take.
  private static final long MINTED_ANEW_WITHIN = 2 * ClusterRun.SECOND;

  private final ClusterRun run;
  private final Topology topology;

  /// A dot, with the keyspace and the partition in which it has its meaning.
  private record Dot(int keyspace, int partition, int replica, long counter) {}

  /// One mint of a put.
  private record Mint(Stamp stamp, int by, long nanos) {}

  private final Map<Dot, Identity> dots = new LinkedHashMap<>();

  /// A write that a node has sent, by the node and the id of its request.
  private record Asked(int from, long id) {}

  /// What it was of: a key of the keyspace where the last write wins, with its value as text.
  ///
  /// @param to nodes that it was sent to
  /// @param took nodes whose first answer was that they have it
  /// @param refused nodes whose first answer was that they have something newer, or do not take it
  private record Sent(
      String key, Stamp stamp, @Nullable String value, BitSet to, BitSet took, BitSet refused) {

    /// Nodes that have it or may take it yet, as far as its minter knows, with the minter.
    int hopes() {
      return 1 + to.cardinality() - refused.cardinality();
    }

    /// The same of the members of one list.
    int hopes(int by, int[] list) {
      int hopes = 0;
      for (int member : list) {
        hopes += member == by || to.get(member) && !refused.get(member) ? 1 : 0;
      }
      return hopes;
    }

    /// An answer arrives at the minter. A node that the write came to twice may say both,
    /// superseded of the second copy before the first one is durable, and its answers may overtake
    /// each other: the minter goes by the one that arrives first.
    void answered(int by, boolean taken) {
      BitSet others = taken ? refused : took;
      if (!others.get(by)) {
        (taken ? took : refused).set(by);
      }
    }
  }

  private final Map<Asked, Sent> asked = new LinkedHashMap<>();

  /// By key: the greatest stamp that a replica whose disk does not rot has acknowledged to hold,
  /// durably.
  private final Map<String, Stamp> confirmed = new LinkedHashMap<>();

  /// By key and value: the greatest stamp under which the value travelled.
  private final Map<String, Stamp> stamps = new LinkedHashMap<>();

  /// By value of a strict blind put: the number of replicas that must take the put.
  private final Map<String, Integer> needed = new LinkedHashMap<>();

  /// By value of a put: the first mint, as it was sent.
  private final Map<String, Sent> firsts = new LinkedHashMap<>();

  /// By value: the nodes that have acknowledged it or something newer, and its minter.
  private final Map<String, BitSet> holders = new LinkedHashMap<>();

  /// The stamps of puts that a rival stands above: something else than an update of the put.
  private final Set<Stamp> overtaken = new LinkedHashSet<>();

  /// The mints of each blind put, by its value; values of blind puts are unique.
  private final Map<String, List<Mint>> puts = new LinkedHashMap<>();

  /// The write that a dot stands for.
  private record Identity(byte[] key, Version version) {
    boolean is(byte[] otherKey, Version other) {
      return version.stamp().equals(other.stamp())
          && version.expiryMillis() == other.expiryMillis()
          && Arrays.equals(key, otherKey)
          && Arrays.equals(version.value(), other.value());
    }
  }

  /// @param topology of all keyspaces of the run
  Wire(ClusterRun run, Topology topology) {
    this.run = run;
    this.topology = topology;
  }

  /// Whether a message asks for records or rows of a partition, or has them.
  static boolean isOfFill(@Nullable Message message) {
    return message instanceof Message.Missing
        || message instanceof Message.Repaired
        || message instanceof Message.AskChunk
        || message instanceof Message.Chunk;
  }

  /// What shards say to each other in a frame; null for frames of gossip and of the topology log.
  static @Nullable Message message(byte[] frame) {
    boolean data = FrameKind.of(new ByteReader(frame)) == FrameKind.DATA;
    return data ? MessageCodec.decode(new ByteReader(frame)) : null;
  }

  /// Looks at what a node sends.
  ///
  /// @param message null for a frame of gossip or of the topology log
  void sent(int from, int to, @Nullable Message message) {
    switch (message) {
      case Message.Write m -> {
        if (m.keyspace() == run.keyspace.id() && !m.record().isEmpty()) {
          asked(from, to, m);
        }
        versions(from, m.keyspace(), m.key(), m.record());
      }
      case Message.Written m -> written(from, asked.get(new Asked(to, m.id())));
      case Message.Superseded m ->
          superseded(from, asked.get(new Asked(to, m.id())), m.by().stamp());
      case Message.Hold m -> versions(from, m.keyspace(), m.key(), m.record());
      case null, default -> {}
    }
  }

  /// Looks at what a node is about to receive.
  ///
  /// @param message null for a frame of gossip or of the topology log
  void arrived(int from, int to, @Nullable Message message) {
    switch (message) {
      case Message.Written m -> answered(from, to, m.id(), true);
      case Message.Superseded m -> answered(from, to, m.id(), false);
      case Message.Refused m -> answered(from, to, m.id(), false);
      case null, default -> {}
    }
  }

  private void answered(int by, int minter, long id, boolean taken) {
    Sent sent = asked.get(new Asked(minter, id));
    if (sent != null) {
      sent.answered(by, taken);
    }
  }

  private void versions(int from, int keyspace, byte[] key, Siblings record) {
    if (record.isEmpty()) {
      return;
    }
    if (run.clocksAreMostlyRight()) {
      stampIsNear(record.newest().stamp());
    }
    int partition = topology.partitionOf(Slots.of(key));
    for (int i = 0; i < record.count(); i++) {
      Version version = record.get(i);
      if (!run.wasSetBack()) {
        dotIsUnique(
            new Dot(keyspace, partition, version.replica(), version.counter()), key, version);
      }
      boolean blindPut = version.stamp().count() == 0 && version.value() != null;
      if (keyspace == run.keyspace.id()) {
        if (blindPut) {
          mintedInTime(from, key, version);
        }
      }
    }
  }

  private void stampIsNear(Stamp stamp) {
    long millis = HybridClock.millis(stamp.time());
    long now = SimulatedClock.EPOCH_MILLIS + run.world.millis();
    if (millis > now + MAX_STAMP_AHEAD_MILLIS) {
      throw new History.Violation(
          "a version's stamp is %d ms ahead of the time".formatted(millis - now));
    }
  }

  private void dotIsUnique(Dot dot, byte[] key, Version version) {
    Identity known = dots.putIfAbsent(dot, new Identity(key, version));
    if (known != null && !known.is(key, version)) {
      throw new History.Violation(
          "%s stands for two writes: %s of %s and %s of %s"
              .formatted(
                  dot, text(known.version()), ascii(known.key()), text(version), ascii(key)));
    }
  }

  /// Notes that a strict blind put of a value begins, which `w` replicas must take.
  void blindPut(String value, int w) {
    needed.put(value, w);
  }

  private void asked(int from, int to, Message.Write write) {
    Version newest = write.record().newest();
    byte[] bytes = newest.value();
    String value = bytes == null ? null : ascii(bytes);
    Sent sent =
        asked.computeIfAbsent(
            new Asked(from, write.id()),
            first ->
                new Sent(
                    ascii(write.key()),
                    newest.stamp(),
                    value,
                    new BitSet(),
                    new BitSet(),
                    new BitSet()));
    sent.to().set(to);
    if (value == null) {
      return;
    }
    stamps.merge(sent.key() + " " + value, newest.stamp(), Stamp::max);
    firsts.putIfAbsent(value, sent);
    if (!holders.containsKey(value)) {
      // Its minter sends it first; those who send it later to repair others need not have it.
      BitSet minter = new BitSet();
      minter.set(from);
      holders.put(value, minter);
    }
  }

  private void written(int by, @Nullable Sent sent) {
    if (sent != null) {
      if (by != run.rotting()) {
        confirmed.merge(sent.key(), sent.stamp(), Stamp::max);
      }
      holds(by, sent);
    }
  }

  private void holds(int node, Sent sent) {
    BitSet known = sent.value() == null ? null : holders.get(sent.value());
    if (known != null) {
      known.set(node);
    }
  }

  private void superseded(int at, @Nullable Sent sent, Stamp by) {
    if (sent != null) {
      holds(at, sent);
      if (!sent.stamp().sharesPut(by)) {
        overtaken.add(sent.stamp());
      }
    }
  }

  /// Checks that so many nodes have or had a value of a put or something newer, as far as its
  /// minter can know, or all of a list that is shorter. A value that was not seen on its way
  /// passes.
  void isHeld(String key, String value, int replicas) {
    BitSet known = holders.get(value);
    int held = known == null ? 0 : known.cardinality();
    int needed = run.mayShortenLists() ? Math.min(replicas, shortest(key)) : replicas;
    if (held > 0 && held < needed) {
      throw new History.Violation(
          "%s: %s was acknowledged as if %d replicas had it, and %d said so"
              .formatted(key, value, needed, held));
    }
  }

  /// The length of the shortest list of replicas of a key that a node goes by.
  private int shortest(String key) {
    int shortest = run.shape.n();
    for (int number = 1; number <= run.nodeCount; number++) {
      Node node = run.node(number);
      Topology seen = node == null ? null : node.view().topology(run.keyspace.id());
      if (seen != null) {
        int slot = Slots.of(key.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        ReplicaSet set = seen.replicaSet(seen.partitionOf(slot));
        shortest = Math.min(shortest, Math.min(set.oldList().length, set.newList().length));
      }
    }
    return shortest;
  }

  /// Both stamps of a key as text, for the message of a failure.
  String detail(String key, String value) {
    return stamps.get(key + " " + value) + " below " + confirmed.get(key);
  }

  /// Whether what a key shows in the end is older than what a replica has said to have.
  boolean isOutdated(String key, String value) {
    Stamp shown = stamps.get(key + " " + value);
    Stamp newest = confirmed.get(key);
    return shown != null && newest != null && shown.compareTo(newest) < 0;
  }

  /// Whether the put of a value was minted a second time.
  boolean mintedTwice(String value) {
    List<Mint> mints = puts.get(value);
    return mints != null && mints.size() > 1;
  }

  private void mintedInTime(int from, byte[] key, Version version) {
    String value = ascii(Objects.requireNonNull(version.value()));
    List<Mint> mints = puts.computeIfAbsent(value, first -> new ArrayList<>(2));
    for (Mint mint : mints) {
      if (mint.stamp().sharesPut(version.stamp())) {
        return;
      }
    }
    long now = run.world.nanos();
    mints.add(new Mint(version.stamp(), from, now));
    Mint first = mints.getFirst();
    // Who stood still sends late what it minted in time.
    boolean late =
        now - first.nanos() > MINTED_ANEW_WITHIN && !run.world.pausedSince(from, first.nanos());
    Stamp before = first.stamp();
    if (mints.size() == 2 && before.origin() == version.replica() && !overtaken.contains(before)) {
      throw new History.Violation(
          "%s: the put of %s was minted anew although nothing stood above it but updates of it: %s"
              .formatted(ascii(key), value, mints));
    }
    Sent sent = firsts.get(value);
    int hopes = sent == null || first.by() != from ? 0 : hopes(sent, from, key);
    if (mints.size() == 2 && hopes >= needed.getOrDefault(value, Integer.MAX_VALUE)) {
      throw new History.Violation(
          "%s: the put of %s was minted anew although %d nodes had it or had not answered yet: %s"
              .formatted(ascii(key), value, hopes, mints));
    }
    if (mints.size() > 2 || mints.size() > 1 && late) {
      throw new History.Violation(
          "%s: the put of %s was minted %d times, the last %d ms after the first: %s"
              .formatted(
                  ascii(key), value, mints.size(), (now - first.nanos()) / 1_000_000, mints));
    }
  }

  /// Where replicas are moved each list of the key must have lost its hope, or one of them.
  private int hopes(Sent sent, int by, byte[] key) {
    Node minter = run.node(by);
    if (!run.moves() || minter == null) {
      return sent.hopes();
    }
    int slot = Slots.of(key);
    Topology now = Objects.requireNonNull(minter.view().topology(run.keyspace.id()));
    ReplicaSet set = now.replicaSet(now.partitionOf(slot)).serving();
    return Math.min(sent.hopes(by, set.oldList()), sent.hopes(by, set.newList()));
  }

  private static String text(Version version) {
    byte[] value = version.value();
    return (value == null ? "a delete" : ascii(value)) + " at " + version.stamp();
  }

  private static String ascii(byte[] bytes) {
    return new String(bytes, java.nio.charset.StandardCharsets.US_ASCII);
  }
}
