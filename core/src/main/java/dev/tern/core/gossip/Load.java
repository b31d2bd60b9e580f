package dev.tern.core.gossip;

/// How loaded a member says it is.
///
/// @param stamp generation and count of the report, see [Incarnation]; a later report has a greater
///   one; 0 before the first
/// @param busyPermille of its processors, 0 to 1000
/// @param diskUsedMebibytes of its data directory's file system
/// @param diskMebibytes the size of that file system
/// @param incomplete partitions whose replica there may lack what another replica has
public record Load(
    long stamp, int busyPermille, long diskUsedMebibytes, long diskMebibytes, int incomplete) {
  /// Nothing was reported.
  public static final Load UNKNOWN = new Load(0, 0, 0, 0, 0);

  /// The same report under another stamp.
  Load stamped(long otherStamp) {
    return new Load(otherStamp, busyPermille, diskUsedMebibytes, diskMebibytes, incomplete);
  }
}
