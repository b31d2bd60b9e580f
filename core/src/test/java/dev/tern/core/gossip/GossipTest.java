package dev.tern.core.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// One member, its ticks and what others say to it, written down as a conversation.
class GossipTest {
  private static final long FIRST = Incarnation.first(1);

  private final Gossip gossip = new Gossip(1, 1, new int[] {2}, Randomness.of(7), 0);
  private final List<Event> events = new ArrayList<>();
  private final List<Effect.Send> sent = new ArrayList<>();
  private long now;
  private int setBack;

  private static byte[] packet(long incarnation, Packet.Body body, Rumour... rumours) {
    PacketWriter writer = new PacketWriter().begin(incarnation, Load.UNKNOWN, body);
    for (Rumour rumour : rumours) {
      assertTrue(writer.add(rumour));
    }
    return writer.finish();
  }

  private void note(List<Effect> effects) {
    for (Effect effect : effects) {
      switch (effect) {
        case Effect.Send send -> sent.add(send);
        case Effect.SetBack back -> setBack++;
        case Event event -> events.add(event);
      }
    }
  }

  private void hear(int from, Packet.Body body, Rumour... rumours) {
    note(gossip.receive(now, from, new ByteReader(packet(FIRST, body, rumours))));
  }

  private void pass(long millis) {
    long until = now + millis;
    while (now < until) {
      now += GossipBounds.TICK_MILLIS;
      note(gossip.tick(now));
    }
  }

  private List<Packet> sentTo(int member) {
    return sent.stream()
        .filter(send -> send.to() == member)
        .map(send -> PacketWriter.decode(new ByteReader(send.datagram())))
        .toList();
  }

  private Packet lastTo(int member) {
    return sentTo(member).getLast();
  }

  @Test
  void joinsThroughAContactUntilItIsTold() {
    pass(1_100);
    long asked = sentTo(2).stream().filter(p -> p.body().equals(new Packet.Sync(true))).count();
    assertEquals(3, asked);
    hear(2, new Packet.Sync(false), new Rumour(3, FIRST, Status.ALIVE, 0));
    assertEquals(List.of(new Event.Alive(2, FIRST), new Event.Alive(3, FIRST)), events);
    sent.clear();
    pass(1_000);
    assertFalse(sentTo(2).stream().anyMatch(p -> p.body() instanceof Packet.Sync));
  }

  @Test
  void silenceIsSuspectedThenDead() {
    silence();
  }

  private void silence() {
    hear(2, new Packet.Idle());
    pass(1_100);
    assertEquals(List.of(new Event.Alive(2, FIRST), new Event.Suspect(2, FIRST)), events);
    assertEquals(Status.SUSPECT, gossip.status(2));
    assertEquals(new Rumour(2, FIRST, Status.SUSPECT, 1), lastTo(2).rumours().getFirst());
    pass(GossipBounds.suspicionMinMillis(2));
    assertEquals(new Event.Dead(2, FIRST), events.getLast());
    assertEquals(0, gossip.others());
  }

  @Test
  void aDeadMemberIsKnockedAtAndComesBackWithItsObjection() {
    silence();
    sent.clear();
    pass(1_000);
    assertEquals(new Rumour(2, FIRST, Status.DEAD, 0), lastTo(2).rumours().getFirst());
    hear(2, new Packet.Idle());
    assertEquals(Status.DEAD, gossip.status(2));
    note(gossip.receive(now, 2, new ByteReader(packet(FIRST + 1, new Packet.Ack(1)))));
    assertEquals(new Event.Alive(2, FIRST + 1), events.getLast());
  }

  @Test
  void anAccusationIsAnsweredWithAGreaterIncarnation() {
    hear(2, new Packet.Ping(9), new Rumour(1, FIRST, Status.SUSPECT, 2));
    Packet answer = lastTo(2);
    assertEquals(new Packet.Ack(9), answer.body());
    assertEquals(FIRST + 1, answer.incarnation());
    assertTrue(answer.rumours().contains(new Rumour(1, FIRST + 1, Status.ALIVE, 0)));
    assertEquals(1, gossip.health());
    hear(2, new Packet.Idle(), new Rumour(1, FIRST, Status.DEAD, 0));
    assertEquals(FIRST + 1, gossip.incarnation(1));
  }

  @Test
  void aLifeThatItHasForgottenIsToldOnce() {
    hear(2, new Packet.Idle(), new Rumour(1, FIRST, Status.ALIVE, 0));
    assertEquals(0, setBack);
    hear(2, new Packet.Idle(), new Rumour(1, Incarnation.first(2), Status.ALIVE, 0));
    hear(2, new Packet.Idle(), new Rumour(1, Incarnation.first(3), Status.ALIVE, 0));
    assertEquals(1, setBack);
  }

  /// The life after the copy has the number of this one.
  @Test
  void aForgottenLifeOfItsOwnNumberIsToldByWhatBecameOfIt() {
    hear(2, new Packet.Idle(), new Rumour(1, FIRST, Status.LEFT, 0));
    assertEquals(1, setBack);
  }

