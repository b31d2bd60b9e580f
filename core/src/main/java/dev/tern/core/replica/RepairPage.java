package dev.tern.core.replica;

import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import java.util.List;

/// Records that another replica lacks, and what it may claim once it has them.
///
/// @param clock of the replica that sends, as far as it is on disk: it fills the records
/// @param covered the dots that the receiver has, or has what replaced them, with these records;
///   none on the pages of a rebuild, which has them when it is done
/// @param next where a rebuild goes on, empty if there is no more
/// @param rebuild the log of dots does not reach back so far: ask for everything
/// @param records as they are stored
public record RepairPage(
    DotSet clock, DotSet covered, byte[] next, boolean rebuild, List<RepairRecord> records) {
  /// There is no more.
  static final byte[] DONE = {};

  /// One record.
  public record RepairRecord(int keyspace, byte[] key, Siblings record) {}
}
