package dev.tern.simulation;

import dev.tern.core.gossip.Effect;
import dev.tern.core.gossip.Event;
import dev.tern.core.gossip.Gossip;
import dev.tern.core.gossip.GossipBounds;
import dev.tern.core.gossip.GossipBug;
import dev.tern.core.gossip.Incarnation;
import dev.tern.core.gossip.Status;
import dev.tern.env.ByteReader;
import dev.tern.world.World;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Members that do nothing but gossip, thousands of them if need be: the production state machine
/// and codec, datagrams that are delayed and lost, members that crash, stall, and are cut off.
///
/// Checked after every event: what a member believes of another only grows (incarnation, then
/// status), a packet keeps its bound, and a life begins above all incarnations of earlier ones,
/// unless the disk was full when the life before began: then it has the number of that life.
final class GossipCluster {
  private static final long MILLI = 1_000_000;

  /// More, and a datagram counts as lost; the bound of a packet is the codec's.
  private static final int MAX_DATAGRAM_BYTES = 1_400;

  final World world;
  private final int capacity;
  private final GossipBug planted;
  private final @Nullable Gossip[] members;

  /// By number: the generation of the last life begun.
  private final long[] generations;

  /// By number: the last generation that is on its disk.
  private final long[] saved;

  /// Those that begin a life, not their first one, without space for its number.
  final BitSet full = new BitSet();

  /// By number: the greatest incarnation its earlier lives were seen with.
  private final long[] spent;

  private final BitSet running = new BitSet();
  private final BitSet left = new BitSet();

  /// Those that stall now and then.
  final BitSet slow = new BitSet();

  /// By number: which side of the cut; one side without a cut.
  private final int[] sides;

  /// By observer and subject: `incarnation * 4 + status` of the last event.
  private final long[][] believed;

  private final List<Sighting> sightings = new ArrayList<>();

  /// The chance that a datagram is lost.
  double loss;

  long bytes;
  long packets;
  long biggestBytes;

  /// Deaths declared of members that run and can be reached.
  long falseDeaths;

  /// Those where neither was slow.
  long falseDeathsOfHealthy;

  long falseSuspicions;

  GossipCluster(long seed, int capacity, GossipBug planted) {
    this.world =
        new World(
            seed,
            (node, what) -> {
              throw new History.Violation("member " + node + " broke: " + what);
            });
    this.capacity = capacity;
    this.planted = planted;
    this.members = new Gossip[capacity + 1];
    this.generations = new long[capacity + 1];
    this.saved = new long[capacity + 1];
    this.spent = new long[capacity + 1];
    this.sides = new int[capacity + 1];
    this.believed = new long[capacity + 1][];
  }

  long nowMillis() {
    return world.millis();
  }

  void runMillis(long millis) {
    world.runUntil(world.nanos() + millis * MILLI);
  }

  /// Runs until a sighting is complete, at most for so long.
  void await(Sighting sighting, long atMostMillis) {
    long until = nowMillis() + atMostMillis;
    while (sighting.lastMillis < 0 && nowMillis() < until) {
      runMillis(20);
    }
  }

  /// Begins a life of a member.
  void start(int number, int... contacts) {
    long generation = saved[number] + 1;
    boolean again = generation == generations[number];
    generations[number] = generation;
    if (generation == 1 || !full.get(number)) {
      saved[number] = generation;
    }
    Gossip gossip =
        new Gossip(
            number,
            generation,
            contacts,
            world.random.child("gossip-" + number + "-" + generation),
            nowMillis(),
            planted);
    if (!again && gossip.incarnation(number) <= spent[number]) {
      throw new History.Violation(
          "member %d begins a life with the incarnation %x; it has used %x"
              .formatted(number, gossip.incarnation(number), spent[number]));
    }
    members[number] = gossip;
    believed[number] = new long[capacity + 1];
    running.set(number);
    left.clear(number);
    world.schedule(world.between(0, GossipBounds.TICK_MILLIS * MILLI), number, () -> tick(number));
    if (slow.get(number)) {
      scheduleStall(number);
    }
  }

  /// Ends a life, without a word.
  void crash(int number) {
    end(number);
    left.clear(number);
  }

  /// Lets a member say goodbye; it stops when it has told enough others.
  Sighting leave(int number) {
    Gossip gossip = member(number);
    Sighting sighting = sight(number, Status.LEFT);
    left.set(number);
    gossip.leave();
    return sighting;
  }

  /// Cuts the members apart: only those of one side reach each other.
  void cut(int number, int side) {
    sides[number] = side;
  }

  boolean runs(int number) {
    return running.get(number);
  }

  /// How many run and have not said goodbye.
  int size() {
    BitSet here = (BitSet) running.clone();
    here.andNot(left);
    return here.cardinality();
  }

  Gossip member(int number) {
    Gossip gossip = members[number];
    if (gossip == null) {
      throw new History.Violation("member " + number + " does not run");
    }
    return gossip;
  }

