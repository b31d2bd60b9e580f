package dev.tern.raft.log;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.Randomness;
import dev.tern.raft.Effect;
import dev.tern.raft.Entry;
import dev.tern.raft.HardState;
import dev.tern.raft.Membership;
import dev.tern.raft.Recovered;
import dev.tern.raft.SnapshotMark;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.World;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// The shared log on a simulated disk: against a model, through power cuts, and with flipped bits.
class SharedLogTest {
  private static final Membership FOUNDING = Membership.of(List.of(1, 2, 3), List.of());

  /// What a group's log should be.
  private static final class Model {
    HardState state = HardState.NOTHING;
    SnapshotMark mark = new SnapshotMark(0, 0, FOUNDING);
    long base;
    long baseTerm;
    List<Entry> entries = new ArrayList<>();

    Model copy() {
      Model copy = new Model();
      copy.state = state;
      copy.mark = mark;
      copy.base = base;
      copy.baseTerm = baseTerm;
      copy.entries = new ArrayList<>(entries);
      return copy;
    }

    long last() {
      return base + entries.size();
    }

    boolean is(Recovered recovered) {
      return state.equals(recovered.state())
          && mark.equals(recovered.mark())
          && base == recovered.baseIndex()
          && baseTerm == recovered.baseTerm()
          && entries.equals(recovered.entries());
    }
  }

  private World world = new World(7, SharedLogTest::threw);
  private SimulatedDisk disk = new SimulatedDisk(world, 1);
  private FileLives lives = FileLives.of(Randomness.of(11));
  private long number;

  private static void threw(int node, Throwable what) {
    if (what instanceof Error error) {
      throw error;
    }
    throw new IllegalStateException("node " + node, what);
  }

  private SharedLog open(long segmentBytes) throws IOException {
    return SharedLog.open(disk, new SimulatedLoop(world, 1, disk), "raft", segmentBytes, lives);
  }

  private void settle() {
    world.runUntil(world.nanos() + World.SECOND);
  }

  private static void ok(Throwable failure) {
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
  }

