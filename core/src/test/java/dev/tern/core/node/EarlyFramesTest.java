package dev.tern.core.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.core.traffic.Timers;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Frames of nodes that have not greeted: held, taken in their order, or given back.
class EarlyFramesTest {
  private static final int BROKEN = 99;

  private final Timers timers = new Timers();
  private final TreeSet<Integer> greeted = new TreeSet<>();
  private final List<String> taken = new ArrayList<>();
  private final List<String> refused = new ArrayList<>();
  private final EarlyFrames frames =
      new EarlyFrames(
          timers,
          timers.clock,
          greeted::contains,
          (node, shard, payload) -> note(taken, node, shard, payload),
          (node, shard, payload) -> note(refused, node, shard, payload));

  private static void note(List<String> to, int node, int shard, ByteReader payload) {
    int first = payload.readUnsignedByte();
    if (first == BROKEN) {
      throw new DecodeException("broken");
    }
    to.add("%d/%d:%d".formatted(node, shard, first));
  }

  private void frame(int node, int content) {
    frames.frame(node, 0, new ByteReader(new byte[] {(byte) content}));
  }

  @Test
  void aFrameOfAMemberIsTakenAtOnce() {
    greeted.add(2);
    frame(2, 5);
    assertEquals(List.of("2/0:5"), taken);
  }

  @Test
  void earlyFramesWaitForTheGreetingAndKeepTheirOrder() {
    frame(2, 1);
    frame(3, 7);
    frame(2, 2);
    assertEquals(List.of(), taken);
    greeted.add(2);
    // This one comes first of all that looks: it must not go before those that wait.
    frame(2, 3);
    assertEquals(List.of("2/0:1", "2/0:2", "2/0:3"), taken);
    greeted.add(3);
    timers.advance(10_000_000);
    assertEquals(List.of("2/0:1", "2/0:2", "2/0:3", "3/0:7"), taken);
    assertEquals(List.of(), refused);
  }

  @Test
  void whatIsHeldTooLongIsGivenBack() {
    frame(2, 1);
    timers.advance(EarlyFrames.HELD_NANOS - 10_000_000);
    frame(2, 2);
    assertEquals(List.of(), refused);
    timers.advance(20_000_000);
    assertEquals(List.of("2/0:1"), refused);
    timers.advance(EarlyFrames.HELD_NANOS);
    assertEquals(List.of("2/0:1", "2/0:2"), refused);
    assertEquals(List.of(), taken);
  }

  @Test
  void whatDoesNotFitIsGivenBackAndRoomComesBack() {
    byte[] large = new byte[EarlyFrames.MAX_BYTES - 1];
    frames.frame(2, 0, new ByteReader(large));
    frame(3, 1);
    frame(3, 2);
    assertEquals(List.of("3/0:2"), refused);
    greeted.add(2);
    timers.advance(10_000_000);
    frame(3, 3);
    assertEquals(List.of("3/0:2"), refused);
  }

  @Test
  void bytesThatCannotBeReadEndNothing() {
    frame(2, BROKEN);
    frame(2, 4);
    greeted.add(2);
    timers.advance(10_000_000);
    assertEquals(List.of("2/0:4"), taken);
    assertThrows(DecodeException.class, () -> frame(2, BROKEN), "its connection is at hand");
  }
}
