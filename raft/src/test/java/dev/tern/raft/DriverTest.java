package dev.tern.raft;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// The driver that the comment of the package shows: it is here word for word, and it runs.
class DriverTest {
  private record Envelope(int from, int to, RaftMessage message) {}

  /// Carries messages in the order in which they were sent.
  private static final class Network {
    final ArrayDeque<Envelope> underWay = new ArrayDeque<>();

    void send(int from, int to, RaftMessage message) {
      underWay.add(new Envelope(from, to, message));
    }
  }

  /// Is as fast as memory.
  private static final class Disk {
    private HardState state = HardState.NOTHING;
    private final TreeMap<Long, Entry> entries = new TreeMap<>();

    void write(HardState state, List<Entry> entries) {
      this.state = state;
      if (!entries.isEmpty()) {
        this.entries.tailMap(entries.getFirst().index(), true).clear();
      }
      entries.forEach(entry -> this.entries.put(entry.index(), entry));
    }

    Recovered recovered(Membership founding) {
      SnapshotMark none = new SnapshotMark(0, 0, founding);
      return new Recovered(state, none, 0, 0, List.copyOf(entries.values()));
    }
  }

  /// Joins the commands.
  private static final class Machine {
    final StringBuilder text = new StringBuilder();
    final List<String> answers = new ArrayList<>();

    void apply(Entry entry) {
      if (entry.kind() == Entry.Kind.COMMAND) {
        text.append(new String(entry.payload(), US_ASCII));
      }
    }

    void answer(long context) {
      answers.add(context + ": " + text);
    }

    void refuse(long context) {
      answers.add(context + ": refused");
    }
  }

  private static final class Driver {
    private final Network network;
    private final Disk disk;
    final Machine machine = new Machine();
    final Raft raft;
    int leader;

    Driver(Network network, Disk disk, int id, Membership founding) {
      this.network = network;
      this.disk = disk;
      RaftConfig config = RaftConfig.defaults(id);
      this.raft = new Raft(config, disk.recovered(founding), 0, Randomness.of(id));
    }

    // The comment of the package from here on.
    void work() {
      for (List<Effect> some = raft.drain(); !some.isEmpty(); some = raft.drain()) {
        some.forEach(this::carryOut);
      }
    }

    void carryOut(Effect effect) {
      switch (effect) {
        case Effect.Send send -> network.send(raft.id(), send.to(), send.message());
        case Effect.Persist write -> {
          disk.write(write.state(), write.entries());
          raft.persisted(write.number());
        }
        case Effect.Apply committed -> {
          committed.entries().forEach(machine::apply);
          raft.applied(committed.entries().getLast().index());
        }
        case Effect.ReadReady read -> machine.answer(read.context());
        case Effect.ReadRefused read -> machine.refuse(read.context());
        case Effect.RoleChanged change -> leader = change.leader();
        case Effect.SaveChunk part -> throw new IllegalStateException("no snapshots here");
        case Effect.LoadChunk part -> throw new IllegalStateException("no snapshots here");
        case Effect.Install snapshot -> throw new IllegalStateException("no snapshots here");
      }
    }
    // The comment of the package up to here.
  }

  private final Membership founding = Membership.of(List.of(1, 2, 3), List.of());
  private final Network network = new Network();
  private final TreeMap<Integer, Disk> disks = new TreeMap<>();
  private final TreeMap<Integer, Driver> drivers = new TreeMap<>();

  private void start() {
    for (int id = 1; id <= 3; id++) {
      Disk disk = disks.computeIfAbsent(id, n -> new Disk());
      drivers.put(id, new Driver(network, disk, id, founding));
    }
  }

  private void settle() {
    drivers.values().forEach(Driver::work);
    while (!network.underWay.isEmpty()) {
      Envelope next = network.underWay.remove();
      Driver driver = drivers.get(next.to());
      driver.raft.step(next.from(), next.message());
      driver.work();
    }
  }

  private Driver elect() {
    for (int tick = 0; tick < 100 && drivers.get(1).leader == 0; tick++) {
      drivers.values().forEach(driver -> driver.raft.tick());
      settle();
    }
    int leader = drivers.get(1).leader;
    assertTrue(leader > 0, "nobody leads after 100 ticks");
    drivers.values().forEach(driver -> assertEquals(leader, driver.leader));
    return drivers.get(leader);
  }

  private void propose(String command) {
    Proposal proposal = elect().raft.propose(command.getBytes(US_ASCII));
    assertInstanceOf(Proposal.Accepted.class, proposal);
    settle();
  }

  @Test
  void aGroupAgreesAndRemembers() {
    start();
    propose("a");
    propose("b");
    drivers.values().forEach(driver -> assertEquals("ab", driver.machine.text.toString()));
    Driver follower = drivers.get(elect().raft.id() % 3 + 1);
    follower.raft.read(7);
    settle();
    assertEquals(List.of("7: ab"), follower.machine.answers);
    start();
    propose("c");
    drivers.values().forEach(driver -> assertEquals("abc", driver.machine.text.toString()));
  }

  private static List<String> lines(Path file, String from, String to) throws IOException {
    List<String> lines = Files.readAllLines(file).stream().map(String::strip).toList();
    int start = lines.indexOf(from);
    return lines.subList(start + 1, start + lines.subList(start, lines.size()).indexOf(to));
  }

  @Test
  void theCommentIsTheDriver() throws IOException {
    List<String> shown =
        lines(Path.of("src/main/java/dev/tern/raft/package-info.java"), "/// ```java", "/// ```")
            .stream()
            .map(line -> line.substring(3).strip())
            .toList();
    List<String> compiled =
        lines(
            Path.of("src/test/java/dev/tern/raft/DriverTest.java"),
            "// The comment of the package from here on.",
            "// The comment of the package up to here.");
    assertTrue(shown.size() > 20, "the comment shows no driver");
    assertEquals(shown, compiled);
  }
}
