package dev.tern.core.gossip;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// One member's part in the gossip: time and datagrams in, datagrams and events out.
///
/// The caller calls [#tick] every [GossipBounds#TICK_MILLIS] and [#receive] for each datagram,
/// carries out the effects in order, and gives times of one monotonic clock. A tick that comes late
/// means that the caller itself was held up: all deadlines move by that time, and local health
/// worsens.
///
/// Why no accrual detector (phi): a lossy network or a stalling peer is told from a death by asking
/// others and by the suspect's right to object, not by better statistics of one pair's silence. The
/// messages per member stay constant however many members there are.
///
/// Threads: the owner's loop.
public final class Gossip {
  /// The number of other members' loads that a ping or an answer carries.
  private static final int REPORTS = 6;

  /// Pings on behalf of others at one time; further requests get no answer.
  private static final int MAX_RELAYS = 64;

  /// Suspects that are asked again each period, beside the probe.
  private static final int MAX_ASKED_AGAIN = 8;

  /// After a dead member came back, the two compare all they know within so long.
  private static final int BACK_MILLIS = 2_000;

  /// Before a member declares a suspect dead, it asks the suspect itself for so long: the objection
  /// may have missed just this member.
  private static final long LAST_LOOK_MILLIS = 4 * GossipBounds.PERIOD_MILLIS;

  /// A relay that got no answer tells the asker so after this.
  private static final long NACK_MILLIS = 120;

  /// The probe of this period: the member that is asked whether it lives.
  private static final class Probe {
    final int target;
    final int sequence;
    final long relayAtMillis;
    boolean answered;

    /// The number of other members that were asked to ping the target; 0 until then.
    int relays;

    int nacks;

    Probe(int target, int sequence, long relayAtMillis) {
      this.target = target;
      this.sequence = sequence;
      this.relayAtMillis = relayAtMillis;
    }
  }

  /// A ping on behalf of `asker`, which numbered it `sequence`.
  private record Relay(int asker, int sequence, long nackAtMillis, boolean nacked) {}

  private final int self;
  private final Randomness random;
  private final GossipBug planted;

  /// This member's incarnation: above all of earlier lives, one higher with each answer to an
  /// accusation.
  private long incarnation;

  /// What this member says of itself: [Status#ALIVE] or [Status#LEFT].
  private Status status = Status.ALIVE;

  private Load load = Load.UNKNOWN;

  /// Beliefs by member number; null for members never heard of, and for this one.
  private @Nullable Belief[] beliefs = new Belief[8];

  /// Members that the topology names and from which nothing was heard yet.
  private final TreeSet<Integer> unheard = new TreeSet<>();

  /// Members believed [Status#DEAD]; they may be alive behind a cut.
  private final TreeSet<Integer> dead = new TreeSet<>();

  /// Members believed [Status#SUSPECT].
  private final TreeMap<Integer, Belief> suspects = new TreeMap<>();

  /// Members removed for good. Their numbers are not used again, so claims about them are stale.
  private final BitSet forgotten = new BitSet();

  private final ProbeOrder peers;
  private final RumourQueue rumours = new RumourQueue();
  private final LocalHealth health = new LocalHealth();
  private final PacketWriter writer = new PacketWriter();

  /// Relayed pings by this member's own sequence; at most [#MAX_RELAYS].
  private final TreeMap<Integer, Relay> relays = new TreeMap<>();

  private @Nullable Probe probe;
  private int sequence;

  /// Whether another member has told this one all it knows.
  private boolean joined;

  /// Whether [Effect.SetBack] was wanted.
  private boolean setBack;

  private final long startMillis;

  private long now;
  private long lastTickMillis;
  private long periodAtMillis;
  private long rumoursAtMillis;
  private long joinAtMillis;
  private long knockAtMillis;
  private long syncAtMillis;
  private List<Effect> effects = new ArrayList<>();

