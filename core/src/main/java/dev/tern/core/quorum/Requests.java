package dev.tern.core.quorum;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.Topology;
import dev.tern.core.wire.RoutedKey;
import dev.tern.env.DecodeException;
import org.jspecify.annotations.Nullable;

/// What a client asks of a key, as the replicas of that key and how many of them must answer; and
/// why it cannot be served, where it cannot.
///
/// Threads: the shard's loop.
final class Requests {
  private final ShardContext context;
  private final PreferenceLists lists;

  Requests(ShardContext context, PreferenceLists lists) {
    this.context = context;
    this.lists = lists;
  }

  /// What a request of a level comes to; null if there are not so many replicas, or no keyspace.
  ///
  /// @param slot of the key
  @Nullable Request of(KeyspaceConfig keyspace, int slot, byte[] key, Level wanted) {
    Level level = wanted.atomic() ? wanted.strict() : wanted;
    Topology topology = lists.view().topology(keyspace.id());
    if (topology == null) {
      return null;
    }
    int partition = topology.partitionOf(slot);
    ReplicaSet replicas = topology.replicaSet(partition).serving();
    if (level.n() > 0) {
      replicas = replicas.first(level.n());
    }
    int n = replicas.readSize();
    int reading = level.readsLocally() ? lists.near(replicas.readers()) : n;
    // Of each list there are so many votes, or all where it is shorter: see Quorum.
    int longest = replicas.longest();
    int writing = level.writesLocally() ? lists.near(replicas.readers()) : longest;
    int r = level.reads(keyspace.r(), reading);
    int w = level.writes(keyspace.w(), writing);
    if (level.atomic()) {
      r = Math.max(Math.max(r, n / 2 + 1), n - Math.min(keyspace.w(), n) + 1);
    }
    boolean stampsFirst = level.w() == Level.ATOMIC;
    if (stampsFirst) {
      w = Math.max(w, longest - Math.min(keyspace.r(), longest) + 1);
    }
    if (r > reading || w > writing) {
      return null;
    }
    int timeout = level.timeoutMillis() == 0 ? keyspace.timeoutMillis() : level.timeoutMillis();
    int set = java.util.Objects.requireNonNull(lists.view().groups(keyspace.id())).number();
    return new Request(
        keyspace,
        new RoutedKey(set, slot, keyspace.id(), key),
        replicas,
        topology.epoch(partition),
        r,
        w,
        level.pw(),
        level.writesLocally() ? w : 0,
        level.sloppy(),
        level.pr(),
        stampsFirst,
        context.nowNanos() + timeout * 1_000_000L);
  }

  /// The same request by what holds now of its partition: itself if nothing else does; null if the
  /// keyspace is gone.
  @Nullable Request now(Request request) {
    Topology topology = lists.view().topology(request.keyspace().id());
    if (topology == null) {
      return null;
    }
    int partition = topology.partitionOf(request.slot());
    long epoch = topology.epoch(partition);
    return epoch == request.epoch()
        ? request
        : request.by(topology.replicaSet(partition).serving(), epoch);
  }

  /// Why there is no request of a level.
  Unanswered.Refused refuse(KeyspaceConfig keyspace, Level level) {
    Topology topology = lists.view().topology(keyspace.id());
    if (topology == null) {
      return dropped(keyspace);
    }
    context.count(Statistics.Counter.REFUSED_OTHER);
    if (level.readsLocally() || level.writesLocally()) {
      return new Unanswered.Refused(
          Reason.UNAVAILABLE,
          "the datacenter of this node has too few replicas of the key for a local level",
          0);
    }
    return new Unanswered.Refused(Reason.INVALID, tooMany(topology.replicaSet(0).size(), level), 0);
  }

  Unanswered.Refused dropped(KeyspaceConfig keyspace) {
    context.count(Statistics.Counter.REFUSED_OTHER);
    return new Unanswered.Refused(
        Reason.INVALID, "there is no keyspace " + keyspace.name() + " any more", 0);
  }

  private static String tooMany(int held, Level level) {
    int asked = level.n() == 0 ? held : Math.min(level.n(), held);
    int read = Math.max(level.r(), level.pr());
    int most = Math.max(read, Math.max(level.w(), Math.max(level.pw(), level.dw())));
    String which =
        most == level.r() ? "R" : most == level.w() ? "W" : most == read ? "PR" : "PW or DW";
    return "%s=%d is more than the replicas of a key that are asked: %d"
        .formatted(which, most, asked);
  }

  /// Why a keyspace does not take an update at a level, null if it does.
  Unanswered.@Nullable Refused unfit(
      KeyspaceConfig keyspace, byte[] key, Update update, Level level) {
    if (level.atomic() && keyspace.resolution() == Resolution.SIBLINGS) {
      return notAtomic(keyspace);
    }
    if (update instanceof Update.Store store) {
      return unsealed(keyspace, key, store);
    }
    return keyspace.resolution() == Resolution.LWW
        ? null
        : new Unanswered.Refused(
            Reason.INVALID,
            "keyspace %s keeps siblings: it takes writes with a context only"
                .formatted(keyspace.name()),
            0);
  }

  private Unanswered.@Nullable Refused unsealed(
      KeyspaceConfig keyspace, byte[] key, Update.Store store) {
    if (context.planted() == PlantedBug.CONTEXT_NOT_SEALED) {
      return null;
    }
    try {
      scope(keyspace, key).unseal(store.context());
      return null;
    } catch (DecodeException e) {
      return new Unanswered.Refused(
          Reason.INVALID, "the context is not one of this key: " + e.getMessage(), 0);
    }
  }

  /// What contexts of a key are sealed for.
  ContextScope scope(KeyspaceConfig keyspace, byte[] key) {
    return new ContextScope(lists.view().state().cluster(), keyspace.id(), key);
  }

  static Unanswered.Refused notAtomic(KeyspaceConfig keyspace) {
    return new Unanswered.Refused(
        Reason.INVALID,
        "keyspace %s keeps siblings: LINEARIZABLE is for keyspaces where the last write wins"
            .formatted(keyspace.name()),
        0);
  }
}
