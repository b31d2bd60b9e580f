package dev.tern.core.wire;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What shards of different nodes say to each other. Requests carry the sender's epoch; answers
/// carry the request's id.
public sealed interface Message {

  /// A message that wants a [Reply].
  sealed interface Request extends Message {
    long id();

    long epoch();
  }

  /// A request of one key.
  sealed interface Keyed extends Request {
    /// The key, as whoever asks hashed it.
    RoutedKey at();

    default int keyspace() {
      return at().keyspace();
    }

    default int slot() {
      return at().slot();
    }

    default byte[] key() {
      return at().key();
    }
  }

  /// An answer to a request; each kind of request has its own.
  sealed interface Reply extends Message {
    long id();
  }

  /// Answers [Read] and [ReadHeld], and each [Write] that repairs what a read found.
  sealed interface ReadReply extends Reply {}

  /// Answers [Write] and [Hold].
  sealed interface WriteReply extends Reply {}

  /// Answers [Forward].
  sealed interface ForwardReply extends Reply {}

  /// Answers [Scan].
  sealed interface ScanReply extends Reply {}

  /// Answers [Count].
  sealed interface CountReply extends Reply {}

  /// Store this record, as far as it is news; with siblings it is filled.
  ///
  /// @param ballot of the leader whose update it is, see `Ballots`; 0 for any other record
  record Write(long id, long epoch, RoutedKey at, Siblings record, long ballot) implements Keyed {
    /// A write that stands under no ballot.
    public Write(long id, long epoch, RoutedKey at, Siblings record) {
      this(id, epoch, at, record, 0);
    }
  }

  /// Hold this record for a replica that is away.
  record Hold(long id, long epoch, RoutedKey at, Siblings record, int target) implements Keyed {}

  /// Tell what is held of this key for a replica that is away.
  record ReadHeld(long id, long epoch, RoutedKey at, int target) implements Keyed {}

  /// Tell the record of this key, or only its digest.
  ///
  /// @param alone whether this replica's word is enough for whoever asks
  /// @param confirmed whether an update that a later leader may replace shall not be shown: then
  ///   the answer is [Outvoted]
  /// @param ballot of the leader who reads it as the base of an update; 0 for any other read
  /// @param floor of that leader: the replica learns it before it answers, and where its own one is
  ///   higher and an update would stand on that, it tells its own one in place of the record
  record Read(
      long id,
      long epoch,
      RoutedKey at,
      boolean digest,
      boolean alone,
      boolean confirmed,
      long ballot,
      Stamp floor)
      implements Keyed {
    /// Without a floor.
    public Read(
        long id,
        long epoch,
        RoutedKey at,
        boolean digest,
        boolean alone,
        boolean confirmed,
        long ballot) {
      this(id, epoch, at, digest, alone, confirmed, ballot, Stamp.NONE);
    }
  }

  /// Coordinate this update.
  record Forward(long id, long epoch, RoutedKey at, Update update, Level level) implements Keyed {}

  /// Tell keys from a cursor on.
  record Scan(long id, long epoch, int keyspace, long cursor, int limit) implements Request {}

  /// Tell how many records there are in some partitions. Who asks says which ones, so that each is
  /// counted once, whatever others believe of who lives.
  ///
  /// @param partitions by number; shared, do not change
  record Count(long id, long epoch, int keyspace, BitSet partitions) implements Request {}

  /// What replicas of a partition say to each other on their own account.
  sealed interface Repair extends Message {
    /// Of its replicas, see [dev.tern.core.topology.ReplicaGroups#number].
    int group();

    int partition();
  }

  /// What the sender has on disk of a partition.
  ///
  /// @param wanted whether the receiver shall say the same of itself at once
  /// @param floor the greatest stamp of a delete that was stripped there
  /// @param trimmed the dots that are gone from its log of dots; null where nobody asked
  /// @param forgotten whether the receiver has told the sender of dots that it has no more
  /// @param ballot the highest that the sender has heard of, 0 for none
  record Clock(
      int group,
      int partition,
      boolean wanted,
      DotView clock,
      Stamp floor,
      @Nullable DotView trimmed,
      boolean forgotten,
      long ballot)
      implements Repair {
    /// Without a ballot.
    public Clock(
        int group,
        int partition,
        boolean wanted,
        DotView clock,
        Stamp floor,
        @Nullable DotView trimmed,
        boolean forgotten) {
      this(group, partition, wanted, clock, floor, trimmed, forgotten, 0);
    }
  }