  @Test
  void aForgottenLifeOfItsOwnNumberIsToldByItsDeath() {
    pass(10_000);
    hear(2, new Packet.Sync(false), new Rumour(1, FIRST, Status.DEAD, 0));
    assertEquals(1, setBack, "nobody had answered this life before");
  }

  @Test
  void aForgottenLifeOfItsOwnNumberIsToldByItsObjections() {
    hear(2, new Packet.Idle(), new Rumour(1, FIRST + 3, Status.ALIVE, 0));
    assertEquals(1, setBack);
  }

  /// It runs, and does not know that the life before, of the same number, has said goodbye.
  @Test
  void whoIsBelievedToHaveLeftAndTalksIsToldSo() {
    Rumour left = new Rumour(3, FIRST, Status.LEFT, 0);
    hear(2, new Packet.Idle(), left);
    pass(10_000);
    hear(3, new Packet.Ping(5));
    assertEquals(new Packet.Ack(5), lastTo(3).body());
    assertEquals(left, lastTo(3).rumours().getFirst());
    note(gossip.receive(now, 3, new ByteReader(packet(FIRST + 1, new Packet.Ack(1)))));
    assertEquals(new Event.Alive(3, FIRST + 1), events.getLast());
  }

  private void hearReport(Load own, Rumour... rumours) {
    PacketWriter told = new PacketWriter().begin(FIRST, Load.UNKNOWN, new Packet.Ping(1));
    for (Rumour rumour : rumours) {
      assertTrue(told.add(rumour));
    }
    assertTrue(told.add(1, own));
    note(gossip.receive(now, 2, new ByteReader(told.finish())));
  }

  @Test
  void aReportOutdoesThoseOfALifeOfTheSameNumber() {
    gossip.report(421, 10, 100, 5);
    hearReport(new Load(FIRST + 7, 1, 2, 3, 0));
    assertEquals(new Load(FIRST + 8, 421, 10, 100, 5), lastTo(2).load());
    gossip.report(422, 10, 100, 5);
    hearReport(new Load(FIRST + 8, 421, 10, 100, 5));
    assertEquals(new Load(FIRST + 9, 422, 10, 100, 5), lastTo(2).load());
    hearReport(new Load(FIRST + 9, 1, 2, 3, 0));
    assertEquals(new Load(FIRST + 10, 422, 10, 100, 5), lastTo(2).load());
  }

  @Test
  void aReportOutdoesThoseOfALaterLifeThatIsForgotten() {
    gossip.report(421, 10, 100, 5);
    long later = Incarnation.first(2);
    hearReport(new Load(later + 7, 1, 2, 3, 0), new Rumour(1, later, Status.ALIVE, 0));
    assertEquals(new Load(later + 8, 421, 10, 100, 5), lastTo(2).load());
  }

  @Test
  void accusationsOfThisLifeAreNone() {
    hear(2, new Packet.Idle(), new Rumour(1, FIRST, Status.SUSPECT, 2));
    hear(2, new Packet.Sync(false));
    pass(GossipBounds.suspicionMinMillis(1));
    hear(2, new Packet.Idle(), new Rumour(1, FIRST + 1, Status.DEAD, 0));
    gossip.leave();
    hear(2, new Packet.Idle(), new Rumour(1, FIRST + 2, Status.LEFT, 0));
    assertEquals(0, setBack);
    assertEquals(FIRST + 2, gossip.incarnation(1));
  }

  @Test
  void theGreaterClaimStaysWhateverTheOrder() {
    hear(2, new Packet.Idle(), new Rumour(3, FIRST + 5, Status.DEAD, 0));
    hear(2, new Packet.Idle(), new Rumour(3, FIRST + 5, Status.ALIVE, 0));
    hear(2, new Packet.Idle(), new Rumour(3, FIRST + 4, Status.SUSPECT, 2));
    assertEquals(Status.DEAD, gossip.status(3));
    hear(2, new Packet.Idle(), new Rumour(3, Incarnation.first(2), Status.ALIVE, 0));
    hear(2, new Packet.Idle(), new Rumour(3, Incarnation.first(2), Status.LEFT, 0));
    hear(2, new Packet.Idle(), new Rumour(3, Incarnation.first(2), Status.DEAD, 0));
    assertEquals(Status.LEFT, gossip.status(3));
  }

  @Test
  void othersAreAskedAndTheirNoKeepsHealth() {
    hear(2, new Packet.Idle(), new Rumour(3, FIRST, Status.ALIVE, 0));
    int asked = 0;
    for (int i = 0; i < 40 && asked == 0; i++) {
      pass(GossipBounds.TICK_MILLIS);
      for (int helper : new int[] {2, 3}) {
        if (lastToIsRequest(helper)) {
          Packet.PingRequest request = (Packet.PingRequest) lastTo(helper).body();
          assertEquals(5 - helper, request.target());
          hear(helper, new Packet.Nack(request.sequence()));
          asked = request.target();
        }
      }
    }
    pass(400);
    assertEquals(Status.SUSPECT, gossip.status(asked));
    assertEquals(0, gossip.health());
  }

