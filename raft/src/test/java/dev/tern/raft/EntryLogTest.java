package dev.tern.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/// A log in memory: what is replaced, what counts as written, what may be applied, what is left.
class EntryLogTest {
  private static final Membership FOUNDING = Membership.of(List.of(1, 2, 3), List.of());
  private static final Membership LATER = Membership.of(List.of(1, 2, 4), List.of());

  private final EntryLog log = new EntryLog(Recovered.nothing(FOUNDING), 0);
  private long writes;

  private static Entry command(long index, long term) {
    return new Entry(index, term, Entry.Kind.COMMAND, new byte[10]);
  }

  private static Entry membership(long index, long term, Membership membership) {
    return new Entry(index, term, Entry.Kind.MEMBERSHIP, membership.encoded());
  }

  private long write() {
    log.write(++writes, HardState.NOTHING);
    return writes;
  }

  private void applies(long from, long to) {
    List<Entry> some = log.toApply(Long.MAX_VALUE);
    assertEquals(from, some.getFirst().index());
    assertEquals(to, some.getLast().index());
    log.appliedTo(to);
  }

  @Test
  void aMembershipIsInForceFromItsEntryOnAndGoesWithIt() {
    log.append(command(1, 1));
    log.append(membership(2, 1, LATER));
    assertEquals(LATER, log.membership());
    assertEquals(FOUNDING, log.membershipBefore());
    log.merge(List.of(command(2, 2), command(3, 2)));
    assertEquals(FOUNDING, log.membership());
    assertEquals(2, log.term(2));
    assertEquals(3, log.lastIndex());
  }

  @Test
  void whatStandsAsTheLeaderHasItIsNotReplaced() {
    log.append(command(1, 1));
    log.append(command(2, 1));
    log.written(write());
    log.merge(List.of(command(1, 1)));
    assertEquals(2, log.lastIndex(), "a late message of an earlier entry takes nothing");
    assertEquals(2, log.durable());
  }

  @Test
  void whatIsReplacedIsNotOnDiskWhateverIsSaidOfItsWrite() {
    log.append(command(1, 1));
    log.append(command(2, 1));
    long first = write();
    log.merge(List.of(command(2, 2)));
    log.written(first);
    assertEquals(1, log.durable(), "entry 2 is another by now");
    assertTrue(log.hasUnwritten());
    log.written(write());
    assertEquals(2, log.durable());
  }

  @Test
  void onlyWhatIsCommittedAndOnDiskIsApplied() {
    for (int index = 1; index <= 3; index++) {
      log.append(command(index, 1));
    }
    long first = write();
    assertTrue(log.commitTo(2));
    assertEquals(List.of(), log.toApply(Long.MAX_VALUE), "nothing is on disk");
    log.written(first);
    List<Entry> some = log.toApply(Long.MAX_VALUE);
    assertEquals(2, some.size());
    log.commitTo(3);
    assertEquals(List.of(), log.toApply(Long.MAX_VALUE), "two are being applied");
    log.appliedTo(2);
    applies(3, 3);
    assertThrows(IllegalStateException.class, () -> log.appliedTo(4));
  }

  @Test
  void whatIsCommittedIsNotReplaced() {
    log.append(command(1, 1));
    log.append(command(2, 1));
    log.commitTo(2);
    assertThrows(IllegalStateException.class, () -> log.merge(List.of(command(2, 2))));
  }

  @Test
  void aCompactionKeepsTheMembershipInForceAndTheTermOfItsBase() {
    log.append(command(1, 1));
    log.append(membership(2, 2, LATER));
    log.append(command(3, 3));
    log.written(write());
    log.commitTo(3);
    applies(1, 3);
    SnapshotMark mark = log.markNow();
    assertEquals(new SnapshotMark(3, 3, LATER), mark);
    log.compact(mark, 2);
    assertEquals(2, log.baseIndex());
    assertEquals(2, log.term(2));
    assertEquals(-1, log.term(1));
    assertEquals(LATER, log.membership());
    assertNull(log.membershipBefore());
    assertEquals(command(3, 3).bytes(), log.bytes());
  }

  @Test
  void aSnapshotOfAnotherBeginsTheLogAnewOnceItIsOnDisk() {
    log.append(command(1, 1));
    long before = write();
    SnapshotMark mark = new SnapshotMark(7, 3, LATER);
    log.reset(mark);
    assertEquals(7, log.commit());
    assertEquals(LATER, log.membership());
    assertNull(log.written(before), "the write before the reset installs nothing");
    assertEquals(mark, log.written(write()));
    log.handOut(mark);
    log.appliedTo(7);
    log.append(command(8, 3));
    log.written(write());
    log.commitTo(8);
    applies(8, 8);
  }
}