  /// A member that starts.
  ///
  /// @param self its number, 1 to 65536
  /// @param generation greater than in each of its earlier lives
  /// @param contacts numbers of other members; those unknown to the others are found through them
  /// @throws IllegalArgumentException if a number is out of range
  public Gossip(int self, long generation, int[] contacts, Randomness random, long nowMillis) {
    this(self, generation, contacts, random, nowMillis, GossipBug.NONE);
  }

  /// A member with a mistake, for tests.
  public Gossip(
      int self,
      long generation,
      int[] contacts,
      Randomness random,
      long nowMillis,
      GossipBug planted) {
    this.self = checked(self);
    this.random = random;
    this.planted = planted;
    this.incarnation = Incarnation.first(planted == GossipBug.INCARNATION_REUSED ? 1 : generation);
    this.peers = new ProbeOrder(random);
    for (int contact : contacts) {
      if (contact != self) {
        unheard.add(checked(contact));
      }
    }
    this.joined = unheard.isEmpty();
    this.now = nowMillis;
    this.startMillis = nowMillis;
    this.lastTickMillis = nowMillis;
    this.periodAtMillis = nowMillis + random.nextInt((int) GossipBounds.PERIOD_MILLIS);
    this.rumoursAtMillis = nowMillis + random.nextInt((int) GossipBounds.RUMOUR_MILLIS);
    this.knockAtMillis = nowMillis + random.nextInt((int) GossipBounds.KNOCK_MILLIS);
    this.syncAtMillis = nowMillis + random.nextInt((int) GossipBounds.SYNC_MILLIS);
    this.joinAtMillis = nowMillis;
    rumours.add(new Rumour(self, incarnation, Status.ALIVE, 0));
  }

  private static int checked(int number) {
    if (number < 1 || number > PacketWriter.MAX_NUMBER) {
      throw new IllegalArgumentException("a member's number of " + number);
    }
    return number;
  }

  /// Advances the time.
  public List<Effect> tick(long nowMillis) {
    now = nowMillis;
    noticeDelay();
    expireSuspicions();
    expireRelays();
    if (status != Status.LEFT) {
      join();
      probe();
      knock();
      sync();
    }
    passOn();
    return drain();
  }

  /// Takes a datagram of another member.
  ///
  /// @throws DecodeException if it is none; nothing has changed then
  public List<Effect> receive(long nowMillis, int from, ByteReader datagram) {
    Packet packet = PacketWriter.decode(datagram);
    if (from == self || from < 1 || from > PacketWriter.MAX_NUMBER || forgotten.get(from)) {
      return List.of();
    }
    now = nowMillis;
    claim(new Rumour(from, packet.incarnation(), Status.ALIVE, 0));
    learn(from, packet.load());
    boolean sync = packet.body() instanceof Packet.Sync;
    for (Rumour rumour : packet.rumours()) {
      claim(sync ? doubted(rumour, from) : rumour);
    }
    for (Packet.Report report : packet.reports()) {
      learn(report.number(), report.load());
    }
    answer(from, packet.body());
    return drain();
  }

  /// Sets this member's own load; the packets from now on carry it.
  public void report(int busyPermille, long diskUsedMebibytes, long diskMebibytes, int incomplete) {
    boolean inRange = busyPermille >= 0 && busyPermille <= 1_000 && incomplete >= 0;
    if (!inRange || diskUsedMebibytes < 0 || diskMebibytes < 0) {
      throw new IllegalArgumentException("a load out of range");
    }
    long generation = Incarnation.generation(incarnation);
    long count = Incarnation.minted(load.stamp()) + 1;
    long stamp = Incarnation.first(generation) | count;
    load = new Load(stamp, busyPermille, diskUsedMebibytes, diskMebibytes, incomplete);
  }

  /// Tells the others that this member leaves. The member may stop when it is [#quiet].
  public void leave() {
    status = Status.LEFT;
    probe = null;
    rumours.add(new Rumour(self, incarnation, Status.LEFT, 0));
  }

  /// Whether this member has nothing to pass on.
  public boolean quiet() {
    return rumours.isEmpty();
  }

