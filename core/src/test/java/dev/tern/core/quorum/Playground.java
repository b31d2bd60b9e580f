package dev.tern.core.quorum;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.liveness.Sightings;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Replica;
import dev.tern.core.replica.Store;
import dev.tern.core.store.DiskReserve;
import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.traffic.Timers;
import dev.tern.core.version.ClusterTime;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.MessageCodec;
import dev.tern.core.wire.ScanCursor;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Events;
import dev.tern.env.Network;
import dev.tern.env.Randomness;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmOptions;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.World;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/// One shard of node 1 in a cluster whose other nodes are a script: commands say what clients ask,
/// what other nodes answer and how time goes by; what the shard sends and tells comes back.
///
/// - `have LIST VERSION`: the own replica of the key has a version.
/// - `read LIST [r= pr= sloppy confirmed]`, `fetch LIST ...`
/// - `scan LIST`: a step of a scan from the first slot of the key's partition.
/// - `put LIST VALUE [w= pw= sloppy linearizable]`, `add LIST N`, `store LIST VALUE ...`
/// - `reply NODE ANSWER`: answers the last request to it that has no answer; `again NODE` repeats
///   its last answer. Answers: `value VERSION`, `digest VERSION`, `written`, `superseded VERSION`,
///   `outvoted`, `refused REASON`, `updated`.
/// - `lost NODE`: its connection breaks. `dead NODE`, `alive NODE`: what is believed of it.
/// - `deaf NODE`: nothing can be sent to it, though it is believed alive.
/// - `wait MILLIS`.
///
/// LIST names a key by its replicas, as in `1,2,3`. VERSION is `none` or `value@time`: its time is
/// a number, or `+` above the last write that the shard sent, `update` for an update of that, or
/// `fork` for another update of what that is an update of.
final class Playground {
  private static final int SELF = 1;
  private static final int MEMBERS = 5;
  private static final long MILLI = 1_000_000;

  /// The replica ids of scripted versions; own ones are random.
  private static final int OTHERS_ID = 100;

  private static final int UPDATERS_ID = 200;

  private final StringBuilder out = new StringBuilder();
  private final Timers loop = new Timers();
  private final Script network = new Script();
  private final Sightings sightings = new Sightings(MEMBERS);
  private final TreeSet<Integer> deaf = new TreeSet<>();
  private final TreeMap<Integer, ArrayDeque<Message.Request>> asked = new TreeMap<>();
  private final TreeMap<Integer, Message.Reply> answered = new TreeMap<>();
  private final TreeMap<String, byte[]> keys = new TreeMap<>();
  private final ClusterView view;
  private final Replica replica;
  private final Coordinator coordinator;
  private Stamp lastWritten = Stamp.NONE;

