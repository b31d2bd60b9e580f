package dev.tern.gateway.resp;

/// Whose keys `SCAN`, `KEYS` and `DBSIZE` of a connection mean, and whether keys of several slots
/// may share a command.
///
/// Clients of a cluster ask every node and add up, so each node must answer for the slots that it
/// leads; a plain client asks one node and means the whole keyspace. Both open the same
/// connections. A connection is taken for a cluster client's
/// - when it has asked who has which slots (`CLUSTER SLOTS`, `SHARDS`, `NODES`, `READONLY`,
///   `READWRITE`, `ASKING`), or said so (`TERN.MODE CLUSTER`);
/// - or when it goes by the slots: it has named keys of [#ENOUGH_SLOTS] different slots that this
///   node leads, and hardly any other. A plain client of three nodes does so by chance once in
///   500,000 times.
///
/// Otherwise it means the whole keyspace: a cluster client that scans over a connection which has
/// not named keys yet is told each key several times, which `SCAN` allows; a plain client is never
/// told a part without knowing.
///
/// One loop.
final class ConnectionMode {
  /// Different slots, modulo 64, that tell a client that goes by the slots.
  static final int ENOUGH_SLOTS = 12;

  /// Keys of other nodes' slots are at most one in so many: a map of the slots may be out of date.
  private static final int RARELY = 8;

  /// All keys are looked at until there are so many, then one in [#SAMPLED].
  private static final int LOOKED_AT = 64;

  private static final int SAMPLED = 16;

  private enum Said {
    NOTHING,
    CLUSTER,
    SINGLE
  }

  private Said said = Said.NOTHING;
  private long slotsLedHere;
  private int ledHere;
  private int ledElsewhere;
  private int keys;

  /// The client says which it is.
  void choose(boolean cluster) {
    said = cluster ? Said.CLUSTER : Said.SINGLE;
  }

  /// The client has asked what only clients of a cluster ask.
  void askedForSlots() {
    if (said == Said.NOTHING) {
      said = Said.CLUSTER;
    }
  }

  void reset() {
    said = Said.NOTHING;
    slotsLedHere = 0;
    ledHere = 0;
    ledElsewhere = 0;
    keys = 0;
  }

  /// Whether the next key that is named should be told to [#named].
  boolean wantsKey() {
    return said == Said.NOTHING && (keys++ < LOOKED_AT || keys % SAMPLED == 0);
  }

  /// A command named a key.
  ///
  /// @param ledHere whether this node is the slot's first live replica
  void named(int slot, boolean ledHere) {
    if (ledHere) {
      slotsLedHere |= 1L << slot;
      this.ledHere++;
    } else {
      ledElsewhere++;
    }
    if (this.ledHere + ledElsewhere >= LOOKED_AT) {
      this.ledHere /= 2;
      ledElsewhere /= 2;
    }
    if (ledElsewhere > this.ledHere) {
      slotsLedHere = 0;
    }
  }

  /// Whether commands on all keys mean those of this node's slots.
  boolean meansThisNode() {
    return switch (said) {
      case CLUSTER -> true;
      case SINGLE -> false;
      case NOTHING ->
          Long.bitCount(slotsLedHere) >= ENOUGH_SLOTS && ledElsewhere * RARELY <= ledHere;
    };
  }

  /// Whether keys of different slots in one command are refused, as Redis Cluster does.
  boolean refusesManySlots() {
    return said == Said.CLUSTER;
  }

  /// Whether the client is told that this is a cluster.
  ///
  /// @param members of the cluster
  boolean isCluster(int members) {
    return said == Said.CLUSTER || said == Said.NOTHING && members > 1;
  }
}