  /// A member was added: it is knocked at until something is heard of it.
  public void meet(int number) {
    if (number != self && belief(checked(number)) == null && !forgotten.get(number)) {
      unheard.add(number);
    }
  }

  /// A member was removed for good: its number does not come back.
  public void forget(int number) {
    forgotten.set(checked(number));
    unheard.remove(number);
    dead.remove(number);
    suspects.remove(number);
    Belief belief = belief(number);
    if (belief != null) {
      if (belief.status.reachable()) {
        peers.remove(number);
      }
      beliefs[number] = null;
    }
  }

  /// What is believed of a member; null if nothing was heard of it.
  public @Nullable Status status(int number) {
    Belief belief = belief(number);
    return number == self ? status : belief == null ? null : belief.status;
  }

  /// The incarnation of that status, 0 if nothing was heard.
  public long incarnation(int number) {
    Belief belief = belief(number);
    return number == self ? incarnation : belief == null ? 0 : belief.incarnation;
  }

  /// What a member last reported of its load, as far as it came here.
  public Load load(int number) {
    Belief belief = belief(number);
    return number == self ? load : belief == null ? Load.UNKNOWN : belief.load;
  }

  /// The number of other members believed alive or suspect.
  public int others() {
    return peers.size();
  }

  /// The local health multiplier less one: 0 is healthy.
  public int health() {
    return health.score();
  }

  // Time.

  private void noticeDelay() {
    long late = now - lastTickMillis - GossipBounds.TICK_MILLIS;
    if (late > GossipBounds.LATE_MILLIS - GossipBounds.TICK_MILLIS) {
      health.worse(1);
      periodAtMillis += late;
      if (probe != null && !probe.answered && probe.relays == 0) {
        Probe old = probe;
        probe = new Probe(old.target, old.sequence, old.relayAtMillis + late);
      }
      suspects.values().forEach(belief -> suspicion(belief).postpone(late));
    }
    lastTickMillis = now;
  }

  private void expireSuspicions() {
    if (suspects.isEmpty()) {
      return;
    }
    for (Belief belief : List.copyOf(suspects.values())) {
      if (now >= suspicion(belief).deadlineMillis()) {
        claim(new Rumour(belief.number, belief.incarnation, Status.DEAD, 0));
      }
    }
  }

  private void expireRelays() {
    if (relays.isEmpty()) {
      return;
    }
    for (int own : List.copyOf(relays.keySet())) {
      Relay relay = relays.get(own);
      if (relay == null || now < relay.nackAtMillis) {
        continue;
      }
      if (relay.nacked) {
        relays.remove(own);
      } else {
        send(relay.asker, new Packet.Nack(relay.sequence));
        long until = relay.nackAtMillis + GossipBounds.PERIOD_MILLIS;
        relays.put(own, new Relay(relay.asker, relay.sequence, until, true));
      }
    }
  }

  private void join() {
    if (!joined && now >= joinAtMillis) {
      joinAtMillis = now + GossipBounds.JOIN_MILLIS;
      int contact = unheard.isEmpty() ? peers.any() : oneOf(unheard);
      if (contact != 0) {
        sendAll(contact, true);
      }
    }
  }

  private void probe() {
    Probe current = probe;
    if (current != null
        && !current.answered
        && current.relays == 0
        && now >= current.relayAtMillis) {
      askOthers(current);
    }
    if (now < periodAtMillis) {
      return;
    }
    periodAtMillis = now + health.stretched(GossipBounds.PERIOD_MILLIS);
    if (current != null && !current.answered) {
      health.worse(current.relays == 0 ? 1 : Math.max(0, current.relays - current.nacks));
      accuse(current.target);
    }
    probe = null;
    int target = peers.next();
    if (target != 0) {
      long relayAtMillis = now + health.stretched(GossipBounds.TIMEOUT_MILLIS);
      probe = new Probe(target, ++sequence, relayAtMillis);
      send(target, new Packet.Ping(sequence));
    }
    askSuspectsAgain(target);
  }

