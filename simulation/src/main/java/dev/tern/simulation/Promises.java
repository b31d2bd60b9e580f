package dev.tern.simulation;

import dev.tern.core.wire.Message;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What replicas have promised to leaders: a replica that has answered a read under a ballot takes
/// part in no round of a lower one, also after it has lost its power. See
/// [dev.tern.core.replica.Ballots].
///
/// Only requests that arrive in a later life of the node than the promise are looked at: within one
/// life an answer under a lower ballot may be on its way already.
final class Promises {
  /// Requests whose answers are waited for, at most.
  private static final int MAX_ASKED = 10_000;

  /// A replica and a key, with its keyspace.
  private record At(int node, String key) {}

  /// A ballot, and in which life of the node it was promised.
  private record Promise(long ballot, int life) {}

  /// A request of a member to another one.
  private record Asked(int from, int to, long id) {}

  /// Of a leader's read or write.
  private record Round(At at, long ballot, int life, boolean reads) {}

  /// By node: how often it was started.
  private final int[] lives;

  private final Map<At, Promise> promises = new LinkedHashMap<>();
  private final Map<Asked, Round> rounds = new LinkedHashMap<>();

  /// Nodes that may forget what they promised: their disks are not what they were.
  private final Set<Integer> forgetful = new LinkedHashSet<>();

  Promises(int nodes) {
    this.lives = new int[nodes + 1];
  }

  void started(int node) {
    lives[node]++;
  }

  /// A node's disk is lost, set back, or rots.
  void mayForget(int node) {
    forgetful.add(node);
  }

  /// What a node is about to receive.
  void arrived(int from, int to, @Nullable Message message) {
    switch (message) {
      case Message.Read m when m.ballot() > 0 -> asked(from, to, m, m.ballot(), true);
      case Message.Write m when m.ballot() > 0 -> asked(from, to, m, m.ballot(), false);
      case null, default -> {}
    }
  }

  private void asked(int from, int to, Message.Keyed message, long ballot, boolean reads) {
    if (rounds.size() >= MAX_ASKED) {
      rounds.remove(rounds.keySet().iterator().next());
    }
    String key = message.keyspace() + "/" + java.util.Arrays.toString(message.key());
    Round round = new Round(new At(to, key), ballot, lives[to], reads);
    rounds.put(new Asked(from, to, message.id()), round);
  }

  /// What a node sends: an answer, perhaps.
  void sent(int from, int to, @Nullable Message message) {
    switch (message) {
      case Message.Value m -> answered(from, to, m.id());
      case Message.Digest m -> answered(from, to, m.id());
      case Message.Written m -> answered(from, to, m.id());
      case null, default -> {}
    }
  }

  private void answered(int by, int asker, long id) {
    Round round = rounds.get(new Asked(asker, by, id));
    if (round == null || forgetful.contains(by) || round.life() != lives[by]) {
      return;
    }
    Promise promise = promises.get(round.at());
    if (promise != null && promise.life() < round.life() && round.ballot() < promise.ballot()) {
      throw new History.Violation(
          "node %d promised ballot %x to a leader, and answers one of ballot %x after a restart"
              .formatted(by, promise.ballot(), round.ballot()));
    }
    if (round.reads() && (promise == null || promise.ballot() < round.ballot())) {
      promises.put(round.at(), new Promise(round.ballot(), lives[by]));
    }
  }
}