  /// Watches for all that run to believe something of the present life of a member. Who has never
  /// heard of it need not see its end.
  Sighting sight(int number, Status status) {
    BitSet observers = (BitSet) running.clone();
    observers.andNot(left);
    Sighting sighting = new Sighting(number, generations[number], status, nowMillis(), observers);
    for (int i = observers.nextSetBit(0); i >= 0; i = observers.nextSetBit(i + 1)) {
      Gossip observer = member(i);
      if (status != Status.ALIVE && observer.status(number) == null) {
        sighting.gone(i, nowMillis());
      } else if (observer.status(number) == status
          && Incarnation.generation(observer.incarnation(number)) == generations[number]) {
        sighting.saw(i, generations[number], status, nowMillis());
      }
    }
    sightings.add(sighting);
    return sighting;
  }

  /// Who believes of whom what is not so; null if nobody. What never met may be unknown, and a
  /// farewell that nobody heard is a death.
  @Nullable String disagreement() {
    for (int i = running.nextSetBit(0); i >= 0; i = running.nextSetBit(i + 1)) {
      for (int j = 1; j <= capacity; j++) {
        Status status = member(i).status(j);
        long generation = Incarnation.generation(member(i).incarnation(j));
        if (running.get(j)) {
          if (status != Status.ALIVE || generation != generations[j]) {
            return "member %d believes member %d to be %s in generation %d; it runs in %d"
                .formatted(i, j, status, generation, generations[j]);
          }
          if (!member(i).load(j).equals(member(j).load(j))) {
            return "member %d has the report %s of member %d; it has sent %s"
                .formatted(i, member(i).load(j), j, member(j).load(j));
          }
        } else if (status != null && status.reachable()) {
          return "member %d believes member %d to be %s; it does not run".formatted(i, j, status);
        }
      }
    }
    return null;
  }

  /// Who of those that run does not believe that a member is alive; null if nobody.
  @Nullable String doubter(int number) {
    for (int i = running.nextSetBit(0); i >= 0; i = running.nextSetBit(i + 1)) {
      Status status = member(i).status(number);
      if (status != Status.ALIVE) {
        return "member %d believes member %d to be %s".formatted(i, number, status);
      }
    }
    return null;
  }

  private void end(int number) {
    Gossip gossip = member(number);
    spent[number] = Math.max(spent[number], gossip.incarnation(number));
    members[number] = null;
    running.clear(number);
    world.end(number);
    for (Sighting sighting : sightings) {
      sighting.gone(number, nowMillis());
    }
  }

  private void tick(int number) {
    Gossip gossip = member(number);
    act(number, gossip.tick(nowMillis()));
    if (left.get(number) && gossip.quiet()) {
      end(number);
    } else {
      world.schedule(GossipBounds.TICK_MILLIS * MILLI, number, () -> tick(number));
    }
  }

  private void scheduleStall(int number) {
    world.schedule(
        world.between(1_000, 4_000) * MILLI,
        number,
        () -> {
          if (slow.get(number)) {
            world.pause(number, world.between(300, 1_500) * MILLI);
            scheduleStall(number);
          }
        });
  }

  private void act(int number, List<Effect> effects) {
    for (Effect effect : effects) {
      switch (effect) {
        case Effect.SetBack back -> {
          // Members here have no stores.
        }
        case Effect.Send send -> send(number, send.to(), send.datagram());
        case Event event -> happened(number, event);
      }
    }
  }

  private void send(int from, int to, byte[] datagram) {
    bytes += datagram.length;
    packets++;
    biggestBytes = Math.max(biggestBytes, datagram.length);
    if (datagram.length > MAX_DATAGRAM_BYTES) {
      throw new History.Violation("a packet of " + datagram.length + " bytes");
    }
    if (to > capacity || sides[from] != sides[to] || world.chance(loss)) {
      return;
    }
    // Mostly a millisecond or two, now and then much more: so packets overtake each other.
    long most = world.chance(0.02) ? 120 : world.chance(0.2) ? 20 : 3;
    world.schedule(world.between(MILLI / 2, most * MILLI), to, () -> receive(to, from, datagram));
  }

  private void receive(int to, int from, byte[] datagram) {
    Gossip gossip = members[to];
    if (gossip != null) {
      act(to, gossip.receive(nowMillis(), from, new ByteReader(datagram)));
    }
  }

  private void happened(int observer, Event event) {
    int subject = event.number();
    Status status =
        switch (event) {
          case Event.Alive e -> Status.ALIVE;
          case Event.Suspect e -> Status.SUSPECT;
          case Event.Dead e -> Status.DEAD;
          case Event.Left e -> Status.LEFT;
        };
    long claim = event.incarnation() * 4 + status.ordinal();
    long[] row = believed[observer];
    if (claim <= row[subject]) {
      throw new History.Violation(
          "member %d believed %x of member %d, and then %x"
              .formatted(observer, row[subject], subject, claim));
    }
    row[subject] = claim;
    long generation = Incarnation.generation(event.incarnation());
    boolean wrong =
        running.get(subject)
            && !left.get(subject)
            && generation == generations[subject]
            && sides[subject] == sides[observer];
    if (wrong && status == Status.SUSPECT) {
      falseSuspicions++;
    }
    if (wrong && status == Status.DEAD) {
      falseDeaths++;
      if (!slow.get(subject) && !slow.get(observer)) {
        falseDeathsOfHealthy++;
      }
    }
    for (Sighting sighting : sightings) {
      if (sighting.subject == subject) {
        sighting.saw(observer, generation, status, nowMillis());
      }
    }
  }
}
