package dev.tern.core.replica;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import org.jspecify.annotations.Nullable;

/// How large a record, with all its siblings, may become.
///
/// A record travels in one frame: in a write, in an answer to a read, on a page of repair, as a
/// hint. One above the frame's bound would be stored and never leave its replica again. So a write
/// that a client asks for is refused where it is minted ([#refusal]), well below the frame's bound,
/// and what it replaces is counted as gone: whoever has read a record that is too large can write
/// again. What comes from other replicas was acknowledged already and is bounded by the frame alone
/// ([#fits]); only writes that were minted at the same time can together come to that.
public final class RecordBounds {
  /// Of a version besides its value, at most.
  private static final int VERSION_BYTES = 64;

  /// Of a record that a client's write makes: one largest value, or smaller ones.
  private final int writtenBytes;

  /// Of any record: leaves room in a frame for the key, clocks, and the records before it on a
  /// page.
  private final int bytes;

  /// Bounds that follow from that of a frame.
  ///
  /// @param frameBytes of a message between nodes, at most
  public RecordBounds(int frameBytes) {
    this.writtenBytes = frameBytes / 8 * 5;
    this.bytes = frameBytes / 8 * 7;
  }

  /// Why a client's write is not minted; null if it may be.
  ///
  /// @param base what is there
  /// @param replaced the dots that the write replaces; null where the last write wins
  /// @param replicaId of the store that would mint it
  /// @param counter the last one that the store gave out in the partition
  Unanswered.@Nullable Refused refusal(
      @Nullable Siblings base,
      @Nullable DotSet replaced,
      byte @Nullable [] value,
      int replicaId,
      long counter) {
    if (replaced == null) {
      return null;
    }
    if (replaced.highest(replicaId) > counter) {
      return invalid("the context names writes that this store has not seen; read the key again");
    }
    Siblings kept = base == null ? null : base.without(replaced);
    if (kept == null) {
      return null;
    }
    if (kept.count() >= Siblings.MAX) {
      return invalid(
          "the key has %d siblings; read it and write with the context of that read"
              .formatted(kept.count()));
    }
    long bytes = bytes(kept) + VERSION_BYTES + (value == null ? 0 : value.length);
    return bytes > writtenBytes
        ? invalid(
            "the key's siblings would have %d bytes, at most %d fit; read it and write with the context of that read"
                .formatted(bytes, writtenBytes))
        : null;
  }

  /// Whether a record fits a frame.
  public boolean fits(Siblings record) {
    return bytes(record) <= this.bytes;
  }

  /// Why a merged record is not stored.
  Unanswered.Refused tooLarge(Siblings record) {
    return invalid(
        "the key's %d siblings have %d bytes together, at most %d fit; read it and write with the context of that read"
            .formatted(record.count(), bytes(record), this.bytes));
  }

  /// Without its context, which the room beside it in a frame is for.
  private static long bytes(Siblings record) {
    long bytes = (long) record.valueBytes() + (long) record.count() * VERSION_BYTES;
    for (int i = 0; i < record.count(); i++) {
      byte[] extension = record.get(i).extension();
      bytes += extension == null ? 0 : extension.length;
    }
    return bytes;
  }

  private static Unanswered.Refused invalid(String why) {
    return new Unanswered.Refused(Reason.INVALID, why, 0);
  }
}
