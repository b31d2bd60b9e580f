package dev.tern.raft;

/// How a member of a group behaves. All members should agree on the ticks.
///
/// @param id this member's number, 1 or more
/// @param electionTicks a follower that hears nothing for this long, and up to as long again by
///   chance, asks for votes; and it votes for nobody for this long after it heard its leader
/// @param heartbeatTicks a leader is heard from at least this often
/// @param leaseTicks for how long an acknowledged round lets a leader answer reads alone; 0 for no
///   leases. Safe while the clocks of two members differ by less than a factor of `(electionTicks -
///   1) / leaseTicks`
/// @param maxMessageBytes of entries in one message; one entry may be larger
/// @param maxInflightBytes of entries sent to a follower and not acknowledged
/// @param maxUncommittedBytes of entries proposed and not committed; more are refused
/// @param maxApplyBytes of entries handed out to be applied at once; one entry may be larger
/// @param chunkBytes of a snapshot in one message
/// @param maxPendingReads reads waiting at a member; more are refused
/// @param bug planted by tests
public record RaftConfig(
    int id,
    int electionTicks,
    int heartbeatTicks,
    int leaseTicks,
    int maxMessageBytes,
    int maxInflightBytes,
    int maxUncommittedBytes,
    int maxApplyBytes,
    int chunkBytes,
    int maxPendingReads,
    RaftBug bug) {
  public RaftConfig {
    if (id < 1) {
      throw new IllegalArgumentException("a member's number must be 1 or more, not " + id);
    }
    if (heartbeatTicks < 1 || electionTicks <= heartbeatTicks) {
      throw new IllegalArgumentException(
          "electionTicks (%d) must exceed heartbeatTicks (%d), which must be 1 or more"
              .formatted(electionTicks, heartbeatTicks));
    }
    if (leaseTicks < 0 || leaseTicks >= electionTicks) {
      throw new IllegalArgumentException(
          "leaseTicks (%d) must be below electionTicks (%d)".formatted(leaseTicks, electionTicks));
    }
  }

  /// Elections after 10 to 20 ticks, leases of 7 (clocks may differ by 28 %), messages of 256 KiB.
  public static RaftConfig defaults(int id) {
    return new RaftConfig(
        id, 10, 1, 7, 256 << 10, 4 << 20, 64 << 20, 1 << 20, 256 << 10, 10_000, RaftBug.NONE);
  }
}