  private void write(SharedLog log, int group, Model model, Randomness random) {
    long term = model.state.term() + random.nextInt(2);
    long from = Math.max(model.mark.index(), model.last() - random.nextInt(3)) + 1;
    List<Entry> entries = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      byte[] payload = new byte[random.nextInt(50)];
      entries.add(new Entry(from + entries.size(), term, Entry.Kind.COMMAND, payload));
    }
    model.state = new HardState(term, random.nextInt(4), model.last());
    SnapshotMark reset = null;
    if (random.nextInt(12) == 0) {
      reset = new SnapshotMark(model.last() + 5, term, FOUNDING);
      entries.clear();
      model.mark = reset;
      model.base = reset.index();
      model.baseTerm = term;
      model.entries.clear();
    } else if (!entries.isEmpty()) {
      model.entries.subList((int) (from - model.base - 1), model.entries.size()).clear();
      model.entries.addAll(entries);
    }
    log.append(group, new Effect.Persist(++number, model.state, entries, reset), SharedLogTest::ok);
  }

  private static void compact(SharedLog log, int group, Model model) {
    long index = model.last();
    if (index <= model.mark.index()) {
      return;
    }
    long base = Math.max(model.base, index - 3);
    long term = model.entries.getLast().term();
    long baseTerm =
        base == model.base
            ? model.baseTerm
            : model.entries.get((int) (base - model.base - 1)).term();
    model.mark = new SnapshotMark(index, term, FOUNDING);
    model.entries.subList(0, (int) (base - model.base)).clear();
    model.base = base;
    model.baseTerm = baseTerm;
    log.compact(group, model.mark, base, baseTerm, SharedLogTest::ok);
  }

  @Test
  void everyGroupFindsWhatItWrote() throws IOException {
    Randomness random = Randomness.of(3);
    Map<Integer, Model> models = new TreeMap<>();
    SharedLog log = open(3_000);
    long most = 0;
    for (int step = 0; step < 4_000; step++) {
      int group = 1 + random.nextInt(5);
      Model model = models.computeIfAbsent(group, g -> new Model());
      if (random.nextInt(10) == 0) {
        compact(log, group, model);
      } else {
        write(log, group, model, random);
      }
      if (random.nextInt(20) == 0) {
        settle();
        most = Math.max(most, log.statistics().segments());
      }
      if (random.nextInt(300) == 0) {
        settle();
        log.close();
        log = open(3_000);
        for (Map.Entry<Integer, Model> each : models.entrySet()) {
          Recovered found = log.recovered(each.getKey(), FOUNDING);
          assertTrue(sameBytes(each.getValue(), found), "group " + each.getKey());
        }
      }
    }
    assertTrue(most > 1 && most < 40, "segments: " + most);
    assertEquals(List.of(), log.pinning(100));
  }

  /// Entries hold arrays, so they are compared one by one.
  private static boolean sameBytes(Model model, Recovered found) {
    assertEquals(model.entries.size(), found.entries().size());
    for (int i = 0; i < model.entries.size(); i++) {
      Entry one = model.entries.get(i);
      Entry other = found.entries().get(i);
      assertEquals(one.index(), other.index());
      assertEquals(one.term(), other.term());
      assertArrayEquals(one.payload(), other.payload());
    }
    Model copy = model.copy();
    copy.entries = found.entries();
    return copy.is(found);
  }

  @Test
  void aPowerCutLosesNothingThatWasTold() throws IOException {
    int[] seen = powerCuts(/* fills= */ false);
    assertTrue(seen[0] > 100, "power cuts that lost something: " + seen[0]);
  }

  /// The disk is full again and again, and has room again: what waits is written then, and what was
  /// told is never lost.
  @Test
  void aLogGoesOnWhenAFullDiskHasRoomAgain() throws IOException {
    int[] seen = powerCuts(/* fills= */ true);
    assertTrue(seen[0] > 100, "power cuts that lost something: " + seen[0]);
    assertTrue(seen[1] > 1_000, "times that a full disk was met: " + seen[1]);
  }

  /// @return power cuts that lost something, and how often the disk was full
  private int[] powerCuts(boolean fills) throws IOException {
    int torn = 0;
    int met = 0;
    for (long seed = 1; seed <= 300; seed++) {
      world = new World(seed, (node, what) -> {});
      disk = new SimulatedDisk(world, 1);
      Randomness random = Randomness.of(seed);
      List<Model> written = new ArrayList<>(List.of(new Model()));
      int[] told = {0};
      SharedLog log = open(2_000);
      Model model = new Model();
      for (int step = 0; step < 200; step++) {
        write(log, 1, model, random);
        written.add(model.copy());
        int wrote = written.size() - 1;
        log.append(
            2,
            new Effect.Persist(++number, HardState.NOTHING, List.of(), null),
            failure -> told[0] = failure == null ? wrote : told[0]);
        if (random.nextInt(3) == 0) {
          world.runUntil(world.nanos() + random.nextInt(300_000));
        }
        if (fills && random.nextInt(15) == 0) {
          disk.fillAfter(random.nextInt(6));
        }
        if (fills && random.nextInt(10) == 0) {
          met += log.notReady() == null ? 0 : 1;
          disk.heal();
          log.retry();
        }
      }
      if (fills && seed % 2 == 0) {
        disk.heal();
        settle();
        log.retry();
        settle();
        assertEquals(written.size() - 1, told[0], "seed " + seed);
        assertNull(log.notReady());
      }
      world.end(1);
      disk.powerCut();
      Recovered found = open(2_000).recovered(1, FOUNDING);
      int is = -1;
      for (int i = told[0]; i < written.size() && is < 0; i++) {
        Model candidate = written.get(i);
        boolean same = candidate.entries.size() == found.entries().size();
        candidate.entries = same ? found.entries() : candidate.entries;
        is = candidate.is(found) ? i : -1;
      }
      assertTrue(is >= told[0], "seed " + seed + ": told " + told[0]);
      torn += is < written.size() - 1 ? 1 : 0;
    }
    return new int[] {torn, met};
  }

  /// The process ends before an fsync, and in its next life finds the write in the page cache. From
  /// then on others count on it, so a power cut must not take it. (Found as seed 961 of
  /// topologies.)
  @Test
  void whatWasFoundOnceStaysAfterAPowerCut() throws IOException {
    for (int seed = 1; seed <= 30; seed++) {
      world = new World(seed, SharedLogTest::threw);
      disk = new SimulatedDisk(world, 1);
      SharedLog log = open(1 << 20);
      log.append(1, write(), SharedLogTest::ok);
      settle();
      log.append(1, write(), SharedLogTest::ok);
      disk.crashAfter(1);
      assertThrows(World.Crash.class, this::settle);
      disk.heal();
      for (int i = 0; i < 2; i++) {
        world.end(1);
        HardState found = open(1 << 20).recovered(1, FOUNDING).state();
        assertEquals(new HardState(number, 0, 0), found);
        disk.powerCut();
      }
    }
  }

  private Effect.Persist write() {
    number++;
    Entry entry = new Entry(1, number, Entry.Kind.COMMAND, new byte[20]);
    return new Effect.Persist(number, new HardState(number, 0, 0), List.of(entry), null);
  }

  @Test
  void oneFsyncCoversAllGroupsThatWait() throws IOException {
    SharedLog log = open(1 << 20);
    long before = log.statistics().forces();
    Randomness random = Randomness.of(5);
    for (int group = 1; group <= 100; group++) {
      write(log, group, new Model(), random);
    }
    settle();
    assertEquals(1, log.statistics().forces() - before);
  }

  @Test
  void anIdleGroupPinsSegmentsAndIsNamed() throws IOException {
    SharedLog log = open(1_000);
    Randomness random = Randomness.of(6);
    Model idle = new Model();
    while (idle.entries.isEmpty()) {
      write(log, 1, idle, random);
    }
    Model busy = new Model();
    for (int step = 0; step < 200; step++) {
      write(log, 2, busy, random);
      compact(log, 2, busy);
      settle();
    }
    assertTrue(log.statistics().segments() > 5);
    assertEquals(List.of(1), log.pinning(3));
    log.drop(1, SharedLogTest::ok);
    for (int step = 0; step < 60; step++) {
      write(log, 2, busy, random);
      compact(log, 2, busy);
      settle();
    }
    assertTrue(log.statistics().segments() <= 3, log.statistics().toString());
    assertEquals(List.of(2), log.groups());
  }

  /// A flipped bit in anything but the last frames is refused; there it may pass for a torn tail.
  @Test
  void flippedBitsAreRefusedOrTakenForATornTail() throws IOException {
    SharedLog log = open(1 << 20);
    Randomness random = Randomness.of(8);
    Model model = new Model();
    for (int step = 0; step < 6; step++) {
      write(log, 1, model, random);
      settle();
    }
    String name = "raft/" + disk.list("raft").getLast();
    byte[] good = read(name);
    int refused = 0;
    for (int at = 0; at < good.length; at++) {
      disk = new SimulatedDisk(world, 1);
      byte[] bad = good.clone();
      bad[at] ^= (byte) (1 << random.nextInt(8));
      FileSystem.WritableFile file = disk.create(name);
      file.append(ByteBuffer.wrap(bad));
      try {
        Recovered found = open(1 << 20).recovered(1, FOUNDING);
        assertTrue(found.state().term() <= model.state.term());
      } catch (RaftLogException e) {
        refused++;
      }
    }
    assertTrue(refused > good.length / 2, refused + " of " + good.length);
  }

  private byte[] read(String name) throws IOException {
    try (FileSystem.ReadableFile file = disk.open(name)) {
      ByteBuffer bytes = ByteBuffer.allocate((int) file.size());
      file.read(0, bytes);
      return bytes.array();
    }
  }

  /// A log of at least three segments; its disk.
  private SimulatedDisk manySegments(FileLives drawn) throws IOException {
    disk = new SimulatedDisk(world, 1);
    lives = drawn;
    SharedLog log = open(500);
    Randomness random = Randomness.of(9);
    Model model = new Model();
    for (int step = 0; step < 1000 && (step < 100 || disk.list("raft").size() < 3); step++) {
      write(log, 1, model, random);
      settle();
    }
    log.close();
    return disk;
  }

  private String refusal() {
    return assertThrows(RaftLogException.class, () -> open(500)).getMessage();
  }

  @Test
  void aMissingSegmentIsRefused() throws IOException {
    List<String> names = manySegments(lives).list("raft");
    assertTrue(names.size() > 2, names.toString());
    disk.delete("raft/" + names.get(names.size() - 2));
    String number = names.get(names.size() - 2).replaceFirst("^0*", "").replace(".raftlog", "");
    String message = refusal();
    assertTrue(message.contains("segment " + number + " is missing"), message);
  }

  private void replace(String name, byte[] bytes) throws IOException {
    if (disk.exists(name)) {
      disk.delete(name);
    }
    disk.create(name).append(ByteBuffer.wrap(bytes));
  }

  /// A segment of another node, whole and of the right number, is told from this log's.
  @Test
  void aSegmentOfAnotherLogIsRefused() throws IOException {
    SimulatedDisk other = manySegments(FileLives.of(Randomness.of(12)));
    List<String> names = other.list("raft");
    SimulatedDisk own = manySegments(FileLives.of(Randomness.of(13)));
    assertEquals(names, own.list("raft"));
    for (String name : names) {
      String path = "raft/" + name;
      disk = other;
      byte[] alien = read(path);
      disk = own;
      byte[] right = read(path);
      replace(path, alien);
      String message = refusal();
      assertTrue(message.contains("of log") && message.contains("directories are mixed"), message);
      replace(path, right);
    }
    open(500).close();
  }

  /// So is one of this log under another segment's number.
  @Test
  void aSegmentUnderAnotherNumberIsRefused() throws IOException {
    List<String> names = manySegments(lives).list("raft");
    String older = "raft/" + names.get(names.size() - 3);
    String newer = "raft/" + names.get(names.size() - 2);
    replace(newer, read(older));
    String message = refusal();
    assertTrue(message.contains(newer) && message.contains("another file under this"), message);
  }

  @Test
  void aSegmentOfAnEarlierFormatIsRefused() throws IOException {
    byte[] earlier = new byte[100];
    disk.create("raft/0000000001.raftlog").append(ByteBuffer.wrap(earlier));
    String message = refusal();
    assertTrue(message.contains("of an earlier format"), message);
  }

  /// A snapshot that was damaged, or renamed, is neither used nor sent.
  @Test
  void anotherSnapshotUnderANameIsRefused() throws IOException {
    SnapshotFiles snapshots = new SnapshotFiles(disk, "snapshots", lives);
    SnapshotMark mark = new SnapshotMark(7, 2, FOUNDING);
    byte[] content = new byte[1000];
    snapshots.save(1, mark, content);
    assertArrayEquals(content, snapshots.load(1, mark));
    SnapshotFiles.Part part = snapshots.load(1, mark, 900, 200);
    assertTrue(part.last() && part.bytes().length == 100);
    SnapshotMark other = new SnapshotMark(8, 2, FOUNDING);
    disk.rename("snapshots/g1-7-2.snapshot", "snapshots/g1-8-2.snapshot");
    for (int way = 0; way < 2; way++) {
      boolean whole = way == 0;
      String message =
          assertThrows(
                  RaftLogException.class,
                  () -> {
                    if (whole) {
                      snapshots.load(1, other);
                    } else {
                      snapshots.load(1, other, 0, 100);
                    }
                  })
              .getMessage();
      assertTrue(message.contains("group 1, index 7, term 2"), message);
    }
    byte[] damaged = read("snapshots/g1-8-2.snapshot");
    damaged[500] ^= 1;
    replace("snapshots/g1-7-2.snapshot", damaged);
    assertThrows(RaftLogException.class, () -> snapshots.load(1, mark));
    assertThrows(RaftLogException.class, () -> snapshots.load(1, mark, 0, 100));
  }

  /// Parts of two snapshots do not become one.
  @Test
  void aPartOfAnotherSnapshotDoesNotFollow() throws IOException {
    SnapshotFiles snapshots = new SnapshotFiles(disk, "snapshots", lives);
    snapshots.save(1, new SnapshotMark(7, 2, FOUNDING), 0, new byte[10], false);
    SnapshotMark other = new SnapshotMark(8, 2, FOUNDING);
    assertThrows(IOException.class, () -> snapshots.save(1, other, 10, new byte[10], true));
  }
}
