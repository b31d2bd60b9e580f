package dev.tern.core.quorum;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a read has asked of each place of the replica list, and what they come to together.
///
/// Threads: the shard's loop.
final class Answers {
  private final @Nullable Ask[] asks;

  /// The places that the read may ask, a bit for each.
  private final long readPlaces;

  Answers(ReplicaSet replicas) {
    this.asks = new Ask[replicas.size()];
    this.readPlaces = replicas.readPlaces();
  }

  int size() {
    return asks.length;
  }

  /// Null where nothing was asked yet.
  @Nullable Ask ask(int place) {
    return asks[place];
  }

  /// What was or will be asked at a place.
  Ask at(int place) {
    Ask ask = asks[place];
    if (ask == null) {
      ask = new Ask();
      asks[place] = ask;
    }
    return ask;
  }

  private Rank rank(int place) {
    return java.util.Objects.requireNonNull(at(place).rank);
  }

  /// The places in a state, a bit for each.
  long places(Ask.State state) {
    long places = 0;
    for (int place = 0; place < asks.length; place++) {
      places |= is(place, state) ? Quorum.bit(place) : 0;
    }
    return places;
  }

  boolean is(int place, Ask.State state) {
    Ask ask = asks[place];
    return ask != null && ask.state == state;
  }

  /// The places for which other nodes answer, a bit for each.
  long standIns() {
    long places = 0;
    for (int place = 0; place < asks.length; place++) {
      places |= isStoodIn(place) ? Quorum.bit(place) : 0;
    }
    return places;
  }

  boolean isStoodIn(int place) {
    Ask ask = asks[place];
    return ask != null && ask.isStoodIn();
  }

  /// By place: the node that answers for the replica there, 0 for itself.
  int[] standInNodes() {
    int[] nodes = new int[asks.length];
    for (int place = 0; place < nodes.length; place++) {
      Ask ask = asks[place];
      nodes[place] = ask == null ? 0 : ask.standIn;
    }
    return nodes;
  }

  /// The place that a node answers for in place of its replica, -1 if none.
  int placeOfStandIn(int node) {
    for (int place = 0; place < asks.length; place++) {
      Ask ask = asks[place];
      if (ask != null && ask.standIn == node) {
        return place;
      }
    }
    return -1;
  }

  /// Of those that answered the one whose version wins; of several, one whose record is known.
  int newest() {
    int newest = -1;
    assert places(Ask.State.ANSWERED) != 0 : "the newest of no answers";
    for (int place = 0; place < asks.length; place++) {
      if (is(place, Ask.State.ANSWERED)) {
        int order = newest < 0 ? 1 : rank(place).compareTo(rank(newest));
        if (order > 0 || order == 0 && at(place).record != null) {
          newest = place;
        }
      }
    }
    return newest;
  }

  /// Whether all that answered have the same as the one at a place.
  boolean areAll(int sample) {
    boolean alike = true;
    for (int place = 0; place < asks.length; place++) {
      alike &= !is(place, Ask.State.ANSWERED) || rank(place).sameAs(rank(sample));
    }
    return alike;
  }

  /// The places that answered for themselves and have something else, a bit for each.
  long lacking(Rank rank) {
    long lacking = 0;
    for (int place = 0; place < asks.length; place++) {
      boolean own = is(place, Ask.State.ANSWERED) && !isStoodIn(place);
      lacking |= own && !rank(place).sameAs(rank) ? Quorum.bit(place) : 0;
    }
    return lacking;
  }

  /// The records of all that answered, merged; at least one is known.
  Siblings merged() {
    Siblings merged = null;
    for (int place = 0; place < asks.length; place++) {
      Siblings record = is(place, Ask.State.ANSWERED) ? at(place).record : null;
      if (record != null) {
        merged = merged == null ? record : Siblings.merged(merged, record);
      }
    }
    return java.util.Objects.requireNonNull(merged);
  }

  /// What a client is told where too few answered.
  Unanswered.Refused tooFew(Request request, Refusals refusals) {
    List<Integer> missing = new ArrayList<>();
    for (int place = 0; place < asks.length; place++) {
      if ((readPlaces & Quorum.bit(place)) != 0 && !is(place, Ask.State.ANSWERED)) {
        missing.add(request.replicas().member(place));
      }
    }
    int asked = Long.bitCount(readPlaces);
    int answered = asked - missing.size();
    String why =
        "%d of %d replicas answered, the read needs %d; no answer of nodes %s"
            .formatted(answered, asked, request.r(), missing);
    return refusals.tell(why, new Unanswered.Shortfall(request.r(), answered, missing));
  }
}
