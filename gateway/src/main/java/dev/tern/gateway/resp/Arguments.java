package dev.tern.gateway.resp;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// Reads a command's arguments.
final class Arguments {
  private Arguments() {}

  static String word(List<byte[]> arguments, int index) {
    return new String(arguments.get(index), StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT);
  }

  static String text(List<byte[]> arguments, int index) {
    return new String(arguments.get(index), StandardCharsets.UTF_8);
  }

  /// A decimal integer as Redis reads one.
  static long integer(byte[] argument) {
    String text = new String(argument, StandardCharsets.ISO_8859_1);
    if (text.length() > 20 || text.startsWith("+") || text.isEmpty()) {
      throw CommandException.notAnInteger();
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw CommandException.notAnInteger();
    }
  }

  /// `unit` and `value` as wall-clock milliseconds.
  ///
  /// @param unit EX, PX, EXAT or PXAT
  static long expiry(String unit, byte[] value, long wallMillis, String command) {
    long number = integer(value);
    boolean seconds = unit.startsWith("EX");
    boolean absolute = unit.endsWith("AT");
    long most = Long.MAX_VALUE / 4;
    if (number <= 0 || number > (seconds ? most / 1000 : most)) {
      throw new CommandException(
          "ERR invalid expire time in '" + command.toLowerCase(Locale.ROOT) + "' command");
    }
    long millis = seconds ? number * 1000 : number;
    return absolute ? millis : wallMillis + millis;
  }
}
