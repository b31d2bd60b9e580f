package dev.tern.core.traffic;

import dev.tern.core.context.ShardContext;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.liveness.Sightings;
import dev.tern.core.replica.Replica;
import dev.tern.core.topology.Member;
import dev.tern.env.Clock;
import dev.tern.env.Network;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;

/// Who answers, as one shard sees it. A member is believed alive while gossip believes so
/// ([Sightings]), its connection is open, and it is not silent: something that wants an answer was
/// sent to it [#SILENT_NANOS] ago, and nothing at all came from it since. Gossip takes seconds to
/// be sure; a shard must not wait so long, and only it knows that it waits.
///
/// Time that this shard itself was held up (its beat came late) is nobody else's silence: what
/// others sent meanwhile waits to be read (after Lifeguard, Dadgar et al., 2018: doubt yourself
/// first). Nor is the time that a member needs for a large frame.
public final class Peers {
  /// How often [#beat] is called, nanoseconds.
  public static final long BEAT_NANOS = 200_000_000;

  /// For so long a member that owes an answer may say nothing.
  public static final long SILENT_NANOS = 1_000_000_000;

  /// After so long it is asked whether it is there.
  private static final long DOUBT_NANOS = 400_000_000;

  /// A frame from this size on keeps its receiver silent for longer: one loop reads, checks,
  /// decodes and stores it.
  private static final int LARGE_FRAME_BYTES = 1 << 20;

  /// For so long a byte of a large frame excuses its receiver: 4 MB/s, which two cores shared by
  /// three nodes with cold code and untouched memory reach.
  private static final long NANOS_PER_LARGE_BYTE = 250;

  /// All large frames together excuse a member for so long at the most: as one value of 16 MiB
  /// does.
  private static final long MAX_EXCUSED_NANOS = (16L << 20) * NANOS_PER_LARGE_BYTE;

  /// Nothing is owed.
  private static final long NONE = Long.MIN_VALUE;

  /// Reads are as quick as this where nothing is wrong.
  private static final long USUAL_NANOS = 4_000_000;

  /// Puts are as quick as this, with a disk that is not quick.
  private static final long USUAL_FORWARD_NANOS = 50_000_000;

  private static final long HALF_LIFE_NANOS = 500_000_000;
  private static final int TOOK_WEIGHT = 16;

  /// A member that is overloaded is asked again after so long at the latest.
  private static final long MAX_SPARED_NANOS = 1_000_000_000;

  /// So many updates that a member coordinates do not make it slower.
  private static final int FORWARDS_AT_ONCE = 64;

  /// A member may have so many times as much to do as another before that is preferred.
  private static final int TOLERATED_TIMES = 2;

  /// What a member said of its memtables holds for so long.
  private static final long PRESSED_NANOS = 500_000_000;

  /// A link that has no room has some after so long, perhaps.
  private static final long NO_ROOM_MILLIS = 50;

  private final int shard;
  private final int self;
  private List<Member> members;
  private final Network network;
  private final Clock clock;
  private final Sightings sightings;

  /// Whether any request of this shard is under way.
  private final BooleanSupplier waits;

  /// By member number: since when an answer is owed and nothing came.
  private long[] owedNanos;

  /// By member number: until when large frames excuse its silence.
  private long[] excusedUntilNanos;

  /// By member number: what reads took, and when the last answer came.
  private long[] tookNanos;

  private long[] tookAtNanos;

  /// By member number: until when it said that it does not want to be asked.
  private long[] sparedNanos;

  /// Members that last said that they take no writes as their disks are full.
  private final TreeMap<Integer, Unanswered.Refused> fullDisks = new TreeMap<>();

  /// By member number: updates that it coordinates for this shard.
  private int[] forwards;

  /// By member number: what blind puts took that it coordinated, and when it last answered one.
  private long[] forwardTookNanos;

  private long[] forwardAtNanos;

  /// By member number: how full its memtables were when it last said so, and when that was.
  private int[] pressures;

  private long[] pressedNanos;

  /// As of the last beat.
  private boolean[] silent;

  private long beatNanos;

  /// @param waits whether this shard waits for an answer of any member
  public Peers(
      ShardContext context, List<Member> members, Sightings sightings, BooleanSupplier waits) {
    this.waits = waits;
    this.shard = context.shard();
    this.self = context.self();
    this.members = members;
    this.network = context.network();
    this.clock = context.clock();
    this.sightings = sightings;
    int largest = members.getLast().number();
    this.owedNanos = new long[largest + 1];
    Arrays.fill(owedNanos, NONE);
    this.excusedUntilNanos = new long[largest + 1];
    Arrays.fill(excusedUntilNanos, NONE);
    this.silent = new boolean[largest + 1];
    this.tookNanos = new long[largest + 1];
    this.tookAtNanos = new long[largest + 1];
    this.sparedNanos = new long[largest + 1];
    Arrays.fill(sparedNanos, NONE);
    this.forwards = new int[largest + 1];
    this.forwardTookNanos = new long[largest + 1];
    this.forwardAtNanos = new long[largest + 1];
    this.pressures = new int[largest + 1];
    this.pressedNanos = new long[largest + 1];
    this.beatNanos = clock.monotonicNanos();
  }