  /// Asks suspects again: those that this member accused, so that their objection comes here first,
  /// and those that it is about to believe dead.
  private void askSuspectsAgain(int asked) {
    int again = 0;
    for (Belief belief : suspects.values()) {
      Suspicion suspicion = suspicion(belief);
      boolean ask =
          suspicion.accusedBy(self) || now >= suspicion.deadlineMillis() - LAST_LOOK_MILLIS;
      if (again < MAX_ASKED_AGAIN && belief.number != asked && ask) {
        again++;
        send(belief.number, new Packet.Ping(++sequence));
      }
    }
  }

  private void askOthers(Probe current) {
    int[] others = peers.some(GossipBounds.RELAYS, current.target);
    current.relays = others.length;
    for (int other : others) {
      send(other, new Packet.PingRequest(current.sequence, current.target));
    }
    send(current.target, new Packet.Ping(current.sequence));
  }

  private void accuse(int target) {
    Belief belief = belief(target);
    if (belief != null && belief.status.reachable()) {
      claim(new Rumour(target, belief.incarnation, Status.SUSPECT, self));
    }
  }

  /// Asks a member that should be there and is not, so that two sides of a cut find each other.
  private void knock() {
    if (now < knockAtMillis) {
      return;
    }
    knockAtMillis = now + GossipBounds.KNOCK_MILLIS;
    int missing = dead.size() + unheard.size();
    if (missing > 0) {
      boolean fromDead = random.nextInt(missing) < dead.size();
      send(oneOf(fromDead ? dead : unheard), new Packet.Ping(++sequence));
    }
  }

  private void sync() {
    if (now >= syncAtMillis) {
      syncAtMillis = now + GossipBounds.syncMillis(peers.size() + 1);
      int other = peers.any();
      if (other != 0) {
        sendAll(other, true);
      }
    }
  }

  private void passOn() {
    if (now < rumoursAtMillis) {
      return;
    }
    rumoursAtMillis = now + GossipBounds.RUMOUR_MILLIS;
    if (!rumours.isEmpty()) {
      for (int other : peers.some(GossipBounds.FANOUT, 0)) {
        send(other, new Packet.Idle());
      }
      if (peers.size() == 0 && status == Status.LEFT) {
        rumours.clear();
      }
    }
  }

  private int oneOf(SortedSet<Integer> members) {
    int skipped = random.nextInt(members.size());
    for (int member : members) {
      if (skipped-- == 0) {
        return member;
      }
    }
    throw new AssertionError("fewer members than counted");
  }

  // What others say.

  private void answer(int from, Packet.Body body) {
    switch (body) {
      case Packet.Ping b -> send(from, new Packet.Ack(b.sequence()));
      case Packet.PingRequest b -> {
        if (b.target() == self) {
          send(from, new Packet.Ack(b.sequence()));
        } else if (relays.size() < MAX_RELAYS) {
          relays.put(++sequence, new Relay(from, b.sequence(), now + NACK_MILLIS, false));
          assert relays.size() <= MAX_RELAYS;
          send(b.target(), new Packet.Ping(sequence));
        }
      }
      case Packet.Ack b -> acknowledged(from, b.sequence());
      case Packet.Nack b -> {
        if (probe != null && probe.sequence == b.sequence() && from != probe.target) {
          probe.nacks++;
        }
      }
      case Packet.Idle b -> convince(from);
      case Packet.Sync b -> {
        if (b.asks()) {
          sendAll(from, false);
        } else {
          joined = true;
        }
        convince(from);
      }
    }
  }

  /// Tells a member that is believed dead, and talks, so that it may object. Does not when that
  /// member pings or answers, or two that believe each other dead would never end.
  private void convince(int from) {
    if (dead.contains(from)) {
      send(from, new Packet.Ping(++sequence));
    }
  }

