package dev.tern.core.topology;

import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// What [ReplicaGroups] keep of one partition: who holds it under which replica ids, and how far a
/// move of it has come. Immutable.
///
/// ```
///   u8 stage, old list, new list unless it is stable, for each place: varint replica id,
///   varint epoch, varint compatible from
///   stage: 0 stable   1 filling   2 switched   3 fenced   4 filling on the way back
///   list:  varint n, varint member * n
/// ```
///
/// The steps between the stages:
///
/// ```
///            BEGIN             SWITCH              FENCE            FINISH
///   stable ---------> filling --------> switched --------> fenced --------> stable (new list)
///     ^                  |                 |
///     |      CANCEL      |     CANCEL      v
///     +------------------+------- filling on the way back
/// ```
///
/// A cancelled move that was switched goes back by way of *filling*, not at once: a node that still
/// reads the new list would miss what another node, which is stable again, writes to the old list
/// alone. From *filling on the way back* no step leads forward.
///
/// Invariants: a step changes one stage only, so two stages between which no step leads are never
/// in use at once where each step waits for the adoption of the one before; a replica keeps its id
/// as long as it is in either list; `compatibleFrom <= epoch`.
final class GroupEntry {
  private static final int MAX_REPLICAS = ReplicaSet.MAX_PLACES;
  private static final Stage[] STAGES = Stage.values();

  /// The ordinal is stored: add at the end.
  private enum Stage {
    STABLE(Phase.STABLE),
    FILLING(Phase.FILLING),
    SWITCHED(Phase.SWITCHED),
    FENCED(Phase.FENCED),
    /// A move that is cancelled: it was switched.
    RETURNING(Phase.FILLING);

    private final Phase phase;

    Stage(Phase phase) {
      this.phase = phase;
    }
  }

  private final Stage stage;
  private final int[] oldList;

  /// The same as [#oldList] while the entry is stable.
  private final int[] newList;

  private final ReplicaSet set;

  /// By place of [#set].
  private final int[] ids;

  private final long epoch;
  private final long compatibleFrom;

  private GroupEntry(
      Stage stage, int[] oldList, int[] newList, int[] ids, long epoch, long compatibleFrom) {
    this.stage = stage;
    this.oldList = oldList;
    this.newList = newList;
    this.ids = ids;
    this.epoch = epoch;
    this.compatibleFrom = compatibleFrom;
    this.set = setOf(stage, oldList, newList);
    assert ids.length == set.size() && compatibleFrom <= epoch : this;
  }

  private static ReplicaSet setOf(Stage stage, int[] oldList, int[] newList) {
    return stage == Stage.STABLE
        ? ReplicaSet.stable(oldList)
        : ReplicaSet.moving(stage.phase, oldList, newList);
  }

  /// Replicas that were just placed, with the ids from `firstId` on.
  static GroupEntry placed(int[] list, int firstId, long epoch) {
    int[] ids = new int[list.length];
    Arrays.setAll(ids, place -> firstId + place);
    return new GroupEntry(Stage.STABLE, list, list, ids, epoch, epoch);
  }

  int[] oldList() {
    return oldList;
  }

  int[] newList() {
    return newList;
  }

  ReplicaSet set() {
    return set;
  }

  int id(int place) {
    return ids[place];
  }

  long epoch() {
    return epoch;
  }

  long compatibleFrom() {
    return compatibleFrom;
  }

  /// Reads that go by an older entry are refused. Where this one is *switched* or on the way back,
  /// the one before read the other list: it would miss what the entry after this one writes. Where
  /// it is *filling*, the one before had one list: it would show what the new list may lack.
  long readsFrom() {
    return stage == Stage.STABLE || stage == Stage.FENCED ? compatibleFrom : epoch;
  }

  /// Writes that go by an older entry are refused. The one before did not write the new list where
  /// the entry is *filling*; where it is *fenced*, others lead than before.
  long writesFrom() {
    return stage.phase == Phase.FILLING || stage == Stage.FENCED ? epoch : compatibleFrom;
  }

  boolean returns() {
    return stage == Stage.RETURNING;
  }

  // ---- steps

  /// How many ids a step gives out.
  int newcomers(Step step) {
    return (int) step.list().stream().filter(member -> !set.has(member)).count();
  }

  /// The entry after a step; null if the step does not fit, which is no mistake: another came
  /// first.
  ///
  /// @param may who may be given a replica, by number
  /// @param n how long a new list is
  /// @param nextId the id of the first newcomer
  /// @param at the topology's epoch after the step
  @Nullable GroupEntry after(Step step, Set<Integer> may, int n, int nextId, long at) {
    if (step.entryEpoch() != epoch) {
      return null;
    }
    GroupEntry entry = next(step, may, n, nextId, at);
    assert entry == null || keepsIds(entry, nextId) : this + " to " + entry;
    return entry;
  }

  /// Whether the replicas of this that are in another entry have their ids there, and all others
  /// ids from `nextId` on.
  private boolean keepsIds(GroupEntry other, int nextId) {
    for (int place = 0; place < other.ids.length; place++) {
      int before = set.place(other.set.member(place));
      boolean fits = before < 0 ? other.ids[place] >= nextId : other.ids[place] == this.ids[before];
      if (!fits) {
        return false;
      }
    }
    return true;
  }

