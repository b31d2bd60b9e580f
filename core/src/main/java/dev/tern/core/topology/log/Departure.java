package dev.tern.core.topology.log;

import dev.tern.core.topology.Command;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyState;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// A member that leaves asks for its removal itself, once it holds nothing for others any more. For
/// one that is not live the leader does, see [Voting#removal].
///
/// Threads: the loop.
final class Departure {
  private final int self;
  private final BooleanSupplier empty;
  private boolean asking;

  /// @param empty whether this node holds nothing that others wait for
  Departure(int self, BooleanSupplier empty) {
    this.self = self;
    this.empty = empty;
  }

  /// Now and then.
  ///
  /// @param log where the removal is proposed; tells [#asked] in the end
  void beat(TopologyState known, Consumer<Proposed> log) {
    MemberEntry own = known.member(self);
    boolean free = !known.holds(self) && !known.voters().contains(self);
    if (!asking && own != null && own.leaving() && free && empty.getAsBoolean()) {
      asking = true;
      log.accept(new Proposed(known.epoch(), new Command.RemoveMember(self)));
    }
  }

  /// The proposal has ended, one way or the other.
  void asked() {
    asking = false;
  }
}
