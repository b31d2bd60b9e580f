package dev.tern.gateway.resp;

import dev.tern.core.keyspace.Evaluation;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// Reads a command's arguments.
final class Arguments {
  /// What comes later is taken for this, so that no sum with it overflows: in 73 million years.
  private static final long LATEST_EXPIRY = Long.MAX_VALUE / 4;

  private Arguments() {}

  static String word(List<byte[]> arguments, int index) {
    return new String(arguments.get(index), StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT);
  }

  static String text(List<byte[]> arguments, int index) {
    return new String(arguments.get(index), StandardCharsets.UTF_8);
  }

  /// A decimal integer as Redis reads one: no plus, no leading zeros, no minus zero.
  static long integer(byte[] argument) {
    try {
      return Evaluation.integer(argument);
    } catch (NumberFormatException e) {
      throw CommandException.notAnInteger();
    }
  }

  /// `unit` and a positive `value` as wall-clock milliseconds.
  ///
  /// @param unit EX, PX, EXAT or PXAT
  static long expiry(String unit, byte[] value, long wallMillis, String command) {
    long number = integer(value);
    long base = unit.endsWith("AT") ? 0 : wallMillis;
    if (number <= 0) {
      throw invalidExpiry(command);
    }
    return expiry(number, unit.startsWith("EX"), base, command);
  }

  /// A time in seconds or milliseconds after `base` as milliseconds: at most [#LATEST_EXPIRY].
  static long expiry(long time, boolean seconds, long base, String command) {
    try {
      long millis = seconds ? Math.multiplyExact(time, 1000) : time;
      return Math.min(LATEST_EXPIRY, Math.addExact(millis, base));
    } catch (ArithmeticException e) {
      throw invalidExpiry(command);
    }
  }

  private static CommandException invalidExpiry(String command) {
    return new CommandException(
        "ERR invalid expire time in '" + command.toLowerCase(Locale.ROOT) + "' command");
  }
}
