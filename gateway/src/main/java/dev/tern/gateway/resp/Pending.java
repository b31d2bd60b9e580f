package dev.tern.gateway.resp;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.UpdateOutcome;
import org.jspecify.annotations.Nullable;

/// A request whose reply has not left yet; takes the outcome itself.
final class Pending {
  private final RedisSession session;
  final long beganNanos;
  @Nullable Reply reply;

  /// What is carried out, for the figures; null if the bytes named no command.
  final CommandTable.@Nullable Command command;

  Pending(RedisSession session, CommandTable.@Nullable Command command, long beganNanos) {
    this.session = session;
    this.command = command;
    this.beganNanos = beganNanos;
  }

  void finish(Reply answer) {
    reply = answer;
    session.answered(this);
  }

  Completion<ReadOutcome> reading(KeyTask task) {
    return outcome ->
        finish(
            switch (outcome) {
              case ReadOutcome.Found found -> {
                session.statistics.lookedUp(true);
                yield task.onRead().apply(found);
              }
              case ReadOutcome.Missing missing -> {
                session.statistics.lookedUp(false);
                yield task.onRead().apply(null);
              }
              case Unanswered why -> Errors.of(why);
            });
  }

  Completion<UpdateOutcome> updating(KeyTask task) {
    return outcome ->
        finish(
            switch (outcome) {
              case UpdateOutcome.Done done -> task.onDone().apply(done);
              case UpdateOutcome.Rejected rejected -> Errors.of(rejected.why());
              case UpdateOutcome.Stored stored -> throw Errors.unasked(stored);
              case Unanswered why -> Errors.of(why);
            });
  }
}
