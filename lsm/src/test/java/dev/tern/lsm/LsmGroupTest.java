package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Stores that share a cache, a budget and turns to compact.
class LsmGroupTest {
  private static final int VALUE_BYTES = 1000;

  /// Stores that leave enough memory, whatever they hold.
  private static final int FULL = 4;

  private static final LsmOptions SIZES =
      Bed.options(64 << 10, 256 << 10, 1024, 64 << 10).withThreads(1);

  private final LsmGroup group = new LsmGroup(SIZES);
  private final Random random = new Random(1);

  /// A store on a disk of its own, whose jobs run when the test says so.
  private final class Member {
    final WaitingJobs jobs = new WaitingJobs();
    final MemoryFiles files = new MemoryFiles();
    final LsmOptions options;
    Lsm lsm;
    ColumnFamily family;
    int written;

    Member(LsmOptions options) throws IOException {
      this.options = options;
      open();
    }

    void open() throws IOException {
      lsm = Lsm.open(files, jobs, WaitingJobs.STOPPED, Randomness.of(1), "store", options);
      family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    }

    void write(int bytes) throws IOException {
      for (int i = 0; i < bytes / VALUE_BYTES; i++) {
        byte[] value = new byte[VALUE_BYTES];
        random.nextBytes(value);
        lsm.append(new WriteBatch().put(family, Entries.key(written++ % 2000), value));
        lsm.flushLog();
      }
    }

    LsmStatistics.Memory memory() {
      return lsm.statistics().memory();
    }
  }

  private static LsmOptions withoutLog(LsmGroup group) {
    return group.options().withoutLog();
  }

  /// The jobs of one store never end, as on a disk that does not answer: the other one flushes and
  /// compacts, though there is one turn to compact only.
  @Test
  void aDeadDiskHoldsUpNobodyElse() throws IOException {
    Member dead = new Member(group.options().withDurability(Durability.NONE));
    Member alive = new Member(withoutLog(group));
    while (!dead.lsm.pressure().refused()) {
      dead.write(VALUE_BYTES);
    }
    for (int i = 0; i < 100; i++) {
      assertFalse(alive.lsm.pressure().refused(), "after " + i + " rounds");
      alive.write(32 << 10);
      alive.jobs.runAll();
    }
    LsmStatistics statistics = alive.lsm.statistics();
    assertTrue(statistics.flushes() > 20, statistics.toString());
    assertTrue(statistics.compactions() > 5, statistics.toString());
    assertEquals(0, dead.lsm.statistics().flushes());
  }

  @Test
  void whatOneStoreDoesNotUseTheOtherMay() throws IOException {
    Member busy = new Member(withoutLog(group));
    Member idle = new Member(withoutLog(group));
    busy.write(24 << 10);
    assertEquals(0, busy.lsm.statistics().flushes());
    busy.jobs.runAll();
    assertEquals(0, busy.lsm.statistics().flushes(), "a memtable was flushed early");
    assertTrue(idle.memory().memtables() < 1000, idle.memory().toString());
    assertEquals(group.memory().memtables(), busy.memory().memtables() + idle.memory().memtables());
  }

  /// Several stores that nobody writes to any more hold full memtables: who is written to gets them
  /// flushed.
  @Test
  void memtablesOfIdleStoresAreFlushedWhenOthersNeedTheMemory() throws IOException {
    LsmGroup large = LsmGroup.ofMemory(16 << 20);
    Member[] idle = new Member[8];
    for (int i = 0; i < idle.length; i++) {
      idle[i] = new Member(withoutLog(large));
      idle[i].jobs.runAll();
      idle[i].write(1000 << 10);
      assertTrue(i >= FULL || idle[i].jobs.jobs.isEmpty(), "a flush was due anyway");
    }
    Member busy = new Member(withoutLog(large));
    for (int i = 0; i < 40; i++) {
      busy.write(100 << 10);
      for (Member each : idle) {
        each.jobs.runAll();
      }
      busy.jobs.runAll();
    }
    int flushed = 0;
    for (int i = 0; i < FULL; i++) {
      flushed += idle[i].lsm.statistics().flushes() > 0 ? 1 : 0;
    }
    assertTrue(flushed >= 2, flushed + " were flushed");
    LsmStatistics.Memory memory = large.memory();
    assertTrue(memory.held() <= memory.budget(), memory.toString());
  }

