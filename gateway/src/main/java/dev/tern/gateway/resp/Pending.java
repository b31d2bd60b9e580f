package dev.tern.gateway.resp;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.UpdateOutcome;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A request whose reply has not left yet; takes the outcome itself.
final class Pending {
  private final RedisSession session;
  final CommandTable.Kind kind;
  final byte @Nullable [] key;
  private final int hash;
  final long beganNanos;
  @Nullable Reply reply;

  /// What is carried out, for the figures; null if the bytes named no command.
  CommandTable.@Nullable Command command;

  Pending(RedisSession session, CommandTable.Kind kind, byte @Nullable [] key, long beganNanos) {
    this.session = session;
    this.kind = kind;
    this.key = key;
    this.hash = key == null ? 0 : Arrays.hashCode(key);
    this.beganNanos = beganNanos;
  }

  /// Whether `later` must not begin before this is done. Requests of the same kind on a key keep
  /// their order below; others may overtake each other.
  boolean blocks(Pending later) {
    if (reply != null) {
      return false;
    }
    if (kind == CommandTable.Kind.MANY || later.kind == CommandTable.Kind.MANY) {
      return true;
    }
    return key != null
        && later.key != null
        && kind != later.kind
        && hash == later.hash
        && Arrays.equals(key, later.key);
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