  /// A member answered a read after so long.
  public void took(int member, long nanos) {
    if (member > 0 && member < tookNanos.length) {
      tookNanos[member] = smoothed(tookNanos[member], nanos);
      tookAtNanos[member] = clock.monotonicNanos();
    }
  }

  /// A member answered a blind put that it coordinated after so long.
  public void forwardTook(int member, long nanos) {
    if (member > 0 && member < forwards.length) {
      forwardTookNanos[member] = smoothed(forwardTookNanos[member], nanos);
      forwardAtNanos[member] = clock.monotonicNanos();
    }
  }

  private static long smoothed(long before, long nanos) {
    return nanos > before ? nanos : before + (nanos - before) / TOOK_WEIGHT;
  }

  private long forgiven(long nanos, long atNanos) {
    return nanos >> Math.min(20, (clock.monotonicNanos() - atNanos) / HALF_LIFE_NANOS);
  }

  /// What a read of a member is likely to take, at its worst: a slow one shows at once and is
  /// forgiven slowly, so that it is asked now and then. Small differences do not show.
  public long likelyNanos(int member) {
    if (member <= 0 || member >= tookNanos.length) {
      return USUAL_NANOS;
    }
    return Math.max(USUAL_NANOS, forgiven(tookNanos[member], tookAtNanos[member]));
  }

  /// A member said no. If it is overloaded it is taken for as slow as it says, and spared so long.
  public void refused(int member, Unanswered.Refused why) {
    if (why.isOfStore() && member > 0 && member < forwards.length) {
      if (why.reason() == Unanswered.Reason.DISK_FULL) {
        fullDisks.put(member, why);
      } else {
        fullDisks.remove(member);
      }
      long nanos = Math.min(MAX_SPARED_NANOS, why.retryAfterMillis() * 1_000_000);
      sparedNanos[member] = clock.monotonicNanos() + nanos;
      took(member, Math.max(2 * USUAL_NANOS, nanos));
    }
  }

  /// For how long a strict write is better not begun, milliseconds: so many of its replicas are
  /// overloaded, or so many of the links to them, that it would be *unknown*. 0 if that is not so.
  ///
  /// @param replicas of its key
  /// @param w how many of them must acknowledge it
  public long spared(int[] replicas, int w) {
    int live = 0;
    int willing = 0;
    long least = Long.MAX_VALUE;
    for (int node : replicas) {
      if (live(node)) {
        live++;
        boolean room = node == self || network.hasRoom(shard, node);
        long millis = room ? sparedMillis(node) : NO_ROOM_MILLIS;
        willing += millis == 0 ? 1 : 0;
        least = millis == 0 ? least : Math.min(least, millis);
      }
    }
    return willing >= w || live < w ? 0 : least;
  }

  /// A member said with an answer how full its memtables are, see [Replica#pressure].
  public void presses(int member, int pressure) {
    if (member > 0 && member < pressures.length) {
      pressures[member] = pressure;
      pressedNanos[member] = clock.monotonicNanos();
    }
  }

  /// How full the memtables are of the replicas that a write needs, the emptiest ones and this
  /// node's own: 0 to half of their room, 1 all of it.
  ///
  /// @param replicas of its key
  /// @param w how many of them must acknowledge it
  /// @param own the pressure of this node's store
  public double fullness(int[] replicas, int w, int own) {
    int most = own;
    // Of the pressures the w-th from the least: so many replicas have no more than it.
    for (int node : replicas) {
      int candidate = pressure(node, own);
      int below = 0;
      int upTo = 0;
      for (int other : replicas) {
        int pressure = pressure(other, own);
        below += pressure < candidate ? 1 : 0;
        upTo += pressure <= candidate ? 1 : 0;
      }
      if (below < w && w <= upTo) {
        most = Math.max(most, candidate);
      }
    }
    return most / (double) Replica.MOST_PRESSURE;
  }

  private int pressure(int member, int own) {
    if (member == self) {
      return own;
    }
    boolean fresh =
        member < pressures.length
            && pressures[member] > 0
            && clock.monotonicNanos() - pressedNanos[member] < PRESSED_NANOS;
    return fresh ? pressures[member] : 0;
  }

  /// What a request is told that would need members that want to be spared.
  public Unanswered.Refused sparing(int[] replicas, long retryAfterMillis) {
    for (int member : replicas) {
      Unanswered.Refused full = fullDisks.get(member);
      if (full != null && sparedMillis(member) > 0) {
        return new Unanswered.Refused(full.reason(), full.message(), retryAfterMillis);
      }
    }
    return new Unanswered.Refused(
        Unanswered.Reason.OVERLOADED, "too many replicas are overloaded", retryAfterMillis);
  }

  /// For how long a member still wants to be spared, milliseconds; 0 if it does not.
  long sparedMillis(int member) {
    if (member <= 0 || member >= sparedNanos.length || sparedNanos[member] == NONE) {
      return 0;
    }
    long left = sparedNanos[member] - clock.monotonicNanos();
    return left <= 0 ? 0 : left / 1_000_000 + 1;
  }

