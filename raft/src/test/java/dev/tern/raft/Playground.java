package dev.tern.raft;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// A group whose members, disks and network move only when a transcript says so.
///
/// ```
///   nodes voters=1,2,3 [learners=..] [waiting=..] [lease=n] [message=n] [inflight=n] [chunk=n]
///   tick N [count]     campaign N        propose N text [times]    read N context
///   change N voters=.. [learners=..]     transfer N to             compact N [kept]
///   disk N off | on    its writes stay under way until `persist N [count]`, or until it is on
///   cut A B | mend A B   drop            messages between them; all that are under way
///   deliver [N]        what is under way (to N), once, without what that causes
///   settle             delivers and persists until nothing happens
///   crash N            memory is lost, and every write under way; it starts again
///   log N              what it has
/// ```
final class Playground {
  private record Envelope(int from, int to, RaftMessage message) {}

  /// A member and its disk.
  private static final class Member {
    Raft raft;
    final StringBuilder machine = new StringBuilder();
    boolean slow;
    final ArrayDeque<Effect.Persist> writing = new ArrayDeque<>();

    // What is on disk.
    Recovered disk;
    final TreeMap<Long, String> snapshots = new TreeMap<>();
    String partial = "";
  }

  private final TreeMap<Integer, Member> members = new TreeMap<>();
  private final ArrayDeque<Envelope> network = new ArrayDeque<>();
  private final TreeSet<String> cuts = new TreeSet<>();
  private final StringBuilder out = new StringBuilder();
  private final Map<String, Integer> shape = new TreeMap<>();

  /// Runs one command; what happened.
  String run(String command) {
    out.setLength(0);
    String[] words = command.split(" ");
    int node = words.length > 1 && words[1].matches("\\d+") ? Integer.parseInt(words[1]) : 0;
    switch (words[0]) {
      case "nodes" -> nodes(words);
      case "tick" -> repeat(words, 2, () -> member(node).raft.tick());
      case "campaign" -> member(node).raft.campaign();
      case "propose" ->
          repeat(
              words, 3, () -> say("%s".formatted(raft(node).propose(words[2].getBytes(US_ASCII)))));
      case "read" -> raft(node).read(Long.parseLong(words[2]));
      case "change" -> say("%s".formatted(raft(node).change(membership(words))));
      case "transfer" -> say("%s".formatted(raft(node).transfer(Integer.parseInt(words[2]))));
      case "compact" -> compact(member(node), words.length > 2 ? Long.parseLong(words[2]) : 0);
      case "disk" -> disk(member(node), words[2].equals("off"));
      case "persist" -> repeat(words, 2, () -> persistOne(member(node)));
      case "cut" -> cuts.addAll(List.of(words[1] + ">" + words[2], words[2] + ">" + words[1]));
      case "mend" -> cuts.removeAll(List.of(words[1] + ">" + words[2], words[2] + ">" + words[1]));
      case "drop" -> network.clear();
      case "deliver" -> deliver(node);
      case "settle" -> settle();
      case "crash" -> crash(node);
      case "log" -> log(node);
      default -> throw new IllegalArgumentException(command);
    }
    members.values().forEach(this::work);
    return out.toString();
  }

  private static void repeat(String[] words, int at, Runnable what) {
    int count = words.length > at ? Integer.parseInt(words[at]) : 1;
    for (int i = 0; i < count; i++) {
      what.run();
    }
  }

  private void say(String line) {
    out.append(line).append('\n');
  }

  private Member member(int node) {
    return members.get(node);
  }

  private Raft raft(int node) {
    return members.get(node).raft;
  }

  private static List<Integer> list(String[] words, String name) {
    for (String word : words) {
      if (word.startsWith(name + "=")) {
        String[] numbers = word.substring(name.length() + 1).split(",");
        return Arrays.stream(numbers).map(Integer::valueOf).toList();
      }
    }
    return List.of();
  }

  private static Membership membership(String[] words) {
    return Membership.of(list(words, "voters"), list(words, "learners"));
  }

  private void nodes(String[] words) {
    for (String name : List.of("lease", "message", "inflight", "chunk", "uncommitted")) {
      list(words, name).forEach(value -> shape.put(name, value));
    }
    Membership founding = membership(words);
    founding.members().forEach(node -> add(node, Recovered.nothing(founding)));
    list(words, "waiting").forEach(node -> add(node, Recovered.nothing(Membership.NOBODY)));
  }

