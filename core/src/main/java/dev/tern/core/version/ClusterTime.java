package dev.tern.core.version;

import dev.tern.env.Clock;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The one time that a node goes by wherever time decides what data there is: stamps, times to
/// live, what has expired. [#wallMillis] tells it; doors use this in place of their own clock. See
/// docs/design/0010-time.md.
///
/// It runs on the node's monotonic clock. It is *set* once, to the median of the members' wall
/// clocks when more than half of the members agree, or to what a node says whose time is set
/// already: so it goes on as long as one node runs. Once set it only *follows* the median, by a
/// tenth of the time that passes, and only while more than half of the members agree; it steps only
/// where all members' clocks agree, or forward to the time of a node that is ahead of it (this
/// node's monotonic clock stood still). A wrong minority does not move it, a majority that turns
/// wrong moves it slowly.
///
/// Until it is set nothing is removed for its age, and nothing hidden that is alive by any clock
/// that is known.
///
/// Threads: told and ticked on the first shard's loop, read on any thread.
public final class ClusterTime implements Clock {
  /// Clocks this close agree, milliseconds.
  public static final long AGREE_MILLIS = 5_000;

  /// A node that is further ahead of this one is followed at once, milliseconds.
  static final long STEP_MILLIS = 2_000;

  /// The time follows the median by one in so many milliseconds that pass.
  static final long SLEW = 10;

  /// No more than this counts as passed between two ticks, milliseconds.
  static final long MAX_TICK_MILLIS = 1_000;

  /// What a node says of its time counts for so long, milliseconds.
  static final long FRESH_MILLIS = 5_000;

  private static final long UNKNOWN = Long.MIN_VALUE;

  private final Clock clock;
  private final int self;

  /// A mistake for tests to find: what has expired is told by this node's own clock.
  private final boolean ownClock;

  /// By member number, on the first shard's loop.
  private Member[] members;

  private long tickMillis;
  private long offsetMillis;
  private boolean set;
  private volatile State state;
  private volatile Clocks clocks = Clocks.UNKNOWN;

  /// What a member said, less this node's monotonic clock.
  private static final class Member {
    final int number;
    long clockMillis = UNKNOWN;
    long timeMillis = UNKNOWN;
    long heardMillis;

    Member(int number) {
      this.number = number;
    }
  }

  /// What other threads see.
  ///
  /// @param offsetMillis of the time, over the monotonic clock
  /// @param earliestMillis what has not expired by this has not expired
  /// @param known whether more than half of the members' clocks are
  private record State(long offsetMillis, long earliestMillis, boolean known, boolean set) {}

  /// How the members' clocks differ.
  ///
  /// @param set whether the time is
  /// @param spreadMillis between the earliest and the latest clock that is known
  /// @param ownMillis how far this node's wall clock is ahead of the median
  /// @param timeMillis how far the time is ahead of the median
  /// @param members whose clocks are known
  public record Clocks(
      boolean set, long spreadMillis, long ownMillis, long timeMillis, List<Difference> members) {
    static final Clocks UNKNOWN = new Clocks(false, 0, 0, 0, List.of());

    public Clocks {
      members = List.copyOf(members);
    }
  }

  /// How far a member's wall clock is ahead of the median.
  public record Difference(int member, long millis) {}

  /// Over a node's own clock; nothing is known of the others yet.
  ///
  /// @param members numbers, this node's among them
  /// @param ownClock false but where tests plant a mistake
  public ClusterTime(Clock clock, int self, int[] members, boolean ownClock) {
    this.clock = clock;
    this.self = self;
    this.ownClock = ownClock;
    this.members = Arrays.stream(members).mapToObj(Member::new).toArray(Member[]::new);
    this.tickMillis = monotonicMillis();
    this.offsetMillis = ownMillis();
    this.state = new State(offsetMillis, offsetMillis, /* known= */ false, /* set= */ false);
    tick();
  }

  private long monotonicMillis() {
    return clock.monotonicNanos() / 1_000_000;
  }

  private long ownMillis() {
    return clock.wallMillis() - monotonicMillis();
  }

  /// Other members from now on; on the first shard's loop.
  public void members(int[] present) {
    Member[] before = members;
    members =
        Arrays.stream(present)
            .mapToObj(
                number -> {
                  Member known = find(before, number);
                  return known == null ? new Member(number) : known;
                })
            .toArray(Member[]::new);
  }

  private static @Nullable Member find(Member[] among, int number) {
    for (Member member : among) {
      if (member.number == number) {
        return member;
      }
    }
    return null;
  }

  /// Whether a member ever said what its clock says; on the first shard's loop.
  public boolean clockKnown(int member) {
    Member found = find(members, member);
    return found != null && found.clockMillis != UNKNOWN;
  }

