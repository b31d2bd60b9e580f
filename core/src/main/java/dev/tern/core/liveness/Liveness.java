package dev.tern.core.liveness;

import dev.tern.core.gossip.Effect;
import dev.tern.core.gossip.Event;
import dev.tern.core.gossip.Gossip;
import dev.tern.core.gossip.GossipBounds;
import dev.tern.core.gossip.Load;
import dev.tern.core.gossip.Status;
import dev.tern.core.topology.Member;
import dev.tern.core.version.ClusterTime;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Stamp;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Clock;
import dev.tern.env.DecodeException;
import dev.tern.env.Environment;
import dev.tern.env.EventLoop;
import dev.tern.env.Events;
import dev.tern.env.FileKind;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.Network;
import dev.tern.env.NodeEvent;
import dev.tern.env.SmallFile;
import java.io.IOException;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntPredicate;
import java.util.function.IntSupplier;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// A node's part in the gossip, on its first shard: carries the datagrams, tells all shards whom
/// gossip believes alive and what clocks say, and asks members that a shard doubts, or whose clock
/// is not known yet, at once. Membership is the topology's, gossip carries liveness and load only.
///
/// ```
///   frame: FrameKind.GOSSIP, u8 kind: 0 tells, 1 wants an answer, 2 leaves,
///          varint wall milliseconds, varint milliseconds of its time, 0 if that is not set,
///          a datagram of Packet or nothing
/// ```
///
/// Threads: the first shard's loop, but where said.
public final class Liveness {
  private static final long MILLI = 1_000_000;
  private static final int TELLS = 0;
  private static final int ASKS = 1;
  private static final int LEAVES = 2;

  /// A member that said it leaves is not asked so long; by then gossip knows, or it came back.
  private static final long LEFT_NANOS = 3_000 * MILLI;

  /// A member is asked directly so often, at most.
  private static final int ASK_TICKS = 4;

  /// The disk is looked at so often, and every tenth time the members are told.
  private static final int DISK_TICKS = 20;

  private static final int LOAD_TICKS = 10 * DISK_TICKS;
  private static final long MEETING_NANOS = 2_000 * MILLI;

  private static final String DIRECTORY = "gossip";
  private static final String NAME = "generation";

  private final Network network;
  private final Clock clock;
  private final FileSystem files;
  private final EventLoop loop;
  private final int self;
  private final IntPredicate trusts;
  private final LongSupplier storedBytes;
  private final IntSupplier incomplete;
  private final Runnable setBack;
  private final LongConsumer measured;
  private final Sightings sightings;
  private final ClusterTime time;
  private final Events events;
  private final Gossip gossip;
  private final ByteWriter frame = new ByteWriter(1_500);
  private List<Member> members;

  /// By member that said that it leaves: for how long that is believed.
  private final TreeMap<Integer, Long> leftUntilNanos = new TreeMap<>();

  /// Members that are believed alive.
  private final TreeSet<Integer> up = new TreeSet<>();

  private long ticks;

  /// By member number, for others.
  private volatile AtomicReferenceArray<@Nullable Load> loads;

  /// @param generation from [#nextGeneration]
  /// @param trusts whether a node has greeted as a member
  /// @param storedBytes that this node holds; any thread
  /// @param incomplete partitions whose replica here may lack something; any thread
  /// @param setBack told, on the loop, that other members know of a life of this node that its
  ///   directory does not
  /// @param measured told about once a second, on the loop, how many bytes may still be written
  public Liveness(
      Environment environment,
      int self,
      List<Member> members,
      long generation,
      IntPredicate trusts,
      LongSupplier storedBytes,
      IntSupplier incomplete,
      Runnable setBack,
      LongConsumer measured,
      Sightings sightings,
      ClusterTime time) {
    this.network = environment.network();
    this.clock = environment.clock();
    this.files = environment.files();
    this.loop = environment.loops().getFirst();
    this.self = self;
    this.members = members;
    this.trusts = trusts;
    this.storedBytes = storedBytes;
    this.incomplete = incomplete;
    this.setBack = setBack;
    this.measured = measured;
    this.sightings = sightings;
    this.time = time;
    this.events = environment.events();
    int[] contacts = members.stream().mapToInt(Member::number).toArray();
    this.gossip =
        new Gossip(
            self,
            generation,
            contacts,
            environment.randomness().child("gossip"),
            clock.monotonicNanos() / MILLI);
    this.loads = new AtomicReferenceArray<>(members.getLast().number() + 1);
  }

  /// One more than in this node's last life, durable. A file that is lost or damaged begins anew:
  /// members that know of a later life are objected to. So does one that cannot be written, as the
  /// disk is full: the node starts all the same. Blocks.
  public static long nextGeneration(FileSystem files, FileLives lives) throws IOException {
    long next = Math.min(Integer.MAX_VALUE, last(files) + 1);
    try {
      SmallFile.save(files, DIRECTORY, NAME, FileKind.GENERATION, lives.next(), content(next));
    } catch (IOException e) {
      if (next == 1) {
        throw e;
      }
    }
    return next;
  }

  private static long last(FileSystem files) throws IOException {
    try {
      byte[] bytes = SmallFile.load(files, DIRECTORY + "/" + NAME, FileKind.GENERATION);
      return bytes == null ? 0 : generation(bytes);
    } catch (DecodeException e) {
      return 0;
    }
  }

  /// What `gossip/generation` holds within its [SmallFile]: u64 starts.
  static byte[] content(long generation) {
    return new ByteWriter(Long.BYTES).writeLong(generation).toByteArray();
  }