  private void add(int node, Recovered disk) {
    Member member = new Member();
    member.disk = disk;
    members.put(node, member);
    start(node, member);
  }

  private void start(int node, Member member) {
    RaftConfig config =
        new RaftConfig(
            node,
            10,
            1,
            shape.getOrDefault("lease", 0),
            shape.getOrDefault("message", 1000),
            shape.getOrDefault("inflight", 100_000),
            shape.getOrDefault("uncommitted", 100_000),
            1000,
            shape.getOrDefault("chunk", 1000),
            10,
            RaftBug.NONE);
    member.machine.setLength(0);
    long index = member.disk.mark().index();
    member.machine.append(member.snapshots.getOrDefault(index, ""));
    member.raft = new Raft(config, member.disk, index, Randomness.of(node));
  }

  private void crash(int node) {
    Member member = member(node);
    member.writing.clear();
    member.partial = "";
    start(node, member);
  }

  private void disk(Member member, boolean slow) {
    member.slow = slow;
    while (!slow && !member.writing.isEmpty()) {
      persistOne(member);
    }
  }

  private void compact(Member member, long kept) {
    SnapshotMark mark = member.raft.markNow();
    member.snapshots.put(mark.index(), member.machine.toString());
    long base = Math.max(member.raft.baseIndex(), mark.index() - kept);
    long baseTerm = member.raft.termAt(base);
    member.raft.compact(mark, base);
    Recovered disk = member.disk;
    List<Entry> left = disk.entries().stream().filter(e -> e.index() > base).toList();
    member.disk = new Recovered(disk.state(), mark, base, baseTerm, left);
    say("snapshot of %s, base %d".formatted(mark, base));
  }

  // ---- what is under way

  private void deliver(int to) {
    List<Envelope> some = new ArrayList<>();
    for (Iterator<Envelope> all = network.iterator(); all.hasNext(); ) {
      Envelope each = all.next();
      if (to == 0 || each.to() == to) {
        all.remove();
        some.add(each);
      }
    }
    some.forEach(this::arrive);
  }

  private void arrive(Envelope envelope) {
    Member member = member(envelope.to());
    boolean isCut = cuts.contains(envelope.from() + ">" + envelope.to());
    String text = describe(envelope.message());
    say("%d>%d %s%s".formatted(envelope.from(), envelope.to(), text, isCut ? "  lost" : ""));
    if (!isCut && member != null) {
      ByteWriter bytes = new ByteWriter();
      RaftMessageCodec.encode(envelope.message(), bytes);
      RaftMessage copy = RaftMessageCodec.decode(new ByteReader(bytes.toByteArray()));
      member.raft.step(envelope.from(), copy);
      work(member);
    }
  }

  private void settle() {
    for (int round = 0; round < 1000; round++) {
      members.values().forEach(this::work);
      if (network.isEmpty()) {
        return;
      }
      arrive(network.removeFirst());
    }
    say("it does not settle");
  }

  private void work(Member member) {
    for (List<Effect> some = member.raft.drain(); !some.isEmpty(); some = member.raft.drain()) {
      for (Effect effect : some) {
        perform(member, effect);
      }
    }
  }

  private void perform(Member member, Effect effect) {
    Raft raft = member.raft;
    int id = raft.id();
    switch (effect) {
      case Effect.Send send -> network.add(new Envelope(id, send.to(), send.message()));
      case Effect.Persist persist -> {
        member.writing.add(persist);
        if (member.slow) {
          say("%d writes %s".formatted(id, describe(persist)));
        } else {
          persistOne(member);
        }
      }
      case Effect.SaveChunk chunk -> {
        String text = new String(chunk.bytes(), US_ASCII);
        member.partial = chunk.offset() == 0 ? text : member.partial + text;
        if (chunk.last()) {
          member.snapshots.put(chunk.mark().index(), member.partial);
        }
        say(
            "%d saves \"%s\" at %d%s"
                .formatted(id, text, chunk.offset(), chunk.last() ? ", last" : ""));
      }
      case Effect.LoadChunk load -> {
        String all = member.snapshots.get(load.mark().index());
        int end = (int) Math.min(all.length(), load.offset() + load.maxBytes());
        byte[] part = all.substring((int) load.offset(), end).getBytes(US_ASCII);
        raft.chunk(load.to(), load.mark(), load.offset(), part, end == all.length());
      }
      case Effect.Apply apply -> {
        apply.entries().forEach(e -> member.machine.append(new String(e.payload(), US_ASCII)));
        long last = apply.entries().getLast().index();
        say("%d applies %d..%d".formatted(id, apply.entries().getFirst().index(), last));
        raft.applied(last);
      }
      case Effect.Install install -> {
        member.machine.setLength(0);
        member.machine.append(member.snapshots.get(install.mark().index()));
        say("%d installs the snapshot of %d".formatted(id, install.mark().index()));
        raft.applied(install.mark().index());
      }
      case Effect.ReadReady ready ->
          say("%d answers read %d at %d".formatted(id, ready.context(), raft.appliedIndex()));
      case Effect.ReadRefused refused -> say("%d refuses read %d".formatted(id, refused.context()));
      case Effect.RoleChanged changed ->
          say(
              "%d is %s in term %d%s"
                  .formatted(
                      id,
                      changed.role(),
                      changed.term(),
                      changed.leader() == 0 ? "" : ", leader " + changed.leader()));
    }
  }

