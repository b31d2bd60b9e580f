package dev.tern.gateway.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LargeIntakeTest {
  private static final long MIB = 1 << 20;

  private final EmbeddedChannel channel = new EmbeddedChannel();
  private long now;
  private long room = 2 * MIB;
  private final LargeIntake intake = new LargeIntake(channel.eventLoop(), () -> room, () -> now);
  private final List<Integer> resumed = new ArrayList<>();

  private LargeIntake.Share share(int number) {
    return intake.new Share(() -> resumed.add(number));
  }

  private void pass(long nanos) {
    now += nanos;
    channel.advanceTimeBy(nanos, TimeUnit.NANOSECONDS);
    channel.runScheduledPendingTasks();
  }

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  @Test
  void smallRequestsAreReadHoweverLittleRoomThereIs() {
    room = 0;
    assertTrue(share(1).reads(LargeIntake.LARGE_BYTES - 1));
    assertFalse(share(2).reads(LargeIntake.LARGE_BYTES));
  }

  @Test
  void largeOnesAreReadInTurnAsRoomComes() {
    LargeIntake.Share first = share(1);
    LargeIntake.Share second = share(2);
    LargeIntake.Share third = share(3);
    LargeIntake.Share fourth = share(4);
    assertTrue(first.reads(MIB));
    assertTrue(second.reads(MIB));
    assertFalse(third.reads(MIB));
    assertFalse(fourth.reads(MIB));
    assertTrue(first.reads(MIB / 2), "what is being read is read on");
    pass(10_000_000);
    assertEquals(List.of(), resumed);
    assertTrue(first.reads(0), "it has come");
    pass(10_000_000);
    assertEquals(List.of(3), resumed);
    assertTrue(third.reads(MIB));
    assertFalse(fourth.reads(MIB));
    second.release();
    pass(10_000_000);
    assertEquals(List.of(3, 4), resumed);
  }

  @Test
  void whoWaitsTooLongIsReadAllTheSame() {
    room = 0;
    LargeIntake.Share one = share(1);
    assertFalse(one.reads(MIB));
    pass(LargeIntake.MAX_PAUSE_NANOS - 10_000_000);
    assertFalse(one.reads(MIB));
    assertEquals(List.of(), resumed);
    pass(20_000_000);
    assertEquals(List.of(1), resumed);
    assertTrue(one.reads(MIB));
  }

  @Test
  void roomOfAConnectionThatSendsNothingGoesToTheNext() {
    LargeIntake.Share idle = share(1);
    assertTrue(idle.reads(16 * MIB));
    LargeIntake.Share next = share(2);
    assertFalse(next.reads(MIB));
    pass(LargeIntake.GRANT_NANOS + 10_000_000);
    assertEquals(List.of(2), resumed);
    assertTrue(next.reads(MIB));
    assertTrue(idle.reads(16 * MIB), "it is read on");
    idle.release();
    next.release();
    assertTrue(share(3).reads(2 * MIB));
  }

  @Test
  void aClosedConnectionWaitsNoMore() {
    room = 0;
    LargeIntake.Share gone = share(1);
    LargeIntake.Share next = share(2);
    assertFalse(gone.reads(MIB));
    assertFalse(next.reads(MIB));
    gone.release();
    room = MIB;
    pass(10_000_000);
    assertEquals(List.of(2), resumed);
  }
}