  /// @throws DecodeException if the bytes are no count of starts
  static long generation(byte[] content) {
    ByteReader in = new ByteReader(content);
    long generation = in.readLong();
    in.expectEnd();
    if (generation < 1 || generation > Integer.MAX_VALUE) {
      throw new DecodeException("a node that was started %d times".formatted(generation));
    }
    return generation;
  }

  /// Begins to gossip. On the first shard's loop, once.
  public void start() {
    measure(/* reports= */ true);
    tick();
  }

  private long nowMillis() {
    return clock.monotonicNanos() / MILLI;
  }

  private void tick() {
    ticks++;
    time.tick();
    perform(gossip.tick(nowMillis()));
    for (Member member : members) {
      if (member.number() != self) {
        believe(member.number());
        if (ticks % ASK_TICKS == 0) {
          ask(member.number());
        }
      }
    }
    if (ticks % DISK_TICKS == 0) {
      measure(ticks % LOAD_TICKS == 0);
    }
    loop.schedule(GossipBounds.TICK_MILLIS * MILLI, this::tick);
  }

  /// Tells the shards what is believed of a member. Until gossip has met it, what it answers
  /// directly counts.
  private void believe(int member) {
    if (member >= loads.length()) {
      return;
    }
    Status status = gossip.status(member);
    boolean reachable =
        status == null
            ? clock.monotonicNanos() - sightings.heardNanos(member) < MEETING_NANOS
            : status.reachable();
    Long left = leftUntilNanos.get(member);
    boolean stays = left == null || clock.monotonicNanos() >= left;
    boolean alive = reachable && stays && trusts.test(member);
    if (alive ? up.add(member) : up.remove(member)) {
      events.happened(
          alive ? new NodeEvent.MemberReachable(member) : new NodeEvent.MemberSuspected(member));
    }
    sightings.believe(member, alive);
    loads.set(member, gossip.load(member));
  }

  private void ask(int member) {
    boolean unmet = gossip.status(member) == null || !time.clockKnown(member);
    if (trusts.test(member) && (unmet || sightings.doubted(member))) {
      send(member, ASKS, new byte[0]);
    }
  }

  private void perform(List<Effect> effects) {
    for (Effect effect : effects) {
      switch (effect) {
        case Effect.Send send -> {
          if (trusts.test(send.to())) {
            send(send.to(), TELLS, send.datagram());
          }
        }
        case Effect.SetBack back -> setBack.run();
        case Event event -> believe(event.number());
      }
    }
  }

  /// Tells all members that this node is about to stop; on the loop.
  public void leave() {
    gossip.leave();
    for (Member member : members) {
      if (member.number() != self && trusts.test(member.number())) {
        send(member.number(), LEAVES, new byte[0]);
      }
    }
  }

  private void send(int to, int kind, byte[] datagram) {
    FrameKind.GOSSIP.lead(frame.clear()).writeByte(kind);
    frame.writeVarLong(clock.wallMillis()).writeVarLong(time.told());
    network.send(0, to, 0, frame.writeBytes(datagram));
  }

  /// A frame of gossip, of a node that is trusted.
  ///
  /// @throws DecodeException if it cannot be read
  public void frame(int from, ByteReader payload) {
    FrameKind.GOSSIP.expect(payload);
    int kind = payload.readUnsignedByte();
    if (kind > LEAVES) {
      throw new DecodeException("gossip of kind " + kind);
    }
    long wallMillis = millis(payload);
    long timeMillis = millis(payload);
    sightings.heard(from, clock.monotonicNanos());
    time.heard(from, wallMillis, timeMillis);
    if (kind == LEAVES) {
      leftUntilNanos.put(from, clock.monotonicNanos() + LEFT_NANOS);
    }
    believe(from);
    if (kind == ASKS) {
      send(from, TELLS, new byte[0]);
    }
    if (payload.remaining() > 0) {
      perform(gossip.receive(nowMillis(), from, payload));
    }
  }

  private static long millis(ByteReader payload) {
    long millis = payload.readPositiveVarLong();
    if (millis > HybridClock.millis(Stamp.MAX_TIME)) {
      throw new DecodeException("a clock of " + millis + " ms");
    }
    return millis;
  }

  /// Other members from now on.
  public void members(List<Member> present) {
    sightings.members(present.getLast().number());
    time.members(present.stream().mapToInt(Member::number).toArray());
    if (present.getLast().number() >= loads.length()) {
      loads = new AtomicReferenceArray<>(present.getLast().number() + 1);
    }
    for (Member member : members) {
      if (present.stream().noneMatch(other -> other.number() == member.number())) {
        gossip.forget(member.number());
        up.remove(member.number());
        sightings.believe(member.number(), /* alive= */ false);
      }
    }
    for (Member member : present) {
      gossip.meet(member.number());
    }
    members = present;
  }

  /// What a member last said of its load; any thread.
  public Load load(int member) {
    AtomicReferenceArray<@Nullable Load> now = loads;
    Load load = member > 0 && member < now.length() ? now.get(member) : null;
    return load == null ? Load.UNKNOWN : load;
  }

  private void measure(boolean reports) {
    loop.<Long>offload(
        files::usableBytes,
        (usable, failure) -> {
          if (usable != null) {
            measured.accept(usable);
          }
          if (reports) {
            report(usable);
          }
        });
  }

  private void report(@Nullable Long usable) {
    long used = storedBytes.getAsLong() >> 20;
    long size = usable == null ? 0 : used + (usable >> 20);
    gossip.report(0, used, size, incomplete.getAsInt());
    loads.set(self, gossip.load(self));
  }
}
