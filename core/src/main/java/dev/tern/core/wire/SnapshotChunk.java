package dev.tern.core.wire;

import dev.tern.core.version.DotSet;
import dev.tern.core.version.Stamp;

/// Rows of a partition as one replica has them at one moment, in the order of their families and
/// keys. All chunks of a snapshot are of the same moment, so they are told its clock only once, by
/// each: a row may lack what that clock says of it.
///
/// @param answer what kind of answer it is
/// @param session by which the sender knows the snapshot; 0 where there is none
/// @param clock of the moment: what the rows have, or have replaced
/// @param trimmed of these, the dots without a row in the log of dots
/// @param floor the greatest stamp of a delete that was stripped
/// @param family that the rows are of: its place among those that a snapshot has
/// @param rows one after the other: varint bytes of the key, key, varint bytes of the value, value
/// @param next where the snapshot goes on: u8 family, key; empty if there is no more
@SuppressWarnings("ArrayRecordComponent") // Compared by nobody.
public record SnapshotChunk(
    Answer answer,
    long session,
    DotSet clock,
    DotSet trimmed,
    Stamp floor,
    int family,
    byte[] rows,
    byte[] next) {
  private static final byte[] NOTHING = {};

  /// What a chunk says besides its rows.
  public enum Answer {
    /// What was asked for.
    ROWS,
    /// Nothing, as clients of the replica that was asked would wait: ask it again in a moment.
    LATER,
    /// Nothing, as there is no such snapshot, or it cannot be read: begin anew, or ask for pages.
    NONE
  }

  /// An answer without rows.
  public static SnapshotChunk without(Answer answer, long session) {
    DotSet none = new DotSet();
    return new SnapshotChunk(answer, session, none, none, Stamp.NONE, 0, NOTHING, NOTHING);
  }
}