  private boolean lastToIsRequest(int helper) {
    List<Packet> packets = sentTo(helper);
    return !packets.isEmpty() && packets.getLast().body() instanceof Packet.PingRequest;
  }

  @Test
  void pingsForOthersAndSaysYesOrNo() {
    hear(2, new Packet.PingRequest(77, 3));
    Packet.Ping ping = (Packet.Ping) lastTo(3).body();
    hear(3, new Packet.Ack(ping.sequence()));
    assertEquals(new Packet.Ack(77), lastTo(2).body());
    hear(2, new Packet.PingRequest(78, 3));
    sent.clear();
    pass(150);
    assertTrue(sentTo(2).stream().anyMatch(p -> p.body().equals(new Packet.Nack(78))));
  }

  @Test
  void aLongDelayOfItsOwnIsNobodysSilence() {
    hear(2, new Packet.Idle());
    pass(1_100);
    assertEquals(Status.SUSPECT, gossip.status(2));
    int before = gossip.health();
    now += 60_000;
    note(gossip.tick(now));
    assertEquals(Status.SUSPECT, gossip.status(2));
    assertEquals(before + 1, gossip.health());
    note(gossip.receive(now, 2, new ByteReader(packet(FIRST + 1, new Packet.Idle()))));
    assertEquals(Status.ALIVE, gossip.status(2));
  }

  @Test
  void suddenDeathsInASyncAreDoubted() {
    hear(2, new Packet.Idle(), new Rumour(3, FIRST, Status.ALIVE, 0));
    hear(2, new Packet.Sync(false), new Rumour(3, FIRST, Status.DEAD, 0));
    assertEquals(Status.SUSPECT, gossip.status(3));
    hear(2, new Packet.Sync(false), new Rumour(4, FIRST, Status.DEAD, 0));
    assertEquals(Status.DEAD, gossip.status(4));
  }

  @Test
  void confirmationsShortenASuspicion() {
    Suspicion suspicion = new Suspicion(1, 10, 0);
    assertEquals(GossipBounds.suspicionMaxMillis(10), suspicion.deadlineMillis());
    assertFalse(suspicion.confirm(1));
    assertTrue(suspicion.confirm(2));
    long one = suspicion.deadlineMillis();
    assertTrue(one < GossipBounds.suspicionMaxMillis(10));
    assertTrue(suspicion.confirm(3) && suspicion.confirm(4));
    assertFalse(suspicion.confirm(5));
    assertEquals(GossipBounds.suspicionMinMillis(10), suspicion.deadlineMillis());
    assertEquals(GossipBounds.suspicionMinMillis(3), new Suspicion(1, 3, 0).deadlineMillis());
  }

  @Test
  void aRumourIsPassedOnABoundedNumberOfTimes() {
    hear(2, new Packet.Idle());
    Rumour rumour = new Rumour(9, FIRST, Status.LEFT, 0);
    hear(2, new Packet.Idle(), rumour);
    for (int i = 0; i < 200; i++) {
      hear(2, new Packet.Ping(i));
      pass(GossipBounds.TICK_MILLIS);
    }
    long told =
        sent.stream()
            .map(send -> PacketWriter.decode(new ByteReader(send.datagram())))
            .filter(p -> !(p.body() instanceof Packet.Sync) && p.rumours().contains(rumour))
            .count();
    assertEquals(GossipBounds.transmits(2), told);
  }

  @Test
  void saysGoodbyeAndLoadsTravel() {
    gossip.report(421, 10, 100, 5);
    hear(2, new Packet.Ping(1));
    assertEquals(new Load(FIRST | 1, 421, 10, 100, 5), lastTo(2).load());
    gossip.leave();
    pass(2_000);
    assertTrue(gossip.quiet());
    assertTrue(
        sentTo(2).stream()
            .anyMatch(p -> p.rumours().contains(new Rumour(1, FIRST, Status.LEFT, 0))));
  }

  @Test
  void whatIsForgottenStaysForgotten() {
    hear(2, new Packet.Idle());
    gossip.forget(2);
    hear(2, new Packet.Idle());
    hear(3, new Packet.Idle(), new Rumour(2, FIRST + 9, Status.ALIVE, 0));
    assertNull(gossip.status(2));
    assertEquals(1, gossip.others());
  }

  @Test
  void nonsenseChangesNothing() {
    byte[] bytes = packet(FIRST, new Packet.Idle(), new Rumour(3, FIRST, Status.ALIVE, 0));
    assertThrows(
        DecodeException.class,
        () -> gossip.receive(0, 2, new ByteReader(bytes, 0, bytes.length - 1)));
    assertEquals(0, gossip.others());
    assertThrows(
        IllegalArgumentException.class, () -> new Gossip(0, 1, new int[0], Randomness.of(1), 0));
  }
}
