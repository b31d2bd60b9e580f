package dev.tern.core.quorum;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage;
import org.jspecify.annotations.Nullable;

/// What is sent in place of a message that no frame takes, or that there is no room to keep until
/// it can be sent: small, and it says what became of what was asked.
final class StandIn {
  private StandIn() {}

  /// Null where nobody waits for the message.
  ///
  /// @param why it is not sent itself
  static @Nullable Message of(Message message, String why) {
    return switch (message) {
      case Message.Updated updated ->
          // It may have been carried out: only its answer is missing.
          new Message.Updated(updated.id(), new Unanswered.Unknown(why));
      case Message.Reply reply ->
          new Message.Refused(reply.id(), new Unanswered.Refused(Reason.INVALID, why, 0));
      case Message.Repaired repaired -> {
        // A page that says what is not there must list what is: the next replica is asked for it.
        RepairPage page = repaired.page().unsent();
        yield page == null
            ? null
            : new Message.Repaired(repaired.group(), repaired.partition(), repaired.id(), page);
      }
      case Message.Request request -> null;
      case Message.Repair repair -> null;
      // The question is asked anew.
      case Message.Inquiry inquiry -> null;
    };
  }
}