  private void persistOne(Member member) {
    if (member.writing.isEmpty()) {
      say("nothing is under way");
      return;
    }
    Effect.Persist write = member.writing.removeFirst();
    Recovered disk = member.disk;
    SnapshotMark mark = write.reset() == null ? disk.mark() : write.reset();
    long base = write.reset() == null ? disk.baseIndex() : mark.index();
    long baseTerm = write.reset() == null ? disk.baseTerm() : mark.term();
    List<Entry> entries = new ArrayList<>(write.reset() == null ? disk.entries() : List.of());
    if (!write.entries().isEmpty()) {
      entries.removeIf(e -> e.index() >= write.entries().getFirst().index());
      entries.addAll(write.entries());
    }
    entries.removeIf(e -> e.index() <= base);
    member.disk = new Recovered(write.state(), mark, base, baseTerm, entries);
    if (member.slow) {
      say("%d has written %s".formatted(member.raft.id(), describe(write)));
    }
    member.raft.persisted(write.number());
    work(member);
  }

  // ---- words

  private void log(int node) {
    Raft raft = raft(node);
    StringBuilder entries = new StringBuilder();
    for (long index = raft.baseIndex() + 1; index <= raft.lastIndex(); index++) {
      entries.append(' ').append(describe(raft.entryAt(index)));
    }
    say("base %d, entries%s".formatted(raft.baseIndex(), entries.isEmpty() ? " none" : entries));
    say("commit %d, applied \"%s\"".formatted(raft.commitIndex(), printable(member(node).machine)));
    say("members %s".formatted(raft.membership()));
  }

  private static String printable(CharSequence text) {
    StringBuilder printable = new StringBuilder();
    text.chars().filter(c -> c >= ' ' && c < 127).forEach(c -> printable.append((char) c));
    return printable.toString();
  }

  private static String describe(Effect.Persist write) {
    StringBuilder text = new StringBuilder(write.number() + ":");
    text.append(" term ")
        .append(write.state().term())
        .append(" vote ")
        .append(write.state().vote());
    write.entries().forEach(entry -> text.append(' ').append(describe(entry)));
    return write.reset() == null ? text.toString() : text + " snapshot " + write.reset().index();
  }

  private static String describe(Entry entry) {
    String text = entry.index() + "/" + entry.term();
    return switch (entry.kind()) {
      case EMPTY -> text;
      case COMMAND -> text + "'" + new String(entry.payload(), US_ASCII) + "'";
      case MEMBERSHIP -> text + "{" + Membership.decode(new ByteReader(entry.payload())) + "}";
    };
  }

  private static String describe(RaftMessage message) {
    return switch (message) {
      case RaftMessage.Append m -> {
        StringBuilder text = new StringBuilder("Append term=" + m.term());
        text.append(" after ").append(m.prevIndex()).append('/').append(m.prevTerm());
        text.append(" commit=").append(m.commit());
        m.entries().forEach(entry -> text.append(' ').append(describe(entry)));
        yield text.toString();
      }
      case RaftMessage.Chunk m ->
          "Chunk term=%d of %d at %d \"%s\"%s"
              .formatted(
                  m.term(),
                  m.mark().index(),
                  m.offset(),
                  new String(m.bytes(), US_ASCII),
                  m.last() ? " last" : "");
      case RaftMessage.Read m -> "Read term=" + m.term();
      case RaftMessage.ReadReply m -> "ReadReply term=" + m.term() + " index=" + m.index();
      default -> message.toString();
    };
  }
}
