package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.wire.Message;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// An update of an outvoted leader is at one replica only. What shows it to a client makes it stay:
/// the later leader's update, which does not contain it, must not replace it afterwards.
class OutvotedUpdateTest {
  private static final long MILLI = Cluster.MILLI;
  private static final long SECOND = Cluster.SECOND;
  private static final String KEY = "k";

  private Script script = new Script(new Cluster(3), 3);
  private int first;
  private int second;
  private int third;
  private final List<UpdateOutcome> toldOfA = new ArrayList<>();
  private final List<UpdateOutcome> toldOfC = new ArrayList<>();

  OutvotedUpdateTest() {
    prepare();
  }

  private void prepare() {
    int[] replicas = script.replicas("data", KEY);
    first = replicas[0];
    second = replicas[1];
    third = replicas[2];
  }

  private void plant() {
    script = new Script(new Cluster(3, PlantedBug.READ_SHOWS_OUTVOTED), 3);
    prepare();
  }

  private void setIfAbsent(int node, String value, List<UpdateOutcome> told) {
    script.beginSetIfAbsent(node, KEY, value, /* get= */ true, Level.LINEARIZABLE, told::add);
  }

  /// The first replica leads `A`, which the third refuses: it has answered the second one, which
  /// leads `C` and has not written it yet.
  private void outvoteTheFirst() {
    script.cut(first, second, true);
    script.cut(second, third, true);
    script.cluster.runFor(5 * SECOND);
    script.cut(second, third, false);
    script.cluster.within(
        15 * SECOND,
        () ->
            !script.cluster.node(second).live(first)
                && script.cluster.node(second).live(third)
                && script.cluster.node(third).live(second)
                && script.cluster.node(third).live(first)
                && script.cluster.node(second).partitionsBehind() == 0);
    script.cluster.network.slow(third, first, 30 * MILLI);
    script.cluster.network.slow(third, second, 200 * MILLI);
    setIfAbsent(first, "A", toldOfA);
    script.cluster.runFor(10 * MILLI);
    setIfAbsent(second, "C", toldOfC);
    script.cluster.runFor(40 * MILLI);
    assertTrue(toldOfC.isEmpty());
  }

  private @Nullable String last() {
    script.cluster.runFor(SECOND);
    script.cluster.network.heal();
    script.cluster.runFor(15 * SECOND);
    return script.get(third, KEY, Script.ALL);
  }

  private void isNotReplaced(@Nullable String shown) {
    String last = last();
    if (shown != null) {
      assertEquals(shown, last, "C was told " + toldOfC);
    }
  }

  private static String text(UpdateOutcome outcome) {
    UpdateOutcome.Done done = (UpdateOutcome.Done) outcome;
    byte[] value = done.value();
    return value == null ? "" : new String(value, US_ASCII);
  }

  private ReadOutcome read(int node) {
    List<ReadOutcome> outcomes = new ArrayList<>();
    script.cluster.world.schedule(
        0,
        node,
        () ->
            script
                .cluster
                .node(node)
                .keyspace(0, "data")
                .read(KEY.getBytes(US_ASCII), Level.LINEARIZABLE, outcomes::add));
    script.cluster.within(3 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  private @Nullable String shownByGet(int node) {
    outvoteTheFirst();
    return read(node) instanceof ReadOutcome.Found found
        ? new String(found.value(), US_ASCII)
        : null;
  }

  private String shownBySetIfAbsent() {
    outvoteTheFirst();
    List<UpdateOutcome> told = new ArrayList<>();
    setIfAbsent(first, "D", told);
    script.cluster.within(3 * SECOND, () -> !told.isEmpty());
    return text(told.getFirst());
  }

  @Test
  void whatALinearizableGetHasShownStays() {
    String shown = shownByGet(first);
    assertEquals("A", shown);
    isNotReplaced(shown);
  }

  @Test
  void whatALinearizableGetElsewhereHasShownStays() {
    isNotReplaced(shownByGet(third));
  }

  @Test
  void whatASetIfAbsentHasFoundStays() {
    String shown = shownBySetIfAbsent();
    assertEquals("A", shown);
    isNotReplaced(shown);
  }

  /// Gets of the default level repair replicas without a ballot, as anti-entropy does: that the
  /// update is at most of the replicas then says nothing.
  @Test
  void thatMostReplicasHoldItIsNotEnough() {
    outvoteTheFirst();
    assertEquals("A", script.get(first, KEY, Level.DEFAULT));
    String shown = new String(((ReadOutcome.Found) read(first)).value(), US_ASCII);
    isNotReplaced(shown);
  }

  /// Frames that shards send each other for a hundred gets of what one leader has written.
  private int framesOfGets(int node) {
    script.begin(first, KEY, new Update.Add(1), Level.LINEARIZABLE, toldOfA::add);
    script.cluster.runFor(SECOND);
    int[] frames = {0};
    script.cluster.observer =
        frame -> {
          Message message = Wire.message(frame);
          boolean one = message instanceof Message.Request || message instanceof Message.Reply;
          frames[0] += one ? 1 : 0;
        };
    for (int i = 0; i < 100; i++) {
      assertEquals("1", script.get(node, KEY, Level.LINEARIZABLE));
    }
    assertEquals(0, script.counted(Counter.CONFIRMED_READS));
    return frames[0];
  }

  @Test
  void aGetOfWhatOneLeaderWroteIsOneRound() {
    int now = framesOfGets(third);
    plant();
    assertEquals(framesOfGets(third), now);
    assertTrue(now < 230, now + " frames of 100 gets");
  }

  @Test
  void plantedAGetShowsWhatIsLost() {
    plant();
    assertEquals("A", shownByGet(first));
    assertEquals("C", last());
  }

  @Test
  void plantedASetIfAbsentShowsWhatIsLost() {
    plant();
    assertEquals("A", shownBySetIfAbsent());
    assertEquals("C", last());
    assertFalse(toldOfC.isEmpty());
  }
}
