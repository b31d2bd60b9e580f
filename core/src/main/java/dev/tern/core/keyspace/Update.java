package dev.tern.core.keyspace;

import dev.tern.core.version.ValueType;
import org.jspecify.annotations.Nullable;

/// One change of one key. All but the unconditional [Put] and [Store] read before they write; the
/// first live replica of the key carries these out. What that promises: docs/consistency.md,
/// "Updates".
public sealed interface Update {

  /// Whether it can be done without a look at what is there.
  default boolean blind() {
    return false;
  }

  /// Sets the value, plain bytes.
  ///
  /// @param expiryMillis wall-clock milliseconds at which it goes, [#NO_EXPIRY] for never,
  ///   [#KEEP_EXPIRY] for that of the value before
  /// @param condition what must hold, or nothing is changed
  /// @param returnPrevious whether [UpdateOutcome.Done#value] shall be the live value before
  record Put(byte[] value, long expiryMillis, Condition condition, boolean returnPrevious)
      implements Update {

    @Override
    public boolean blind() {
      return condition == Condition.NONE && !returnPrevious && expiryMillis != KEEP_EXPIRY;
    }
  }

  /// Writes a version, or deletes, in place of the versions that the writer has seen: the one
  /// change that a keyspace with siblings takes. Where the last write wins the context counts only
  /// for the condition.
  ///
  /// @param type of the value, [ValueType#NONE] to delete
  /// @param value null to delete
  /// @param expiryMillis wall-clock milliseconds at which it goes, [#NO_EXPIRY] for never
  /// @param context of an earlier answer, empty for none: what that answer showed is replaced
  /// @param overwrites whether what the replica that writes has is replaced, too: then siblings
  ///   come only of writes at different replicas
  /// @param match what must hold, or nothing is changed
  /// @param returnVersions whether [UpdateOutcome.Stored#versions] is wanted
  record Store(
      ValueType type,
      byte @Nullable [] value,
      long expiryMillis,
      byte[] context,
      boolean overwrites,
      Match match,
      boolean returnVersions)
      implements Update {
    public Store {
      if ((value == null) != (type == ValueType.NONE)) {
        throw new IllegalArgumentException(type + " of a value or of none");
      }
    }

    /// Of plain bytes, or a delete.
    public Store(
        byte @Nullable [] value,
        long expiryMillis,
        byte[] context,
        boolean overwrites,
        Match match,
        boolean returnVersions) {
      this(
          value == null ? ValueType.NONE : ValueType.BYTES,
          value,
          expiryMillis,
          context,
          overwrites,
          match,
          returnVersions);
    }

    @Override
    public boolean blind() {
      return match == Match.NONE;
    }
  }

  /// What must hold for a [Store].
  enum Match {
    NONE,
    /// The key has no value.
    ABSENT,
    /// The context has seen everything that is there.
    UNMODIFIED
  }

  /// Removes the key. [UpdateOutcome.Done#existed] tells whether it was there.
  record Delete(boolean returnPrevious) implements Update {}

  /// Adds to a decimal integer of 64 bits (0 if missing), keeps the expiry, returns the new value.
  record Add(long delta) implements Update {}

  /// Adds to a decimal fraction (0 if missing), keeps the expiry, returns the new value.
  ///
  /// @param delta plain or scientific notation, as the client sent it and the door checked it
  record AddDecimal(String delta) implements Update {}

  /// Appends to the value (empty if missing), keeps the expiry, returns the new value.
  record Append(byte[] suffix) implements Update {}

  /// Changes the expiry of a live value and returns the value; a time that has passed removes the
  /// key. `applied` is false if the key is missing or nothing changed.
  ///
  /// @param expiryMillis wall-clock milliseconds, or [#NO_EXPIRY] to keep it for ever
  /// @param condition what must hold of the expiry before, or nothing is changed
  record Expire(long expiryMillis, ExpiryCondition condition) implements Update {}

  /// No expiry.
  long NO_EXPIRY = 0;

  /// Changes nothing, whatever is there: no expiry is earlier than none. As an update it has a
  /// round of the key's leader, after which no update of an earlier leader replaces what is there.
  static Update identity() {
    return new Expire(NO_EXPIRY, ExpiryCondition.EARLIER_THAN_NEW);
  }

  /// The expiry that the value had before.
  long KEEP_EXPIRY = -1;

  /// What must hold for an [Expire]; no expiry is later than any.
  enum ExpiryCondition {
    NONE,
    ABSENT,
    PRESENT,
    EARLIER_THAN_NEW,
    LATER_THAN_NEW,
    PRESENT_AND_LATER_THAN_NEW;

    boolean holds(long before, long wanted) {
      boolean present = before != NO_EXPIRY;
      return switch (this) {
        case NONE -> true;
        case ABSENT -> !present;
        case PRESENT -> present;
        case EARLIER_THAN_NEW -> present && before < wanted;
        case LATER_THAN_NEW -> !present || before > wanted;
        case PRESENT_AND_LATER_THAN_NEW -> present && before > wanted;
      };
    }
  }

  /// What must hold for a [Put].
  enum Condition {
    NONE,
    ABSENT,
    PRESENT
  }
}
