package dev.tern.core.topology.log;

import dev.tern.core.topology.Founding;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.EventLoop;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// The topology that this node uses: what it starts from, and the later states that it takes once
/// they are on its disk.
///
/// Invariants:
/// - the state in use, in `topology/known`, is on the disk, and never gives way to an older one;
/// - one state is written at a time; of the states that come meanwhile the newest is written next.
///
/// Threads: the loop; the static methods may block and are called before the start.
public final class KnownTopology {
  private final FileSystem files;
  private final FileLives lives;
  private final EventLoop loop;
  private final TopologyBug bug;
  private final BiConsumer<TopologyState, TopologyState> adopted;

  /// The topology that this node uses; it is on the disk.
  private TopologyState state;

  /// The state that was written last.
  private TopologyState saved;

  /// The state to be written next, newer than [#state]; null for none.
  private @Nullable TopologyState pending;

  /// The state that a job writes now, newer than [#state]; null for none.
  private @Nullable TopologyState writing;

  /// Why [#state] could not be written, null if it was; each beat tries again.
  private @Nullable String unsaved;

  /// @param state from [#initial]
  /// @param adopted told the state before and the state that is in use from now on
  KnownTopology(
      FileSystem files,
      FileLives lives,
      EventLoop loop,
      TopologyBug bug,
      TopologyState state,
      BiConsumer<TopologyState, TopologyState> adopted) {
    this.files = files;
    this.lives = lives;
    this.loop = loop;
    this.bug = bug;
    this.state = state;
    this.saved = state;
    this.adopted = adopted;
  }

  /// The state in a node's directory, null if the directory belongs to no cluster. A state that
  /// cannot be read is an error.
  public static @Nullable TopologyState lastKnown(FileSystem files) throws IOException {
    return KnownFile.load(files);
  }

  /// Makes a new node a member of a cluster that has let it in.
  public static void join(FileSystem files, FileLives lives, TopologyState told)
      throws IOException {
    KnownFile.save(files, lives, told);
  }

  /// What a node starts from: what it last knew, or what it was told of the founding.
  ///
  /// @param told [Founding#NOTHING] if nothing; ignored once the directory knows its cluster
  /// @throws IOException if this node cannot begin, with the reason
  /// @throws RefusedException if it is no member of the cluster that the directory belongs to
  public static TopologyState initial(FileSystem files, FileLives lives, int self, Founding told)
      throws IOException {
    TopologyState known = KnownFile.load(files);
    boolean something = !told.equals(Founding.NOTHING);
    if (known == null) {
      String problem = something ? told.problem() : "it was told of no founders";
      if (problem != null) {
        throw new IOException("this node belongs to no cluster and cannot found one: " + problem);
      }
      known = told.state();
      KnownFile.save(files, lives, known);
    } else if (!known.cluster().known() && something && !told.equals(known.founding())) {
      throw new IOException(
          "founders disagree: this node is now told of %s; start it as before, or with an empty data directory"
              .formatted(told.differenceFrom(known.founding())));
    }
    if (known.member(self) == null) {
      throw new RefusedException(
          "node %d is no member, or was removed from, cluster %s, which this data directory belongs to"
              .formatted(self, known.cluster()));
    }
    return known;
  }

  /// The topology that this node uses.
  TopologyState state() {
    return state;
  }

  long epoch() {
    return state.epoch();
  }

  /// Why the latest state could not be written; null if nothing failed.
  @Nullable String unsaved() {
    return unsaved;
  }

  private boolean newer(TopologyState one, TopologyState than) {
    boolean named = one.cluster().known() && !than.cluster().known();
    return one.epoch() > than.epoch()
        || one.epoch() == than.epoch() && named
        || bug == TopologyBug.OLDER_STATE_ADOPTED && one.epoch() != than.epoch();
  }

  /// Takes a committed state. A newer one is written and then used.
  void consider(TopologyState later) {
    TopologyState latest = pending != null ? pending : writing != null ? writing : state;
    if (!newer(later, latest)) {
      return;
    }
    pending = later;
    if (bug == TopologyBug.ADOPTED_BEFORE_DURABLE) {
      saved = later;
      adopt(later);
    }
    save();
  }

  /// Writes what waits to be written, if nothing is being written.
  void save() {
    TopologyState next = pending;
    if (writing != null || next == null) {
      return;
    }
    assert newer(next, state) || bug != TopologyBug.NONE : "an older topology would be written";
    writing = next;
    pending = null;
    loop.offload(
        () -> {
          KnownFile.save(files, lives, next);
          return null;
        },
        (nothing, failure) -> {
          writing = null;
          if (failure != null) {
            unsaved = "the topology cannot be written: " + failure.getMessage();
            pending = pending == null ? next : pending;
            return;
          }
          unsaved = null;
          saved = next;
          adopt(next);
          save();
        });
  }

  private void adopt(TopologyState later) {
    if (!newer(later, state)) {
      return;
    }
    if (saved != later) {
      throw new IllegalStateException(
          "epoch %d is not on the disk, which has epoch %d"
              .formatted(later.epoch(), saved.epoch()));
    }
    TopologyState before = state;
    state = later;
    adopted.accept(before, later);
  }
}