  /// What the sender, a replica of the old list, had when it began to go by an entry that is being
  /// filled, on disk or not; it has taken no write of an earlier entry since.
  ///
  /// @param epoch of the entry
  record Barrier(int group, int partition, long epoch, DotView clock) implements Repair {}

  /// Send the records of these dots.
  ///
  /// @param id of this exchange
  /// @param cursor of a rebuild, which sends all records; empty to begin one, null for none
  record Missing(int group, int partition, long id, DotSet dots, byte @Nullable [] cursor)
      implements Repair {}

  /// Some of them; ask for the rest.
  record Repaired(int group, int partition, long id, RepairPage page) implements Repair {}

  /// Send rows of the partition, of a moment that stays the same.
  ///
  /// @param id of this exchange
  /// @param session as a chunk before said, 0 to begin
  /// @param cursor as a chunk before said, empty to begin
  record AskChunk(int group, int partition, long id, long session, byte[] cursor)
      implements Repair {}

  /// Some of them; ask for the rest.
  record Chunk(int group, int partition, long id, SnapshotChunk chunk) implements Repair {}

  /// What the sender's records of a partition come to.
  ///
  /// @param id of this exchange
  /// @param root of its hash tree
  record Root(int group, int partition, long id, long root) implements Repair {}

  /// What the sender's come to in turn.
  ///
  /// @param known whether that can be told now; else ask another time
  /// @param hashes by segment of the hash tree; none if the roots are the same
  record Segments(int group, int partition, long id, boolean known, long[] hashes)
      implements Repair {}

  /// Send the records of a range that are not among these, as [Repaired].
  ///
  /// @param hashes of the sender's records there
  record Listed(int group, int partition, long id, TreeRange range, long[] hashes)
      implements Repair {}

  /// What a shard asks the shards of all members before it strips deletes, and what they answer.
  sealed interface Inquiry extends Message {
    long id();
  }

  /// A partition of a group.
  record Asked(int group, int partition) {}

  /// Tell of each of these partitions whether writes of it are held, or minted away and on their
  /// way, or lie at a member that was a replica of it and may have some that no replica has.
  ///
  /// @param epoch of the sender's topology: a member that goes by an older one does not know what
  ///   it has left. 0 where the sender does not tell it, as before level 5
  record AskHeld(long id, long epoch, List<Asked> about) implements Inquiry {}

  /// By partition, in the order of the question: 0 nothing, 1 something, 2 another shard knows.
  record Holds(long id, byte[] states) implements Inquiry {}

  /// Stored, durably.
  ///
  /// @param pressure how full the memtables there are: 0 up to half, 255 where they take no more
  record Written(long id, int pressure) implements ReadReply, WriteReply {}

  /// Not stored: a version that wins is there.
  ///
  /// @param by that version; for an update it may be another update of the same version, which is
  ///   here or was until now: then two replicas led
  record Superseded(long id, Rank by) implements ReadReply, WriteReply {}

  /// The record at this replica, null for none.
  record Value(long id, @Nullable Siblings record) implements ReadReply {}

  /// Of the newest version the rank, absent for none; with siblings, a hash of their dots as time
  /// and counter and their number as replica.
  record Digest(long id, Rank rank) implements ReadReply {
    /// The rank that a replica answers with for what it has.
    public static Rank of(@Nullable Siblings record, Resolution resolution) {
      if (resolution == Resolution.LWW || record == null || record.isEmpty()) {
        return Rank.of(record, Stamp.NONE);
      }
      // As a rank must be: a time below Stamp#MAX_TIME, a counter above 0.
      long hash = record.digest() >>> 2 | 1;
      return new Rank(Stamp.put(hash, record.count()), record.count(), hash);
    }
  }

  /// Nothing was done: a higher ballot was promised to another leader.
  record Outvoted(long id, long by) implements ReadReply, WriteReply {}

  /// What became of a forwarded update.
  record Updated(long id, UpdateOutcome outcome) implements ForwardReply {}

  record Scanned(long id, ScanPage page) implements ScanReply {}

  record Counted(long id, CountOutcome.Count count) implements CountReply {}

  /// Nothing was done; answers every kind of request.
  record Refused(long id, Unanswered.Refused why)
      implements ReadReply, WriteReply, ForwardReply, ScanReply, CountReply {}
}
