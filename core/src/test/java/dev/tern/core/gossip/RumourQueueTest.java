package dev.tern.core.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a member passes on, and how often.
class RumourQueueTest {
  private static final long LIFE = Incarnation.first(1);

  private final RumourQueue queue = new RumourQueue();

  private static Rumour alive(int member) {
    return new Rumour(member, LIFE, Status.ALIVE, 0);
  }

  private static Rumour dead(int member) {
    return new Rumour(member, LIFE, Status.DEAD, 0);
  }

  private List<Rumour> packet(int transmits) {
    PacketWriter writer = new PacketWriter().begin(LIFE, Load.UNKNOWN, new Packet.Idle());
    queue.fill(writer, transmits);
    return PacketWriter.decode(new ByteReader(writer.finish())).rumours();
  }

  @Test
  void aClaimIsSentSoOftenAndNoMore() {
    queue.add(alive(1));
    assertEquals(List.of(alive(1)), packet(3));
    assertEquals(List.of(alive(1)), packet(3));
    assertFalse(queue.isEmpty());
    assertEquals(List.of(alive(1)), packet(3));
    assertTrue(queue.isEmpty());
    assertEquals(List.of(), packet(3));
  }

  @Test
  void aLaterClaimTakesThePlaceOfAnEarlierOneAndIsCountedAnew() {
    queue.add(alive(1));
    packet(2);
    queue.add(dead(1));
    assertEquals(List.of(dead(1)), packet(2));
    assertEquals(List.of(dead(1)), packet(2));
    assertTrue(queue.isEmpty());
  }

  @Test
  void whatWasSentLeastOftenGoesFirst() {
    queue.add(alive(1));
    packet(5);
    queue.add(alive(2));
    assertEquals(List.of(alive(2), alive(1)), packet(5));
  }

  @Test
  void whatFindsNoRoomGoesBeforeWhatWasSent() {
    int many = 1_000;
    for (int member = 1; member <= many; member++) {
      queue.add(alive(member));
    }
    List<Rumour> sent = new ArrayList<>();
    while (sent.size() < many) {
      List<Rumour> next = packet(2);
      assertTrue(next.size() > 50, next.size() + " claims in a packet");
      sent.addAll(next);
    }
    assertEquals(many, sent.stream().limit(many).distinct().count());
  }

  @Test
  void afterClearNothingIsSent() {
    queue.add(alive(1));
    queue.clear();
    assertTrue(queue.isEmpty());
    assertEquals(List.of(), packet(2));
  }
}
