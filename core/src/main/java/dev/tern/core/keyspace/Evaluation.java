package dev.tern.core.keyspace;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.version.ValueType;
import java.math.BigDecimal;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/// What an [Update] makes of a value: a pure function, the same on every node.
///
/// @param outcome what the client is told once the change is durable
/// @param changed whether there is something to write
/// @param type of that value
/// @param value the value to write, null to delete
/// @param expiryMillis its expiry, 0 for never
public record Evaluation(
    UpdateOutcome outcome,
    boolean changed,
    ValueType type,
    byte @Nullable [] value,
    long expiryMillis) {
  /// Digits after the point that an [Update.AddDecimal] keeps, as Redis does.
  private static final int DECIMAL_DIGITS = 17;

  /// Larger magnitudes than an x87 long double holds are refused.
  private static final int MAX_DECIMAL_EXPONENT = 4932;

  /// Applies `update` to the live value (null: missing) with its type and expiry. What is computed
  /// from a value is plain bytes.
  public static Evaluation of(
      Update update,
      ValueType typeBefore,
      byte @Nullable [] before,
      long expiryBefore,
      long wallMillis) {
    return switch (update) {
      case Update.Put put -> put(put, before, expiryBefore);
      case Update.Delete delete ->
          before == null
              ? unchanged(false, null)
              : deleted(done(true, delete.returnPrevious() ? before : null));
      case Update.Add add -> add(add.delta(), before, expiryBefore);
      case Update.AddDecimal add -> addDecimal(add.delta(), before, expiryBefore);
      case Update.Append append -> append(append.suffix(), before, expiryBefore);
      case Update.Expire expire -> expire(expire, typeBefore, before, expiryBefore, wallMillis);
      case Update.Store store -> throw new IllegalArgumentException("needs more than a value");
    };
  }

  private static Evaluation put(Update.Put put, byte @Nullable [] before, long expiryBefore) {
    boolean exists = before != null;
    boolean holds =
        switch (put.condition()) {
          case NONE -> true;
          case ABSENT -> !exists;
          case PRESENT -> exists;
        };
    byte[] returned = put.returnPrevious() ? before : null;
    if (!holds) {
      return unchanged(exists, returned);
    }
    long expiry =
        put.expiryMillis() != Update.KEEP_EXPIRY ? put.expiryMillis() : exists ? expiryBefore : 0;
    return new Evaluation(
        new UpdateOutcome.Done(exists, true, returned), true, ValueType.BYTES, put.value(), expiry);
  }

  private static Evaluation add(long delta, byte @Nullable [] before, long expiryBefore) {
    long present = 0;
    if (before != null) {
      try {
        present = integer(before);
      } catch (NumberFormatException e) {
        return rejected(UpdateOutcome.Why.NOT_AN_INTEGER);
      }
    }
    long sum = present + delta;
    if (((present ^ sum) & (delta ^ sum)) < 0) {
      return rejected(UpdateOutcome.Why.INTEGER_OVERFLOW);
    }
    return replaced(before != null, Long.toString(sum).getBytes(US_ASCII), expiryBefore);
  }

  /// The number that bytes are, as Redis writes one.
  ///
  /// @throws NumberFormatException if they are none, or one of more than 64 bits
  public static long integer(byte[] text) {
    if (!isInteger(text)) {
      throw new NumberFormatException("not an integer");
    }
    return Long.parseLong(new String(text, US_ASCII));
  }

  /// Whether the bytes are a number as Redis writes one: no plus, no leading zero, no `-0`.
  private static boolean isInteger(byte[] text) {
    int digits = text.length > 0 && text[0] == '-' ? 1 : 0;
    if (text.length == digits || text.length > 20) {
      return false;
    }
    if (text[digits] == '0') {
      return text.length == 1;
    }
    for (int i = digits; i < text.length; i++) {
      if (text[i] < '0' || text[i] > '9') {
        return false;
      }
    }
    return true;
  }

  private static Evaluation addDecimal(String delta, byte @Nullable [] before, long expiryBefore) {
    BigDecimal sum;
    try {
      BigDecimal present = before == null ? BigDecimal.ZERO : decimal(new String(before, US_ASCII));
      sum = present.add(decimal(delta)).setScale(DECIMAL_DIGITS, RoundingMode.HALF_EVEN);
    } catch (NumberFormatException e) {
      return rejected(UpdateOutcome.Why.NOT_A_DECIMAL);
    }
    if (sum.precision() - sum.scale() > MAX_DECIMAL_EXPONENT) {
      return rejected(UpdateOutcome.Why.DECIMAL_OVERFLOW);
    }
    String text = sum.signum() == 0 ? "0" : sum.stripTrailingZeros().toPlainString();
    return replaced(before != null, text.getBytes(US_ASCII), expiryBefore);
  }

  private static BigDecimal decimal(String text) {
    if (text.length() > 256) {
      throw new NumberFormatException("longer than any number");
    }
    BigDecimal value = new BigDecimal(text);
    if (Math.abs((long) value.precision() - value.scale()) > MAX_DECIMAL_EXPONENT
        || Math.abs((long) value.scale()) > MAX_DECIMAL_EXPONENT + 256) {
      throw new NumberFormatException("beyond the range of numbers");
    }
    return value;
  }

  private static Evaluation append(byte[] suffix, byte @Nullable [] before, long expiryBefore) {
    int length = before == null ? 0 : before.length;
    if ((long) length + suffix.length > Keyspace.MAX_VALUE_BYTES) {
      return rejected(UpdateOutcome.Why.TOO_LARGE);
    }
    byte[] joined = new byte[length + suffix.length];
    if (before != null) {
      System.arraycopy(before, 0, joined, 0, length);
    }
    System.arraycopy(suffix, 0, joined, length, suffix.length);
    return replaced(before != null, joined, expiryBefore);
  }

  private static Evaluation expire(
      Update.Expire expire,
      ValueType type,
      byte @Nullable [] before,
      long expiryBefore,
      long wallMillis) {
    if (before == null) {
      return unchanged(false, null);
    }
    long expiryMillis = expire.expiryMillis();
    boolean same =
        expire.condition() == Update.ExpiryCondition.NONE && expiryMillis == expiryBefore;
    if (same || !expire.condition().holds(expiryBefore, expiryMillis)) {
      return unchanged(true, before);
    }
    boolean past = expiryMillis != Update.NO_EXPIRY && expiryMillis <= wallMillis;
    UpdateOutcome outcome = done(true, before);
    return past ? deleted(outcome) : new Evaluation(outcome, true, type, before, expiryMillis);
  }

  private static Evaluation deleted(UpdateOutcome outcome) {
    return new Evaluation(outcome, true, ValueType.NONE, null, 0);
  }

  private static UpdateOutcome done(boolean existed, byte @Nullable [] value) {
    return new UpdateOutcome.Done(existed, true, value);
  }

  private static Evaluation replaced(boolean existed, byte[] value, long expiryBefore) {
    long expiry = existed ? expiryBefore : 0;
    return new Evaluation(done(existed, value), true, ValueType.BYTES, value, expiry);
  }

  private static Evaluation unchanged(boolean existed, byte @Nullable [] value) {
    return unchanged(new UpdateOutcome.Done(existed, false, value));
  }

  private static Evaluation unchanged(UpdateOutcome outcome) {
    return new Evaluation(outcome, false, ValueType.NONE, null, 0);
  }

  private static Evaluation rejected(UpdateOutcome.Why why) {
    return unchanged(new UpdateOutcome.Rejected(why));
  }
}