  private void acknowledged(int from, int acknowledged) {
    Relay relay = relays.remove(acknowledged);
    if (relay != null) {
      send(relay.asker, new Packet.Ack(relay.sequence));
    }
    Probe current = probe;
    if (current != null
        && current.sequence == acknowledged
        && !current.answered
        && (from == current.target || current.relays > 0)) {
      current.answered = true;
      health.better();
    }
  }

  /// When two tell all they know, one may have come from behind a cut, and its dead be alive: they
  /// get the chance to object.
  private Rumour doubted(Rumour rumour, int from) {
    Belief belief = belief(rumour.number());
    boolean sudden = rumour.status() == Status.DEAD && belief != null && belief.status.reachable();
    return sudden
        ? new Rumour(rumour.number(), rumour.incarnation(), Status.SUSPECT, from)
        : rumour;
  }

  private void learn(int number, Load told) {
    if (number == self) {
      outdo(told);
      return;
    }
    Belief belief = belief(number);
    if (belief != null && told.stamp() > belief.load.stamp()) {
      belief.load = told;
    }
  }

  /// Another member has a report of an earlier life of this one, of the same generation. Members
  /// take a report of a greater stamp only, so the present one gets that. What is of a later
  /// generation waits until this member has objected to that: its packets tell a report's count
  /// alone, which is of the generation of its incarnation.
  private void outdo(Load told) {
    long generation = Incarnation.generation(incarnation);
    long count = Incarnation.minted(load.stamp());
    Load own = load.stamped(Incarnation.first(generation) | count);
    boolean outdone =
        Incarnation.generation(told.stamp()) == generation
            && told.stamp() >= own.stamp()
            && !told.equals(own);
    if (count != 0 && outdone && planted != GossipBug.OWN_REPORTS_UNHEARD) {
      load = own.stamped(told.stamp() + 1);
    }
  }

  private void claim(Rumour rumour) {
    int number = rumour.number();
    if (number == self) {
      object(rumour);
      return;
    }
    if (forgotten.get(number)) {
      return;
    }
    Belief belief = belief(number);
    if (belief == null) {
      belief = new Belief(number);
      if (number >= beliefs.length) {
        beliefs = Arrays.copyOf(beliefs, Math.max(number + 1, 2 * beliefs.length));
      }
      beliefs[number] = belief;
      unheard.remove(number);
      adopt(belief, rumour, true);
    } else if (rumour.overrules(belief.incarnation, belief.status) || bites(rumour, belief)) {
      adopt(belief, rumour, false);
    } else if (rumour.status() == Status.SUSPECT
        && rumour.incarnation() == belief.incarnation
        && belief.status == Status.SUSPECT
        && suspicion(belief).confirm(rumour.accuser())) {
      rumours.add(rumour);
    }
  }

  private boolean bites(Rumour rumour, Belief belief) {
    return planted == GossipBug.STALE_ALIVE_WINS
        && rumour.status() == Status.ALIVE
        && belief.status == Status.DEAD;
  }

  private void adopt(Belief belief, Rumour rumour, boolean isNew) {
    int number = belief.number;
    boolean happened =
        isNew
            || belief.status != rumour.status()
            || Incarnation.generation(belief.incarnation)
                != Incarnation.generation(rumour.incarnation());
    assert isNew || rumour.overrules(belief.incarnation, belief.status) || planted != GossipBug.NONE
        : rumour + " over " + belief.rumour();
    boolean wasPeer = !isNew && belief.status.reachable();
    belief.incarnation = rumour.incarnation();
    belief.status = rumour.status();
    if (wasPeer && !belief.status.reachable()) {
      peers.remove(number);
    } else if (!wasPeer && belief.status.reachable()) {
      peers.add(number);
    }
    if (belief.status == Status.DEAD) {
      dead.add(number);
    } else if (dead.remove(number) && belief.status.reachable()) {
      // It may come from behind a cut, where others are of whom nothing is known here.
      syncAtMillis = Math.min(syncAtMillis, now + random.nextInt(BACK_MILLIS));
    }
    if (belief.status == Status.SUSPECT) {
      belief.suspicion = new Suspicion(rumour.accuser(), peers.size() + 1, now);
      suspects.put(number, belief);
    } else {
      belief.suspicion = null;
      suspects.remove(number);
    }
    rumours.add(rumour);
    if (happened) {
      effects.add(Event.of(number, rumour.incarnation(), rumour.status()));
    }
  }