  /// What a member says of its clock and of its time, on the first shard's loop. It came late if
  /// anything, so it says too little rather than too much.
  ///
  /// @param timeMillis 0 if its time is not set
  public void heard(int member, long wallMillis, long timeMillis) {
    Member from = find(members, member);
    if (from == null || member == self) {
      return;
    }
    long now = monotonicMillis();
    from.heardMillis = now;
    from.clockMillis = wallMillis - now;
    from.timeMillis = timeMillis == 0 ? UNKNOWN : timeMillis - now;
  }

  /// What to tell others, 0 while it is not set; on the first shard's loop.
  public long told() {
    return set ? wallMillis() : 0;
  }

  /// Goes on; many times a second, on the first shard's loop.
  public void tick() {
    long now = monotonicMillis();
    long passed = Math.clamp(now - tickMillis, 0, MAX_TICK_MILLIS);
    tickMillis = now;
    long[] offsets = new long[members.length];
    int count = 0;
    for (Member member : members) {
      if (member.number == self) {
        offsets[count++] = ownMillis();
      } else if (member.clockMillis != UNKNOWN) {
        offsets[count++] = member.clockMillis;
      }
    }
    long[] known = Arrays.copyOf(offsets, count);
    Arrays.sort(known);
    boolean majority = 2 * count > members.length;
    long median = count == 0 ? ownMillis() : known[(count - 1) / 2];
    int agreeing = 0;
    for (long offset : known) {
      agreeing += Math.abs(offset - median) <= AGREE_MILLIS ? 1 : 0;
    }
    boolean agreed = 2 * agreeing > members.length;
    move(median, agreed, agreeing == members.length, majority, ahead(now), passed);
    long earliest = set || count == 0 ? offsetMillis : known[0];
    state = new State(offsetMillis, earliest, majority || set, set);
    clocks = clocks(median, count == 0 ? 0 : known[count - 1] - known[0]);
  }

  private void move(
      long median, boolean agreed, boolean unanimous, boolean known, long ahead, long passed) {
    if (!set) {
      set = agreed || ahead != UNKNOWN;
      offsetMillis = ahead != UNKNOWN ? ahead : known ? median : ownMillis();
    } else if (unanimous) {
      boolean near = Math.abs(median - offsetMillis) <= STEP_MILLIS;
      offsetMillis = near ? slewed(median, passed) : median;
    } else if (ahead != UNKNOWN && ahead - offsetMillis > STEP_MILLIS) {
      offsetMillis = ahead;
    } else if (agreed) {
      offsetMillis = slewed(median, passed);
    }
  }

  private long slewed(long median, long passed) {
    long most = passed / SLEW;
    return offsetMillis + Math.clamp(median - offsetMillis, -most, most);
  }

  /// The latest time of other nodes whose time is set, [#UNKNOWN] if there is none.
  private long ahead(long nowMillis) {
    long latest = UNKNOWN;
    for (Member member : members) {
      boolean fresh = nowMillis - member.heardMillis <= FRESH_MILLIS;
      if (member.timeMillis != UNKNOWN && fresh) {
        latest = Math.max(latest, member.timeMillis);
      }
    }
    return latest;
  }

  private Clocks clocks(long median, long spread) {
    List<Difference> differences =
        Arrays.stream(members)
            .filter(member -> member.number == self || member.clockMillis != UNKNOWN)
            .map(
                member ->
                    new Difference(
                        member.number,
                        (member.number == self ? ownMillis() : member.clockMillis) - median))
            .toList();
    return new Clocks(set, spread, ownMillis() - median, offsetMillis - median, differences);
  }

  /// How the members' clocks differ, as of the last tick; any thread.
  public Clocks clocks() {
    return clocks;
  }

  @Override
  public long monotonicNanos() {
    return clock.monotonicNanos();
  }

  /// The time; this node's own clock while too few others are known.
  @Override
  public long wallMillis() {
    return monotonicMillis() + state.offsetMillis();
  }

  /// What has not expired by this is alive, whoever is asked: the time, or the earliest clock known
  /// while it is not set. Any thread.
  public long expiryMillis() {
    return ownClock ? clock.wallMillis() : monotonicMillis() + state.earliestMillis();
  }

  /// Whether the time is set, so that it says what has expired; any thread.
  public boolean isSet() {
    return state.set();
  }

  /// The time that stamps are minted by, 0 while too few clocks are known to trust them: then
  /// stamps count on from the last one. Any thread.
  public long stampMillis() {
    State now = state;
    return now.known() ? monotonicMillis() + now.offsetMillis() : 0;
  }
}
