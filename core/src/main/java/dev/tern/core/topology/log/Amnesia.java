package dev.tern.core.topology.log;

import dev.tern.core.topology.Command;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.EventLoop;
import dev.tern.env.FileKind;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.Randomness;
import dev.tern.env.SmallFile;
import dev.tern.raft.Membership;
import dev.tern.raft.RaftMessage;
import java.io.IOException;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Keeps a member that lost its disk from voting twice.
///
/// A member whose part of the log is empty though its cluster has a name has forgotten what it
/// voted and what it acknowledged. It takes no part until the log shows that nothing rests on that
/// any more: the others take its vote away, and then record the number that this life of it drew.
/// From then on it learns the log, and once it has come to that record it is like any other.
///
/// Safe because each majority of the members without it meets each majority with it in a member
/// that has the entry which took the vote away; such a member votes for no leader that lacks it.
/// Until it has that entry itself it would vote for anybody, so it votes for nobody.
///
/// Where two vote nothing can be decided without either, nor can its vote be taken away. So once
/// the other leads no more, and relies on nothing that was acknowledged to it, it votes for the
/// other.
///
/// Relies on each founder having its part of the log: before that, a lost disk is a reason to found
/// the cluster anew.
///
/// ```
///   topology/forgetful:  a SmallFile of u64 life, while a member learns
/// ```
///
/// Threads: the loop.
final class Amnesia {
  private static final String NAME = "forgetful";

  private enum Phase {
    /// Nothing is known but the founding: perhaps nothing has happened yet.
    FRESH,
    FORGETFUL,
    LEARNING,
    SETTLED
  }

  private final int self;
  private final FileSystem files;
  private final FileLives fileLives;
  private final EventLoop loop;

  /// Drawn when this member forgot.
  private final long life;

  private Phase phase;

  /// The one it votes for while it learns; 0 for none.
  private int partner;

  private boolean busy;

  /// By member: what it drew, 0 if it remembers.
  private final TreeMap<Integer, Long> lives = new TreeMap<>();

  private Amnesia(
      int self, FileSystem files, FileLives fileLives, EventLoop loop, Phase phase, long life) {
    this.self = self;
    this.files = files;
    this.fileLives = fileLives;
    this.loop = loop;
    this.phase = phase;
    this.life = life;
  }

  /// What a member remembers at its start. Blocks.
  ///
  /// @param blank whether its part of the log is empty
  /// @param named whether it knows what its cluster is called
  static Amnesia open(
      int self,
      FileSystem files,
      FileLives fileLives,
      EventLoop loop,
      Randomness random,
      boolean blank,
      boolean named)
      throws IOException {
    String path = KnownFile.DIRECTORY + "/" + NAME;
    try {
      byte[] marked = SmallFile.load(files, path, FileKind.FORGETFUL);
      if (marked != null) {
        return new Amnesia(self, files, fileLives, loop, Phase.FORGETFUL, life(marked));
      }
    } catch (DecodeException e) {
      throw new IOException(
          "%s is damaged (%s); empty this node's data directory and let it join anew"
              .formatted(path, e.getMessage()),
          e);
    }
    Phase phase = !blank ? Phase.SETTLED : named ? Phase.FORGETFUL : Phase.FRESH;
    return new Amnesia(self, files, fileLives, loop, phase, 1 + (random.nextLong() >>> 2));
  }

  /// What `topology/forgetful` holds within its [SmallFile]: u64 what the member drew.
  static byte[] content(long life) {
    return new ByteWriter(Long.BYTES).writeLong(life).toByteArray();
  }

  /// @throws DecodeException if the bytes are nothing that a member draws
  static long life(byte[] content) {
    ByteReader in = new ByteReader(content);
    long life = in.readLong();
    in.expectEnd();
    if (life < 1) {
      throw new DecodeException("a member that drew " + life);
    }
    return life;
  }

  /// One that remembers, whatever happened.
  static Amnesia none(int self, FileSystem files, FileLives fileLives, EventLoop loop) {
    return new Amnesia(self, files, fileLives, loop, Phase.SETTLED, 0);
  }