  /// No memtable is large, but all together are.
  @Test
  void memtablesOfManySmallStoresFitTheirRoom() throws IOException {
    LsmGroup many = LsmGroup.ofMemory(16 << 20);
    List<Member> stores = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      Member store = new Member(withoutLog(many));
      store.jobs.runAll();
      stores.add(store);
    }
    for (int round = 0; round < 20; round++) {
      for (Member store : stores) {
        store.write(10 << 10);
      }
      stores.forEach(store -> store.jobs.runAll());
    }
    LsmStatistics.Memory memory = many.memory();
    // What is flushed in this round and what is written beside it.
    assertTrue(memory.memtables() <= memory.budget(), memory.toString());
  }

  /// The store with the largest memtable does not flush; the others are asked.
  private static void assertHeldBeside(boolean hasFailed) throws IOException {
    LsmGroup shared = LsmGroup.ofMemory(16 << 20);
    LsmGroupTest test = new LsmGroupTest();
    Member dead = test.new Member(withoutLog(shared));
    Member busy = test.new Member(withoutLog(shared));
    dead.jobs.runAll();
    busy.jobs.runAll();
    dead.write(1500 << 10);
    List<Member> idle = new ArrayList<>();
    for (int i = 0; i < 90; i++) {
      Member each = test.new Member(withoutLog(shared));
      each.jobs.runAll();
      each.write(270 << 10);
      each.jobs.runAll();
      idle.add(each);
    }
    if (hasFailed) {
      assertThrows(NullPointerException.class, () -> dead.lsm.publication.install(null, 0, false));
    }
    for (int round = 0; round < 60; round++) {
      busy.write(100 << 10);
      busy.jobs.runAll();
      for (Member each : idle) {
        each.jobs.runAll();
      }
      if (hasFailed) {
        dead.jobs.runAll();
      }
    }
    LsmStatistics.Memory memory = shared.memory();
    assertTrue(memory.held() <= memory.budget() / 4 * 5, memory.toString());
  }

  @Test
  void aStoreThatDoesNotAnswerKeepsNobodyFromBeingAsked() throws IOException {
    assertHeldBeside(/* hasFailed= */ false);
  }

  @Test
  void aStoreThatHasFailedKeepsNobodyFromBeingAsked() throws IOException {
    assertHeldBeside(/* hasFailed= */ true);
  }

  /// The blocks of a store that is closed make room for others, and are not found by the next
  /// opening.
  @Test
  void aStoreThatClosesGivesEverythingBack() throws IOException {
    Member one = new Member(withoutLog(group));
    Member other = new Member(group.options().withDurability(Durability.NONE));
    for (Member each : new Member[] {one, other}) {
      each.write(400 * VALUE_BYTES);
      each.jobs.runAll();
    }
    byte[] wanted = one.lsm.get(one.family, Entries.key(7));
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 400; i++) {
        one.lsm.get(one.family, Entries.key(i));
      }
    }
    assertTrue(one.lsm.statistics().cacheHits() > 100, one.lsm.statistics().toString());
    one.lsm.close();
    LsmStatistics.Memory left = group.memory();
    assertEquals(other.memory().memtables(), left.memtables(), "kept arrays apart");
    assertEquals(other.memory().tables(), left.tables());
    assertEquals(other.memory().filtersAndIndexes(), left.filtersAndIndexes());
    assertEquals(other.memory().log(), left.log());
    assertEquals(0, left.jobs());
    one.open();
    assertArrayEquals(wanted, one.lsm.get(one.family, Entries.key(7)));
    assertTrue(one.lsm.statistics().cacheMisses() > 0, "blocks of before were found");
    one.lsm.close();
    other.lsm.close();
    group.close();
    assertEquals(0, group.memory().held(), group.memory().toString());
  }

  @Test
  void aGroupIsClosedBehindItsStores() throws IOException {
    Member member = new Member(withoutLog(group));
    assertThrows(IllegalStateException.class, group::close);
    member.lsm.close();
    group.close();
    assertThrows(IllegalStateException.class, member::open);
  }

  /// What readers keep of memtables that were flushed is beyond the room, and no flush frees it.
  @Test
  void whatReadersKeepMakesNobodyFlushAtEveryWrite() throws IOException {
    Member kept = new Member(withoutLog(group));
    Member other = new Member(withoutLog(group));
    List<LsmIterator> open = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      kept.write(64 << 10);
      kept.jobs.runAll();
      open.add(kept.lsm.iterator(kept.family, IteratorOptions.all()));
      kept.lsm.flush();
      kept.jobs.runAll();
    }
    long before = other.lsm.statistics().flushes();
    for (int i = 0; i < 100; i++) {
      other.lsm.append(new WriteBatch().put(other.family, Entries.key(i), new byte[100]));
      other.lsm.flushLog();
      other.jobs.runAll();
    }
    long flushes = other.lsm.statistics().flushes() - before;
    assertTrue(flushes <= 3, flushes + " flushes for 100 small writes");
    open.forEach(LsmIterator::close);
  }
}
