package dev.tern.core.quorum;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Foreground;
import dev.tern.core.wire.Message;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.World;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The slots of operations that wait for answers.
class InFlightTest {
  private static final int CAPACITY = 5;

  private final World world =
      new World(
          3,
          (node, what) -> {
            throw new AssertionError(what);
          });
  private final InFlight inFlight =
      new InFlight(
          new SimulatedLoop(world, 1, new SimulatedDisk(world, 1)),
          new SimulatedClock(world),
          new Foreground(),
          -1,
          CAPACITY);
  private final List<Waits> lost = new ArrayList<>();
  private int ticks;

  private final class Waits extends Operation<Message.Reply> {
    Waits() {
      super(Message.Reply.class, Long.MAX_VALUE);
    }

    @Override
    void reply(int node, Message.Reply reply) {
      // Nothing is answered here.
    }

    @Override
    void lost(int node) {
      lost.add(this);
      inFlight.remove(this);
    }

    @Override
    void tick(long nowNanos) {
      ticks++;
    }
  }

  private Waits added() {
    Waits operation = new Waits();
    assertTrue(inFlight.add(operation));
    return operation;
  }

  @Test
  void asManyAreUnderWayAsThereAreSlotsAndNoMore() {
    List<Waits> all = new ArrayList<>();
    for (int i = 0; i < CAPACITY; i++) {
      all.add(added());
    }
    assertFalse(inFlight.add(new Waits()));
    for (Waits each : all) {
      assertSame(each, inFlight.find(each.id));
    }
    inFlight.remove(all.get(2));
    assertNull(inFlight.find(all.get(2).id));
    added();
    assertFalse(inFlight.add(new Waits()));
  }

  /// A request that was stuck once stopped its shard: slots were taken in order of age.
  @Test
  void anOldOneHoldsNoSlotButItsOwn() {
    Waits old = added();
    Waits before = added();
    for (int i = 0; i < 100; i++) {
      Waits next = added();
      inFlight.remove(before);
      assertNull(inFlight.find(before.id));
      assertNotEquals(before.id, next.id);
      before = next;
    }
    assertSame(old, inFlight.find(old.id));
    assertEquals(2, inFlight.size());
  }

  @Test
  void allAreToldFromTheOldestOnThoughTheyEndMeanwhile() {
    List<Waits> all = new ArrayList<>();
    for (int i = 0; i < CAPACITY; i++) {
      all.add(added());
    }
    inFlight.remove(all.removeFirst());
    all.add(added());
    inFlight.lost(7);
    assertEquals(all, lost);
    assertEquals(0, inFlight.size());
  }

  @Test
  void timeIsToldWhileThereIsAnOperation() {
    Waits one = added();
    world.runUntil(world.nanos() + 10 * InFlight.TICK_NANOS);
    assertTrue(ticks >= 9, ticks + " ticks");
    inFlight.remove(one);
    int then = ticks;
    world.runUntil(world.nanos() + 10 * InFlight.TICK_NANOS);
    assertEquals(then, ticks);
    added();
    world.runUntil(world.nanos() + 10 * InFlight.TICK_NANOS);
    assertTrue(ticks > then, "time stands still for the next one");
  }
}
