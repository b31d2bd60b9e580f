package dev.tern.core.replica;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.ValueType;
import org.jspecify.annotations.Nullable;

/// A put, or a delete, that must not be refused and whose outcome nobody asks.
///
/// @param bytes of the value, negative for a delete
/// @param expiryMillis 0 for none
/// @param replaced the dots that it replaces; null where the last write wins
record QuietWrite(int bytes, long expiryMillis, @Nullable DotSet replaced) implements Mutation {
  @Override
  public Draft over(@Nullable Siblings base) {
    ValueType type = bytes < 0 ? ValueType.NONE : ValueType.BYTES;
    byte[] value = bytes < 0 ? null : new byte[bytes];
    return new Draft(type, value, expiryMillis, null, replaced, false);
  }

  @Override
  public void minted(Siblings record, long dot) {
    // Nobody asks.
  }

  @Override
  public void durable() {
    // Nobody waits.
  }

  @Override
  public void refused(Unanswered.Refused why) {
    throw new IllegalStateException(why.toString());
  }
}
