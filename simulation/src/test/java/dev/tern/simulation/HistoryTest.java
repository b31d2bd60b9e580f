package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.world.SimulatedClock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// What the checker of last-write-wins keyspaces takes for possible, of three replicas.
class HistoryTest {
  private static final long SECOND = 1_000_000_000L;

  private final History history = new History(3);

  private History.Write put(String value, long from, long to, int w) {
    History.Write write = history.begin("k", value, 0, from);
    history.acknowledged("k", write, to, w, w);
    return write;
  }

  private void read(@Nullable String value, long from, long to, int r) {
    history.read(new History.Read("k", value, History.UNKNOWN_EXPIRY, from, to, r, r));
  }

  private void impossible(@Nullable String value, long from, long to, int r) {
    assertThrows(History.Violation.class, () -> read(value, from, to, r));
  }

  @Test
  void aReadThatMeetsAWriteIsNotOlder() {
    put("a", 1, 2, 2);
    put("b", 3, 4, 2);
    impossible("a", 5, 6, 2);
    impossible(null, 5, 6, 2);
    assertDoesNotThrow(() -> read("a", 5, 6, 1));
    assertDoesNotThrow(() -> read("a", 3, 6, 2));
    assertDoesNotThrow(() -> read("b", 5, 6, 2));
    impossible("c", 5, 6, 1);
  }

  @Test
  void concurrentWritesAreOrderedByTheFirstReadOfBoth() {
    put("a", 1, 10, 2);
    put("b", 1, 10, 2);
    read("a", 11, 12, 2);
    impossible("b", 13, 14, 2);
  }

  @Test
  void writesThatDoNotMeetAreInAnyOrder() {
    put("a", 1, 2, 1);
    put("b", 3, 4, 1);
    assertDoesNotThrow(() -> read("a", 5, 6, 3));
  }

  @Test
  void aSloppyWriteIsThereInTheEnd() {
    History.Write held = history.begin("k", "held", 0, 1);
    history.acknowledged("k", held, 2, 0, 0);
    assertDoesNotThrow(() -> read(null, 3, 4, 3));
    history.settled(5, 0);
    impossible(null, 6, 7, 3);
  }

  @Test
  void aLostDiskWeakensWhatItHadAndNothingElse() {
    put("a", 1, 2, 2);
    history.lost(0);
    assertDoesNotThrow(() -> read(null, 3, 4, 2));
    impossible(null, 3, 4, 3);
    put("b", 5, 6, 2);
    put("c", 7, 8, 2);
    impossible("b", 9, 10, 2);
  }

  @Test
  void whatGoesMayBeMissingFromThenOnOnly() {
    long soon = SimulatedClock.EPOCH_MILLIS + 10_000;
    History.Write write = history.begin("k", "a", soon, 1);
    history.acknowledged("k", write, 2, 2, 2);
    impossible(null, 3, 4, 2);
    assertDoesNotThrow(() -> read(null, 10 * SECOND, 10 * SECOND + 1, 2));
    impossible("a", 20 * SECOND, 20 * SECOND + 1, 2);
  }

  @Test
  void whatGoesTakesNothingNewerWithIt() {
    long soon = SimulatedClock.EPOCH_MILLIS + 1_000;
    History.Write write = history.begin("k", "a", soon, 1);
    history.acknowledged("k", write, 2, 2, 2);
    put("b", 3, 4, 2);
    impossible(null, 10 * SECOND, 10 * SECOND + 1, 2);
  }

  @Test
  void aChangeOfTheExpiryKeepsTheValue() {
    put("a", 1, 2, 2);
    long later = SimulatedClock.EPOCH_MILLIS + 3_600_000;
    History.Write expire = history.beginExpire("k", later, 3);
    history.kept(expire, "a");
    history.acknowledged("k", expire, 4, 2, 2);
    assertDoesNotThrow(() -> history.read(new History.Read("k", "a", later, 5, 6, 2, 2)));
    assertThrows(
        History.Violation.class, () -> history.read(new History.Read("k", "a", 0, 5, 6, 2, 2)));
    impossible(null, 5, 6, 2);
  }

  private void listed(boolean present, long from, long to, int r) {
    history.listed("k", present, from, to, r);
  }

  private void impossibleInAList(boolean present, long from, long to, int r) {
    assertThrows(History.Violation.class, () -> listed(present, from, to, r));
  }

  @Test
  void aListShowsWhatWasThereAllTheTime() {
    impossibleInAList(/* present= */ true, 1, 2, 2);
    put("a", 3, 4, 2);
    impossibleInAList(/* present= */ false, 5, 9, 2);
    assertDoesNotThrow(() -> listed(/* present= */ false, 5, 9, 1));
    assertDoesNotThrow(() -> listed(/* present= */ false, 2, 9, 2));
    assertDoesNotThrow(() -> listed(/* present= */ true, 5, 9, 2));
    put("b", 10, 11, 2);
    impossibleInAList(/* present= */ false, 12, 13, 2);
  }

  @Test
  void aListDoesNotShowWhatWasDeletedBefore() {
    put("a", 1, 2, 2);
    History.Write delete = history.begin("k", null, 0, 3);
    assertDoesNotThrow(() -> listed(/* present= */ false, 4, 5, 2));
    assertDoesNotThrow(() -> listed(/* present= */ true, 4, 5, 2));
    history.acknowledged("k", delete, 6, 2, 2);
    impossibleInAList(/* present= */ true, 7, 8, 2);
    assertDoesNotThrow(() -> listed(/* present= */ true, 5, 8, 2));
  }

  @Test
  void aListMissesWhatMayHaveGone() {
    long soon = SimulatedClock.EPOCH_MILLIS + 10_000;
    History.Write write = history.begin("k", "a", soon, 1);
    history.acknowledged("k", write, 2, 2, 2);
    impossibleInAList(/* present= */ false, 3, 4, 2);
    assertDoesNotThrow(() -> listed(/* present= */ false, 3, 10 * SECOND, 2));
    impossibleInAList(/* present= */ true, 20 * SECOND, 20 * SECOND + 1, 2);
  }

  @Test
  void aListGoesByAnExpiryThatWasChanged() {
    long soon = SimulatedClock.EPOCH_MILLIS + 1_000;
    History.Write write = history.begin("k", "a", soon, 1);
    history.acknowledged("k", write, 2, 2, 2);
    History.Write persist = history.beginExpire("k", 0, 3);
    assertDoesNotThrow(() -> listed(/* present= */ true, 20 * SECOND, 21 * SECOND, 2));
    history.kept(persist, "a");
    history.acknowledged("k", persist, 4, 2, 2);
    impossibleInAList(/* present= */ false, 20 * SECOND, 21 * SECOND, 2);
  }
}