  private @Nullable GroupEntry next(Step step, Set<Integer> may, int n, int nextId, long at) {
    return switch (step.kind()) {
      case BEGIN -> stage == Stage.STABLE ? begun(step, may, n, nextId, at) : null;
      case SWITCH -> stage == Stage.FILLING ? at(Stage.SWITCHED, at) : null;
      case FENCE -> stage == Stage.SWITCHED ? at(Stage.FENCED, at) : null;
      case FINISH -> stage == Stage.FENCED ? alone(newList, at) : null;
      case CANCEL ->
          switch (stage) {
            case FILLING, RETURNING -> alone(oldList, at);
            case SWITCHED -> at(Stage.RETURNING, at);
            case STABLE, FENCED -> null;
          };
    };
  }

  /// A mistake that tests plant: a fenced entry goes back to the old list.
  @Nullable GroupEntry cancelledAnyway(Step step, long at) {
    boolean fits = step.entryEpoch() == epoch && step.kind() == Command.Moves.Kind.CANCEL;
    return fits && stage == Stage.FENCED ? alone(oldList, at) : null;
  }

  private @Nullable GroupEntry begun(Step step, Set<Integer> may, int n, int nextId, long at) {
    int[] list = step.list().stream().mapToInt(Integer::intValue).toArray();
    boolean whole =
        list.length == n
            && Arrays.stream(list).distinct().count() == n
            // A member that leaves may stay for a while: the next move takes its place.
            && step.list().stream().allMatch(member -> may.contains(member) || set.has(member));
    int newcomers = newcomers(step);
    boolean fits = oldList.length + newcomers <= MAX_REPLICAS;
    boolean ids = newcomers <= Integer.MAX_VALUE - nextId;
    if (!whole || !fits || !ids || Arrays.equals(list, oldList)) {
      return null;
    }
    ReplicaSet both = setOf(Stage.FILLING, oldList, list);
    int[] withNew = Arrays.copyOf(this.ids, both.size());
    for (int place = oldList.length; place < both.size(); place++) {
      withNew[place] = nextId + place - oldList.length;
    }
    return new GroupEntry(Stage.FILLING, oldList, list, withNew, at, epoch);
  }

  private GroupEntry at(Stage next, long at) {
    return new GroupEntry(next, oldList, newList, ids, at, epoch);
  }

  /// One of the lists is the only one from now on.
  private GroupEntry alone(int[] list, long at) {
    int[] theirs = Arrays.stream(list).map(member -> ids[set.place(member)]).toArray();
    return new GroupEntry(Stage.STABLE, list, list, theirs, at, epoch);
  }

  // ---- bytes

  void encode(ByteWriter out) {
    out.writeByte(stage.ordinal());
    encode(oldList, out);
    if (stage != Stage.STABLE) {
      encode(newList, out);
    }
    for (int id : ids) {
      out.writeVarInt(id);
    }
    out.writeVarLong(epoch).writeVarLong(compatibleFrom);
  }

  private static void encode(int[] list, ByteWriter out) {
    out.writeVarInt(list.length);
    for (int member : list) {
      out.writeVarInt(member);
    }
  }

  static GroupEntry decode(ByteReader in) {
    Stage stage = in.readOneOf(STAGES);
    int[] oldList = list(in);
    int[] newList = stage == Stage.STABLE ? oldList : list(in);
    if (places(oldList, newList) > MAX_REPLICAS) {
      throw new DecodeException("a partition at %d members".formatted(places(oldList, newList)));
    }
    int[] ids = new int[setOf(stage, oldList, newList).size()];
    for (int place = 0; place < ids.length; place++) {
      ids[place] = in.readVarIntIn(1, Integer.MAX_VALUE);
    }
    long epoch = in.readPositiveVarLong();
    long compatibleFrom = in.readPositiveVarLong();
    if (compatibleFrom > epoch) {
      throw new DecodeException(
          "an entry of epoch %d compatible from %d".formatted(epoch, compatibleFrom));
    }
    return new GroupEntry(stage, oldList, newList, ids, epoch, compatibleFrom);
  }

  private static int places(int[] oldList, int[] newList) {
    return (int)
        IntStream.concat(Arrays.stream(oldList), Arrays.stream(newList)).distinct().count();
  }

  private static int[] list(ByteReader in) {
    int[] list = new int[in.readVarIntIn(1, MAX_REPLICAS)];
    for (int place = 0; place < list.length; place++) {
      list[place] = in.readVarIntIn(1, Member.MAX_NUMBER);
      for (int before = 0; before < place; before++) {
        if (list[before] == list[place]) {
          throw new DecodeException("member %d is twice in a list".formatted(list[place]));
        }
      }
    }
    return list;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other
        || other instanceof GroupEntry that
            && stage == that.stage
            && epoch == that.epoch
            && compatibleFrom == that.compatibleFrom
            && Arrays.equals(oldList, that.oldList)
            && Arrays.equals(newList, that.newList)
            && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(ids) + Long.hashCode(epoch);
  }

  @Override
  public String toString() {
    return "%s%s%s ids %s epoch %d"
        .formatted(
            stage,
            Arrays.toString(oldList),
            stage == Stage.STABLE ? "" : Arrays.toString(newList),
            Arrays.toString(ids),
            epoch);
  }
}