  /// Whether this member is kept from its part.
  boolean forgetful() {
    return phase == Phase.FORGETFUL || phase == Phase.LEARNING;
  }

  /// Whether this member may listen to a message of the log.
  boolean hears(int from, RaftMessage message) {
    return switch (phase) {
      case FRESH, SETTLED -> true;
      case FORGETFUL -> false;
      case LEARNING ->
          switch (message) {
            case RaftMessage.PreVote m -> from == partner;
            case RaftMessage.Vote m -> from == partner;
            case RaftMessage.TimeoutNow m -> false;
            default -> true;
          };
    };
  }

  /// What this member tells of itself: 0 while there is nothing that it forgot.
  long life() {
    return forgetful() ? life : 0;
  }

  /// A member has to greet again: it may have begun anew.
  void forget(int member) {
    lives.remove(member);
  }

  /// A friend greets.
  ///
  /// @param begun whether this member has voted in this life
  /// @return whether this member now tells something else of itself
  boolean greeted(int from, TopologyMessage.Greeting greeting, boolean begun) {
    lives.put(from, greeting.life());
    if (phase == Phase.FRESH && begun) {
      phase = Phase.SETTLED;
    }
    if (phase == Phase.FRESH && greeting.cluster().known()) {
      phase = Phase.FORGETFUL;
      return true;
    }
    if (greeting.pair()) {
      partner = from;
      if (phase == Phase.FORGETFUL) {
        learn();
      }
    }
    return false;
  }

  /// This member goes by a state, perhaps for long.
  void goesBy(TopologyState state) {
    if (phase == Phase.FORGETFUL && state.life(self) == life) {
      learn();
    }
  }

  /// From now on its part of the log is not empty, and yet not to be relied on.
  private void learn() {
    if (busy) {
      return;
    }
    busy = true;
    loop.offload(
        () -> {
          FileKind kind = FileKind.FORGETFUL;
          SmallFile.save(files, KnownFile.DIRECTORY, NAME, kind, fileLives.next(), content(life));
          return null;
        },
        (nothing, failure) -> {
          busy = false;
          if (failure == null) {
            phase = Phase.LEARNING;
          }
        });
  }

  /// This member's own log has made a state, perhaps long ago.
  ///
  /// @param settled run when this member is like any other
  void applied(TopologyState state, Runnable settled) {
    if (phase != Phase.LEARNING || state.life(self) != life || busy) {
      return;
    }
    busy = true;
    loop.offload(
        () -> {
          if (files.exists(KnownFile.DIRECTORY + "/" + NAME)) {
            files.delete(KnownFile.DIRECTORY + "/" + NAME);
          }
          files.forceDirectory(KnownFile.DIRECTORY);
          return null;
        },
        (nothing, failure) -> {
          busy = false;
          if (failure == null) {
            phase = Phase.SETTLED;
            settled.run();
          }
        });
  }

  /// What a member drew whose vote counts for nothing yet, 0 for others.
  long stranger(int member, TopologyState state) {
    long drawn = lives.getOrDefault(member, 0L);
    return drawn == state.life(member) ? 0 : drawn;
  }

  /// Lets a member in again that forgot and has no part any more; null if there is none.
  Command.@Nullable Readmit readmission(TopologyState state, Membership membership) {
    for (MemberEntry member : state.members()) {
      int number = member.number();
      long drawn = stranger(number, state);
      if (drawn != 0 && !member.leaving() && !membership.contains(number) && !membership.joint()) {
        return new Command.Readmit(number, drawn);
      }
    }
    return null;
  }

  /// Whether a member may be given a vote.
  boolean remembers(int member) {
    return lives.getOrDefault(member, -1L) == 0;
  }

  /// Whether nothing is decided without both of these two.
  static boolean pair(Membership membership, int one, int other) {
    List<Integer> both = List.of(Math.min(one, other), Math.max(one, other));
    return membership.voters().equals(both) || membership.outgoing().equals(both);
  }
}