  /// Objects: another member accuses this one, or knows a later incarnation of it.
  private void object(Rumour rumour) {
    if (!setBack && status != Status.LEFT && isOfForgottenLife(rumour)) {
      setBack = true;
      effects.add(new Effect.SetBack());
    }
    boolean wrong = rumour.overrules(incarnation, Status.ALIVE);
    if (wrong && status != Status.LEFT && planted != GossipBug.SUSPICION_NOT_REFUTED) {
      incarnation = rumour.incarnation() + 1;
      health.worse(1);
      rumours.add(new Rumour(self, incarnation, Status.ALIVE, 0));
    }
  }

  /// Whether a claim about this member is about a life that is not this one, and not before it.
  ///
  /// In its own generation only this member mints incarnations and says that it leaves. Nobody can
  /// have believed this life dead that early: not before the shortest suspicion is over, and hardly
  /// before anybody has answered it. A false alarm costs the stores of this node one replica id.
  private boolean isOfForgottenLife(Rumour rumour) {
    if (Incarnation.generation(rumour.incarnation()) != Incarnation.generation(incarnation)) {
      return rumour.incarnation() > incarnation;
    }
    boolean early = !joined || now - startMillis < GossipBounds.suspicionMinMillis(1);
    return rumour.incarnation() > incarnation
        || rumour.status() == Status.LEFT
        || rumour.status() == Status.DEAD && early;
  }

  // Packets.

  /// Sends a packet, with what is believed of its receiver if that is bad (Lifeguard's buddy
  /// system), rumours, and some loads.
  ///
  /// A receiver that is believed to have left is told too. It may run: a life that began on a full
  /// disk has the number of the life before, and may not know that this one said goodbye.
  private void send(int to, Packet.Body body) {
    writer.begin(incarnation, load, body);
    Belief belief = belief(to);
    boolean tells = planted != GossipBug.LEFT_NOT_TOLD;
    if (belief != null
        && belief.status != Status.ALIVE
        && (tells || belief.status != Status.LEFT)) {
      writer.add(belief.rumour());
    }
    rumours.fill(writer, GossipBounds.transmits(peers.size() + 1));
    if (body instanceof Packet.Ping || body instanceof Packet.Ack) {
      boolean room = true;
      for (int i = 0; i < Math.min(REPORTS, peers.size()) && room; i++) {
        Belief some = belief(peers.any());
        room = some == null || some.load.stamp() == 0 || writer.add(some.number, some.load);
      }
    }
    effects.add(new Effect.Send(to, writer.finish()));
  }

  /// Sends all that this member knows, in as many packets as that takes.
  private void sendAll(int to, boolean asks) {
    writer.begin(incarnation, load, new Packet.Sync(asks));
    for (Belief belief : beliefs) {
      if (belief == null) {
        continue;
      }
      if (!append(belief)) {
        effects.add(new Effect.Send(to, writer.finish()));
        writer.begin(incarnation, load, new Packet.Sync(false));
        append(belief);
      }
    }
    effects.add(new Effect.Send(to, writer.finish()));
  }

  private boolean append(Belief belief) {
    return writer.add(belief.rumour())
        && (belief.load.stamp() == 0 || writer.add(belief.number, belief.load));
  }

  private @Nullable Belief belief(int number) {
    return number < beliefs.length ? beliefs[number] : null;
  }

  private static Suspicion suspicion(Belief belief) {
    if (belief.suspicion == null) {
      throw new AssertionError(belief.number + " is not suspected");
    }
    return belief.suspicion;
  }

  private List<Effect> drain() {
    List<Effect> drained = effects;
    effects = new ArrayList<>();
    return drained;
  }
}