  Playground() {
    view = view();
    try {
      Randomness random = Randomness.of(7);
      Lsm lsm =
          Lsm.open(
              new SimulatedDisk(new World(7, (node, crash) -> {}), SELF),
              loop,
              loop.clock,
              random.child("lsm"),
              "shard-0",
              LsmOptions.ofMemory(64L << 20).withThreads(1));
      Store store = Store.open(lsm, view.partitions(), 0, 1, random.child("identity"), Events.NONE);
      int[] numbers = new int[MEMBERS];
      Arrays.setAll(numbers, i -> i + 1);
      ClusterTime time = new ClusterTime(loop.clock, SELF, numbers, false);
      replica =
          new Replica(store, loop, time, SELF, Limits.DEFAULT, PlantedBug.NONE, DiskReserve.NONE);
      coordinator =
          new Coordinator(
              ShardContext.of(0, SELF, loop, time, network, PlantedBug.NONE, Limits.DEFAULT),
              view,
              replica,
              1,
              sightings,
              (keyspace, partitions) -> CountOutcome.Count.NONE);
      store.adopt(view, SELF);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (int member = 1; member <= MEMBERS; member++) {
      sightings.believe(member, true);
    }
    loop.runDue();
  }

  private static ClusterView view() {
    List<MemberEntry> founders = new ArrayList<>();
    for (int number = 1; number <= MEMBERS; number++) {
      Member.Ports ports =
          Member.Ports.NONE
              .with(Member.Ports.INTERNODE, 7000 + number)
              .with(Member.Ports.REDIS, 6000 + number)
              .with(Member.Ports.ADMIN, 8000 + number);
      String zone = (number <= 2 ? "near/" : "far/") + number;
      founders.add(
          MemberEntry.of(new Member(number, "%040x".formatted(number), zone, "127.0.0.1", ports)));
    }
    KeyspaceSettings data = KeyspaceSettings.usual("data");
    KeyspaceSettings siblings =
        KeyspaceSettings.usual("siblings")
            .with(KeyspaceProperty.RESOLUTION, dev.tern.core.keyspace.Resolution.SIBLINGS);
    Founding founding = new Founding(64, founders, List.of(data, siblings));
    TopologyState state =
        TopologyState.NOTHING.apply(new Proposed(0, founding.command(new ClusterId(1, 2)))).state();
    return ClusterView.of(state);
  }

  /// Carries out a command; what came of it, a line each.
  String run(String command) {
    out.setLength(0);
    List<String> words = List.of(command.split(" "));
    switch (words.getFirst()) {
      case "have" -> have(words);
      case "read", "fetch" -> read(words);
      case "scan" -> scan(words);
      case "put", "setnx", "add", "store" -> update(words);
      case "reply" -> reply(Integer.parseInt(words.get(1)), words.subList(2, words.size()));
      case "again" -> again(Integer.parseInt(words.get(1)));
      case "lost" -> coordinator.connection(Integer.parseInt(words.get(1)), false);
      case "dead" -> sightings.believe(Integer.parseInt(words.get(1)), false);
      case "alive" -> sightings.believe(Integer.parseInt(words.get(1)), true);
      case "deaf" -> deaf.add(Integer.parseInt(words.get(1)));
      case "wait" -> loop.advance(Long.parseLong(words.get(1)) * MILLI);
      default -> throw new IllegalArgumentException(command);
    }
    loop.runDue();
    return out.toString();
  }

  private void say(String line) {
    out.append(line).append('\n');
  }

  private KeyspaceConfig keyspace(List<String> words) {
    boolean siblings = words.contains("siblings") || words.getFirst().equals("store");
    return java.util.Objects.requireNonNull(view.keyspace(siblings ? "siblings" : "data"));
  }

  private byte[] key(String list) {
    return keys.computeIfAbsent(list, any -> find(list));
  }

  private byte[] find(String list) {
    int[] wanted = Arrays.stream(list.split(",")).mapToInt(Integer::parseInt).toArray();
    Topology topology = java.util.Objects.requireNonNull(view.topology(1));
    for (int i = 0; i < 10_000; i++) {
      byte[] key = ("k" + i).getBytes(US_ASCII);
      if (Arrays.equals(topology.replicas(topology.partitionOf(Slots.of(key))), wanted)) {
        return key;
      }
    }
    throw new IllegalArgumentException("no key has the replicas " + list);
  }

  private static int option(List<String> words, String name, int usual) {
    for (String word : words) {
      if (word.startsWith(name + "=")) {
        return Integer.parseInt(word.substring(name.length() + 1));
      }
    }
    return usual;
  }

  private static Level level(List<String> words) {
    if (words.contains("linearizable")) {
      return Level.LINEARIZABLE;
    }
    boolean local = words.contains("local");
    return new Level(
        option(words, "n", 0),
        local ? Level.LOCAL_QUORUM : option(words, "r", 0),
        local ? Level.LOCAL_QUORUM : option(words, "w", 0),
        option(words, "pr", 0),
        option(words, "pw", 0),
        0,
        words.contains("sloppy"),
        option(words, "timeout", 0));
  }

  private void have(List<String> words) {
    byte[] key = key(words.get(1));
    Siblings record = java.util.Objects.requireNonNull(record(words.get(2)));
    replica
        .writes()
        .apply(
            keyspace(words),
            Slots.of(key),
            key,
            record,
            new Applied() {
              @Override
              public void durable() {
                say("stored");
              }

              @Override
              public void superseded(Version by) {
                say("superseded");
              }

              @Override
              public void refused(Unanswered.Refused why) {
                say("refused: " + why.message());
              }
            });
  }

  private void read(List<String> words) {
    byte[] key = key(words.get(1));
    if (words.getFirst().equals("fetch")) {
      coordinator.fetch(
          keyspace(words), key, level(words), outcome -> say("fetched " + text(outcome)));
    } else {
      coordinator.read(keyspace(words), key, level(words), outcome -> say("read " + text(outcome)));
    }
  }

  private void scan(List<String> words) {
    Topology topology = java.util.Objects.requireNonNull(view.topology(1));
    int partition = topology.partitionOf(Slots.of(key(words.get(1))));
    coordinator.scan(
        keyspace(words),
        ScanCursor.of(topology.firstSlot(partition), 0),
        /* limit= */ 10,
        /* ledOnly= */ false,
        outcome -> say("scan " + text(outcome)));
  }

  private void update(List<String> words) {
    byte[] key = key(words.get(1));
    byte[] value = words.get(2).getBytes(US_ASCII);
    String kind = words.getFirst();
    Update update =
        switch (kind) {
          case "put" ->
              new Update.Put(
                  value, Update.NO_EXPIRY, Update.Condition.NONE, /* returnPrevious= */ false);
          case "setnx" ->
              new Update.Put(
                  value, Update.NO_EXPIRY, Update.Condition.ABSENT, /* returnPrevious= */ true);
          case "add" -> new Update.Add(Long.parseLong(words.get(2)));
          default ->
              new Update.Store(
                  value, Update.NO_EXPIRY, new byte[0], false, Update.Match.NONE, false);
        };
    coordinator.update(
        keyspace(words),
        key,
        update,
        level(words),
        false,
        outcome -> say(kind + " " + text(outcome)));
  }

  private static String text(ReadOutcome outcome) {
    return switch (outcome) {
      case ReadOutcome.Found found -> new String(found.value(), US_ASCII);
      case ReadOutcome.Missing missing -> "nothing";
      case Unanswered why -> text(why);
    };
  }

  private static String text(ScanOutcome outcome) {
    return switch (outcome) {
      case ScanOutcome.Page page -> page.keys().size() + " keys";
      case Unanswered why -> text(why);
    };
  }

  private static String text(FetchOutcome outcome) {
    return switch (outcome) {
      case FetchOutcome.Held held -> {
        List<String> values = new ArrayList<>();
        for (Versions.Sibling sibling : held.versions().siblings()) {
          byte[] value = sibling.value();
          values.add(value == null ? "deleted" : new String(value, US_ASCII));
        }
        yield values.toString();
      }
      case Unanswered why -> text(why);
    };
  }

  private static String text(UpdateOutcome outcome) {
    return switch (outcome) {
      case UpdateOutcome.Done done ->
          done.value() == null ? "done" : "done " + new String(done.value(), US_ASCII);
      case UpdateOutcome.Stored stored -> "stored " + stored.applied();
      case UpdateOutcome.Rejected rejected -> "rejected " + rejected.why();
      case Unanswered why -> text(why);
    };
  }

  private static String text(Unanswered why) {
    return switch (why) {
      case Unanswered.Refused refused ->
          "refused %s: %s".formatted(refused.reason(), refused.message());
      case Unanswered.Unknown unknown -> "unknown: " + unknown.message();
    };
  }

  private void reply(int node, List<String> words) {
    ArrayDeque<Message.Request> waiting = asked.get(node);
    if (waiting == null || waiting.isEmpty()) {
      say("node " + node + " was asked nothing");
      return;
    }
    long id = waiting.removeLast().id();
    Message.Reply reply =
        switch (words.getFirst()) {
          case "value" -> new Message.Value(id, record(words.get(1)));
          case "digest" ->
              new Message.Digest(
                  id,
                  Message.Digest.of(record(words.get(1)), dev.tern.core.keyspace.Resolution.LWW));
          case "written" -> new Message.Written(id, 0);
          case "superseded" ->
              new Message.Superseded(
                  id, java.util.Objects.requireNonNull(record(words.get(1))).newest().rank());
          case "outvoted" -> new Message.Outvoted(id, (loop.nanos / MILLI + 60_000) << 16 | node);
          case "refused" ->
              new Message.Refused(
                  id, new Unanswered.Refused(Reason.valueOf(words.get(1)), "node says no", 100));
          case "updated" -> new Message.Updated(id, UpdateOutcome.Done.WRITTEN);
          default -> throw new IllegalArgumentException(words.toString());
        };
    answered.put(node, reply);
    deliver(node, reply);
  }

  private void again(int node) {
    deliver(node, java.util.Objects.requireNonNull(answered.get(node)));
  }

  private void deliver(int node, Message.Reply reply) {
    coordinator.heard(node);
    coordinator.reply(node, reply);
  }

  private @org.jspecify.annotations.Nullable Siblings record(String version) {
    if (version.equals("none")) {
      return null;
    }
    String[] parts = version.split("@");
    byte[] value = parts[0].getBytes(US_ASCII);
    if (parts[1].equals("update")) {
      Stamp stamp = lastWritten.updated(lastWritten.term());
      return Siblings.of(new Version(UPDATERS_ID, 1, stamp, 0, ValueType.BYTES, value));
    }
    if (parts[1].equals("fork")) {
      return Siblings.of(new Version(UPDATERS_ID, 2, lastWritten, 0, ValueType.BYTES, value));
    }
    long time = parts[1].equals("+") ? lastWritten.time() + 1 : Long.parseLong(parts[1]);
    return Siblings.of(Version.put(OTHERS_ID, time, time, 0, value));
  }

  private final class Script implements Network {
    @Override
    public void start(Receiver receiver) {
      throw new IllegalStateException("not a part of this");
    }

    @Override
    public void connect(int node, String host, int port) {
      throw new IllegalStateException("not a part of this");
    }

    @Override
    public boolean send(int fromShard, int node, int toShard, ByteWriter payload) {
      Message message = MessageCodec.decode(new ByteReader(payload.toByteArray()));
      if (deaf.contains(node)) {
        say("-> %d cannot be sent %s".formatted(node, text(message)));
        return false;
      }
      say("-> %d %s".formatted(node, text(message)));
      if (message instanceof Message.Request request) {
        asked.computeIfAbsent(node, any -> new ArrayDeque<>()).add(request);
      }
      return true;
    }

    @Override
    public boolean connected(int fromShard, int node) {
      return true;
    }
  }

  private String text(Message message) {
    return switch (message) {
      case Message.Read read ->
          "Read"
              + (read.digest() ? " digest" : "")
              + (read.alone() ? " alone" : "")
              + (read.confirmed() ? " confirmed" : "")
              + (read.ballot() > 0 ? " under a ballot" : "");
      case Message.ReadHeld read -> "ReadHeld for " + read.target();
      case Message.Write write -> {
        lastWritten = write.record().newest().stamp();
        yield "Write " + text(write.record()) + (write.ballot() > 0 ? " under a ballot" : "");
      }
      case Message.Hold hold -> {
        lastWritten = hold.record().newest().stamp();
        yield "Hold " + text(hold.record()) + " for " + hold.target();
      }
      case Message.Forward forward -> "Forward " + forward.update().getClass().getSimpleName();
      default -> message.getClass().getSimpleName();
    };
  }

  private static String text(Siblings record) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < record.count(); i++) {
      byte[] value = record.get(i).value();
      values.add(value == null ? "deleted" : new String(value, US_ASCII));
    }
    return String.join("+", values);
  }
}