  /// A member coordinates so many updates more for this shard.
  public void forwards(int member, int more) {
    if (member > 0 && member < forwards.length) {
      forwards[member] += more;
      assert forwards[member] >= 0 : "an update ends that was not forwarded";
    }
  }

  /// Who shall coordinate a blind put of this node, which is no replica: the first live replica of
  /// the list, so that concurrent puts meet at one place, unless another has much less to do. 0 if
  /// there is none.
  public int leastLoaded(int[] replicas) {
    long least = Long.MAX_VALUE;
    for (int member : replicas) {
      if (live(member)) {
        least = Math.min(least, load(member));
      }
    }
    for (int member : replicas) {
      if (live(member) && load(member) / TOLERATED_TIMES <= least) {
        return member;
      }
    }
    return 0;
  }

  /// What it is likely to take there, for what it has to do.
  private long load(int member) {
    if (member >= forwards.length) {
      return USUAL_NANOS;
    }
    long forward = forgiven(forwardTookNanos[member], forwardAtNanos[member]);
    long late = Math.max(0, forward - USUAL_FORWARD_NANOS);
    return (likelyNanos(member) + late) * (1 + forwards[member] / FORWARDS_AT_ONCE);
  }

  /// Other members from now on.
  public void members(List<Member> present) {
    members = present;
    int before = owedNanos.length;
    int size = Math.max(before, present.getLast().number() + 1);
    owedNanos = Arrays.copyOf(owedNanos, size);
    Arrays.fill(owedNanos, before, size, NONE);
    excusedUntilNanos = Arrays.copyOf(excusedUntilNanos, size);
    Arrays.fill(excusedUntilNanos, before, size, NONE);
    silent = Arrays.copyOf(silent, size);
    tookNanos = Arrays.copyOf(tookNanos, size);
    tookAtNanos = Arrays.copyOf(tookAtNanos, size);
    sparedNanos = Arrays.copyOf(sparedNanos, size);
    Arrays.fill(sparedNanos, before, size, NONE);
    forwards = Arrays.copyOf(forwards, size);
    forwardTookNanos = Arrays.copyOf(forwardTookNanos, size);
    forwardAtNanos = Arrays.copyOf(forwardAtNanos, size);
    pressures = Arrays.copyOf(pressures, size);
    pressedNanos = Arrays.copyOf(pressedNanos, size);
  }

  /// Whether a member is believed alive and not silent while it owes an answer.
  public boolean live(int member) {
    return member == self
        || sightings.alive(member)
            && member < silent.length
            && !silent[member]
            && network.connected(shard, member);
  }

  /// Something that wants an answer goes to a member.
  public void asks(int member, int frameBytes) {
    if (member >= owedNanos.length) {
      return;
    }
    if (owedNanos[member] == NONE) {
      owedNanos[member] = clock.monotonicNanos();
    }
    if (frameBytes >= LARGE_FRAME_BYTES) {
      long now = clock.monotonicNanos();
      long from = Math.max(now, excusedUntilNanos[member]);
      excusedUntilNanos[member] =
          Math.min(now + MAX_EXCUSED_NANOS, from + frameBytes * NANOS_PER_LARGE_BYTE);
    }
  }

  /// Something came from a member.
  public void heard(int member) {
    if (member > 0 && member < owedNanos.length) {
      heard(member, clock.monotonicNanos());
    }
  }

  /// While requests are under way something may still be owed.
  private void heard(int member, long atNanos) {
    owedNanos[member] = waits.getAsBoolean() ? atNanos : NONE;
    silent[member] = false;
  }

  /// Looks who is silent.
  public void beat() {
    long now = clock.monotonicNanos();
    long late = now - beatNanos - BEAT_NANOS;
    beatNanos = now;
    for (Member each : members) {
      int member = each.number();
      if (owedNanos[member] == NONE) {
        continue;
      }
      if (late > 0) {
        owedNanos[member] = Math.min(now, owedNanos[member] + late);
      }
      long heard = sightings.heardNanos(member);
      if (heard > owedNanos[member]) {
        heard(member, heard);
      }
      if (owedNanos[member] == NONE) {
        continue;
      }
      long owed = now - owedNanos[member];
      silent[member] = owed >= SILENT_NANOS && now >= excusedUntilNanos[member];
      if (owed >= DOUBT_NANOS) {
        sightings.doubt(member);
      }
    }
  }

  /// Tells of each member that was silent as of the last beat.
  public void forEachSilent(IntConsumer told) {
    for (Member member : members) {
      if (silent[member.number()]) {
        told.accept(member.number());
      }
    }
  }

  /// The first member of a list believed alive, 0 if none.
  ///
  /// @param butThis whether this node counts only if there is no other
  public int firstLive(int[] replicas, boolean butThis) {
    int last = 0;
    for (int member : replicas) {
      if (live(member)) {
        if (!butThis || member != self) {
          return member;
        }
        last = member;
      }
    }
    return last;
  }
}
